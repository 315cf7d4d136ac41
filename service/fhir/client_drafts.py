"""Documents of clients as drafts: what was sent, with the labels that its sender gave it.

https://hl7.org/fhir/R4/security-labels.html
"""

from uuid import UUID

from service.errors import ForbiddenError
from service.fhir.changes import Change, Sender
from service.fhir.lexical import Lexical, said_in_meta
from service.fhir.mapping import Draft, Labels, Owner
from service.models.connections import Confidentiality

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def draft_of(sender: Sender, change: Change, lexical: Lexical, key: str | None) -> Draft:
    said = said_in_meta(lexical.value)
    labels = Labels(_confidentiality(said))
    if labels.confidentiality.rank > sender.access.ceiling:
        raise ForbiddenError("its label is above what this client may see")
    return Draft(
        change.kind.name,
        change.source,
        lexical.value,
        labels,
        patient_id=UUID(key) if key else None,
        owner=Owner.CLIENT,
        members=lexical.members,
        meta=said,
        chosen_id=change.shown if change.shown != change.place.id else None,
    )


def _confidentiality(said: dict[str, object]) -> Confidentiality:
    """Return the highest confidentiality that the sender's labels say; normal where none does."""
    labels = said.get("security", ())
    codes = {
        each.get("code")
        for each in (labels if isinstance(labels, list) else ())
        if each.get("system") == CONFIDENTIALITY
    }
    ranked = [each for each in Confidentiality if each.value in codes]
    return max(ranked, key=lambda each: each.rank, default=Confidentiality.NORMAL)
