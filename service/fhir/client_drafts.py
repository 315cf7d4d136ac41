"""Documents of clients as drafts: what was sent, its sender's labels, and its search index.

https://hl7.org/fhir/R4/security-labels.html
"""

from dataclasses import replace

from service.errors import ForbiddenError
from service.fhir.changes import Change, Sender
from service.fhir.kept_drafts import indexed, kept
from service.fhir.lexical import Lexical
from service.fhir.mapping import Draft
from service.fhir.search_index import IndexRows
from service.fhir.sent_references import Person
from service.models.connections import Confidentiality


def draft_of(
    sender: Sender,
    change: Change,
    lexical: Lexical,
    who: Person | None,
    held: int = Confidentiality.NORMAL.rank,
) -> Draft:
    """Return the draft; a label never goes below the one that is `held`."""
    floor = next(each for each in Confidentiality if each.rank == held)
    draft = kept(change.kind.name, change.source, lexical, who, floor)
    if draft.labels.confidentiality.rank > sender.access.ceiling:
        raise ForbiddenError("its label is above what this client may see")
    return replace(draft, chosen_id=change.shown if change.shown != change.place.id else None)


def rows_of_draft(sender: Sender, change: Change, draft: Draft, who: Person | None) -> IndexRows:
    """Return the index of a draft, with whom it refers to by what is no parameter."""
    return indexed(draft, change.kind, who, sender.addresses, change.places.values())
