"""Bodies and answers about consents: terms, exceptions, evidence.

https://docs.pydantic.dev/latest/concepts/models/
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints
from sqlmodel import Session

from api.routes.v1.schema import Body, Day, Moment, Page, RowOut, Schema, Text
from service.models.base import Row
from service.models.consents import (
    Category,
    Consent,
    ConsentVersion,
    Decision,
    Label,
    Purpose,
    Standing,
)
from service.models.evidence import ESignature, Evidence, SignedForm, VerbalConsent
from service.models.provisions import Provision
from service.rows import get

HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
BY = "On whose behalf; the client's name when left out"
PART2 = "Whether it reaches to groups under 42 CFR Part 2"
NAMED = "Whether the hospital may see the group's public name"
PURPOSES = "For what the hospital may use it; codes of v3-ActReason"
LABELS = "Limits it to what bears these labels: a permit must fit by each kind, a denial by any"
EXCEPTIONS = "Exceptions, each with its own: what one does not say is as what it excepts from"
ENDS = ["2027-01-05T17:00:00Z"]
BEGINS = ["2026-01-05T17:00:00Z"]
KINDS = ["attendance"]

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]


class SignedFormBody(Body):
    kind: Literal["signed-form"] = Field(
        description="A form on file, signed by the person", examples=["signed-form"]
    )
    document: Text = Field(description="Where it is kept", examples=["files/consents/2026-014"])
    signed_on: Day = Field(description="When it was signed", examples=["2026-01-05"])
    sha256: Digest | None = Field(
        default=None, description="The file's SHA-256, where it is a file", examples=["ab" * 32]
    )

    def evidence(self) -> Evidence:
        return SignedForm(document=self.document, signed_on=self.signed_on, sha256=self.sha256)


class VerbalBody(Body):
    kind: Literal["verbal"] = Field(description="Said before a witness", examples=["verbal"])
    witness: Text = Field(description="Who heard it", examples=["Sam Ortiz"])
    given_on: Day = Field(description="When it was said", examples=["2026-01-05"])

    def evidence(self) -> Evidence:
        return VerbalConsent(witness=self.witness, given_on=self.given_on)


class ESignatureBody(Body):
    kind: Literal["e-signature"] = Field(
        description="Signed electronically", examples=["e-signature"]
    )
    signer: Text = Field(description="Who signed", examples=["The person"])
    signed_at: Moment = Field(description="When", examples=BEGINS)
    method: Text = Field(description="By which method or service", examples=["tablet at intake"])

    def evidence(self) -> Evidence:
        return ESignature(signer=self.signer, signed_at=self.signed_at, method=self.method)


EvidenceBody = Annotated[SignedFormBody | VerbalBody | ESignatureBody, Field(discriminator="kind")]
EVIDENCE = [{"kind": "verbal", "witness": "Sam Ortiz", "given_on": "2026-01-05"}]


class NestedProvision(Body):
    decision: Decision = Field(description="Permit or deny", examples=["deny"])
    start: Moment | None = Field(default=None, description="From when", examples=BEGINS)
    end: Moment | None = Field(default=None, description="Until when", examples=ENDS)
    categories: list[Category] = Field(
        default=[], description="Which kinds of fact", examples=[["scores"]]
    )
    purposes: list[Purpose] = Field(default=[], description=PURPOSES, examples=[["HRESCH"]])
    labels: list[Label] = Field(default=[], description=LABELS, examples=[["V"]])
    covers_part2: StrictBool | None = Field(default=None, description=PART2, examples=[None])
    shows_group_name: StrictBool | None = Field(default=None, description=NAMED, examples=[None])
    provisions: list["NestedProvision"] = Field(
        default=[], description=EXCEPTIONS, examples=[[]], max_length=50
    )

    def provision(self) -> Provision:
        said = self.values()
        said |= {name: frozenset(said[name]) for name in ("categories", "purposes", "labels")}
        return Provision(**{**said, "provisions": tuple(p.provision() for p in self.provisions)})


EXCEPTION = [[{"decision": "deny", "labels": ["V"]}]]


class ConsentTermsBody(Body):
    category: Category | None = Field(
        default=None, description="Which kind of fact", examples=KINDS
    )
    categories: list[Category] = Field(
        default=[],
        description="Which kinds of fact, where it is about several",
        examples=[[]],
        max_length=len(Category),
    )
    decision: Decision = Field(
        default=Decision.PERMIT, description="A denial wins over a permit", examples=["permit"]
    )
    start: Moment | None = Field(
        default=None, description="From when; now when left out", examples=BEGINS
    )
    end: Moment | None = Field(
        default=None, description="Until when; open when left out", examples=ENDS
    )
    purposes: list[Purpose] | None = Field(
        default=None,
        description=f"{PURPOSES}. Left out: a permit is for TREAT, a denial for every purpose;"
        " an empty list is every purpose",
        examples=[["TREAT"]],
    )
    labels: list[Label] = Field(default=[], description=LABELS, examples=[[]])
    covers_part2: StrictBool = Field(default=False, description=PART2, examples=[False])
    shows_group_name: StrictBool = Field(default=False, description=NAMED, examples=[False])
    provisions: list[NestedProvision] = Field(
        default=[], description=EXCEPTIONS, examples=EXCEPTION, max_length=50
    )
    evidence: EvidenceBody | None = Field(
        default=None, description="What shows that the person said so", examples=EVIDENCE
    )

    def terms(self) -> dict[str, Any]:
        """Return the fields as those of a command."""
        return {
            **{name: getattr(self, name) for name in PLAIN},
            "categories": tuple(self.categories),
            "purposes": None if self.purposes is None else tuple(self.purposes),
            "labels": tuple(self.labels),
            "provisions": tuple(each.provision() for each in self.provisions),
            "evidence": self.evidence.evidence() if self.evidence else None,
        }


PLAIN = ("category", "decision", "start", "end", "covers_part2", "shows_group_name")


class NewConsent(ConsentTermsBody):
    connection_id: UUID = Field(description="Which hospital may have it", examples=HOSPITAL)
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentAmendment(ConsentTermsBody):
    amended_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentWithdrawal(Body):
    withdrawn_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentSettling(Body):
    settled_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentTermsOut(Schema):
    categories: list[Category] = Field(
        description="Which kinds of fact; none stands for all", examples=[KINDS]
    )
    decision: Decision = Field(description="Permit or deny", examples=["permit"])
    start: datetime = Field(description="From when", examples=BEGINS)
    end: datetime | None = Field(description="Until when", examples=ENDS)
    purposes: list[Purpose] = Field(
        description="For what; none stands for every purpose", examples=[["TREAT"]]
    )
    labels: list[Label] = Field(description=LABELS, examples=[[]])
    covers_part2: bool = Field(description=PART2, examples=[False])
    shows_group_name: bool = Field(description=NAMED, examples=[False])
    provisions: list[dict[str, Any]] = Field(description=EXCEPTIONS, examples=EXCEPTION)
    evidence: dict[str, Any] | None = Field(
        description="What shows that the person said so", examples=EVIDENCE
    )
    recorded_by: str = Field(description="Who recorded it", examples=["Sam Ortiz"])
    standing: Standing = Field(
        description="Whether its permits count; denials do at once", examples=["confirmed"]
    )


class ConsentOut(ConsentTermsOut, RowOut):
    patient_id: UUID = Field(description="Whose decision", examples=PERSON)
    connection_id: UUID = Field(description="Which hospital", examples=HOSPITAL)
    category: Category | None = Field(
        description="Which kind of fact; null where it is about several, or all", examples=KINDS
    )
    terms_version: int = Field(
        validation_alias="terms_version",
        description="How often it was said anew, from 1",
        examples=[1],
    )
    changed_at: datetime | None = Field(description="When it was last said anew", examples=[None])
    sent_by_hospital: bool = Field(description="Whether the hospital sent it", examples=[False])
    settled_at: datetime | None = Field(
        description="When its permits were confirmed or refused", examples=[None]
    )
    settled_by: str | None = Field(description="Who said so", examples=[None])
    withdrawn_at: datetime | None = Field(
        description="When it was withdrawn", examples=["2026-03-01T09:00:00Z"]
    )
    withdrawn_by: str | None = Field(description="Who withdrew it", examples=["Sam Ortiz"])


class Consents(Page):
    items: list[ConsentOut]


class ConsentVersionOut(ConsentTermsOut, RowOut):
    consent_id: UUID = Field(
        description="Whose version", examples=["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    patient_id: UUID = Field(description="Whose decision", examples=PERSON)
    terms_version: int = Field(description="Its number, from 1", examples=[1])
    since: datetime = Field(description="From when it was so", examples=BEGINS)
    until: datetime = Field(description="When it was replaced", examples=ENDS)

    @classmethod
    def of_rows(cls, session: Session, rows: Sequence[Row]) -> list[Self]:
        return [cls._of(session, row) for row in rows if isinstance(row, ConsentVersion)]

    @classmethod
    def _of(cls, session: Session, row: ConsentVersion) -> Self:
        said = {
            "row_version": row.row_version,
            **{name: getattr(row, name) for name in ("id", "created_at", "consent_id", "since")},
            "patient_id": get(session, Consent, row.consent_id).patient_id,
            "terms_version": row.version,
            "until": row.created_at,
        }
        return cls.model_validate({**row.said, **said})


class ConsentVersions(Page):
    items: list[ConsentVersionOut]
