"""FHIR transaction interaction: all entries, or none. Its reads come after the commit.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Sequence

from service.fhir.bundle_answers import EntryAnswer, of_effect
from service.fhir.bundle_entries import Entry
from service.fhir.bundle_writing import write_together
from service.fhir.changes import Sender


def transaction(
    sender: Sender, entries: Sequence[Entry], *, prefer: str = "minimal"
) -> list[EntryAnswer | None]:
    """Write what the entries ask for; None stands for one that is to be read.

    Raises:
        EntriesError: entries that cannot be carried out; then nothing is written.
    """
    writes = [entry for entry in entries if not entry.is_read]
    effects = write_together(sender, writes) if writes else {}
    answers: list[EntryAnswer | None] = []
    for entry in entries:
        effect = effects.get(entry.number)
        if entry.is_read:
            answers.append(None)
        elif effect is None:
            answers.append(EntryAnswer(204))
        else:
            answers.append(of_effect(sender, effect, prefer))
    return answers
