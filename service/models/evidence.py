"""What shows that a person consented: a signed form, words before a witness, an e-signature."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class EvidenceKind(StrEnum):
    SIGNED_FORM = "signed-form"
    VERBAL = "verbal"
    E_SIGNATURE = "e-signature"


@dataclass(frozen=True, kw_only=True)
class SignedForm:
    """A form on file: where it is kept, its SHA-256 where it is a file, and when it was signed."""

    document: str
    signed_on: date
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class VerbalConsent:
    """What was said before a witness."""

    witness: str
    given_on: date


@dataclass(frozen=True, kw_only=True)
class ESignature:
    """Who signed, when, and by what method or service."""

    signer: str
    signed_at: datetime
    method: str


Evidence = SignedForm | VerbalConsent | ESignature
KINDS: dict[EvidenceKind, type[Evidence]] = {
    EvidenceKind.SIGNED_FORM: SignedForm,
    EvidenceKind.VERBAL: VerbalConsent,
    EvidenceKind.E_SIGNATURE: ESignature,
}
NAMES = {cls: kind for kind, cls in KINDS.items()}
MOMENTS = {"signed_on": date, "given_on": date, "signed_at": datetime}


def evidence_json(evidence: Evidence | None) -> dict[str, Any] | None:
    """Return what is kept of it."""
    if evidence is None:
        return None
    said = {name: _text(value) for name, value in asdict(evidence).items() if value is not None}
    return {"kind": NAMES[type(evidence)].value, **said}


def evidence_of(kept: dict[str, Any] | None) -> Evidence | None:
    """Return what was kept."""
    if kept is None:
        return None
    said: dict[str, Any] = {
        name: _value(name, value) for name, value in kept.items() if name != "kind"
    }
    return KINDS[EvidenceKind(kept["kind"])](**said)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _value(name: str, value: str) -> object:
    moment = MOMENTS.get(name)
    return value if moment is None else moment.fromisoformat(value)
