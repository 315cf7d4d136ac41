"""FHIR batch interaction: each entry for itself.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Sequence

from service.errors import AlongsideError
from service.fhir.bundle_answers import EntryAnswer
from service.fhir.bundle_entries import Entry
from service.fhir.bundle_errors import EntriesError, EntryError, located
from service.fhir.changes import Sender
from service.fhir.interactions.transaction import transaction


def batch(
    sender: Sender, entries: Sequence[Entry], *, prefer: str = "minimal"
) -> list[EntryAnswer | EntryError | None]:
    """Write what each entry asks for, or return why not; None stands for one to be read."""
    return [_one(sender, entry, prefer) for entry in entries]


def _one(sender: Sender, entry: Entry, prefer: str) -> EntryAnswer | EntryError | None:
    try:
        (found,) = transaction(sender, [entry], prefer=prefer)
    except EntriesError as refused:
        return refused.errors[0]
    except AlongsideError as error:
        return located(entry, error)
    return found
