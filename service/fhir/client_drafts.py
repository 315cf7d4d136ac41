"""Documents of clients as drafts: what was sent, its sender's labels, and its search index.

https://hl7.org/fhir/R4/security-labels.html
"""

from uuid import UUID

from service.errors import ForbiddenError
from service.fhir.changes import PATIENT, Change, Sender
from service.fhir.document_bytes import meta
from service.fhir.lexical import Lexical, said_in_meta
from service.fhir.mapping import Draft, Labels, Owner
from service.fhir.search_index import IndexRows, index
from service.fhir.sent_references import unsearched
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


def rows_of_draft(sender: Sender, change: Change, draft: Draft) -> IndexRows:
    """Return the index of a draft, with whom it refers to by what is no parameter."""
    key, audience = draft.patient_id, sender.audience
    subject = audience.id(PATIENT, f"patient:{key.hex}") if key else None
    rows = index(
        draft.resource,
        change.kind,
        meta=meta(draft),
        subject=subject,
        locate=sender.addresses.locate,
    )
    rows.references.update(unsearched(rows, change.places.values()))
    return rows


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
