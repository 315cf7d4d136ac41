"""What is wrong with entries of a Bundle: every problem named by where it stands in the Bundle.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from service.errors import AlongsideError, BusyError, InvalidError, Problem
from service.fhir.bundle_entries import Entry

MOST_OF_AN_ENTRY = 20
ELSEWHERE = {"If-Match": "request.ifMatch", "resourceType": "resource", "patch": "resource.data"}
_IN_RESOURCE = re.compile(r"[A-Z][A-Za-z]*(?=[.\[]|$)")


class EntryError(AlongsideError):
    """The error of an entry, its problems named by where they stand in the Bundle."""

    def __init__(self, number: int, error: AlongsideError, problems: tuple[Problem, ...]) -> None:
        super().__init__(error.message)
        self.number = number
        self.error = error
        self._problems = problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class EntriesError(InvalidError):
    """The entries for which a transaction is not carried out."""

    title: ClassVar[str] = "The transaction was not carried out: this entry failed"

    def __init__(self, errors: Sequence[EntryError]) -> None:
        super().__init__(f"{len(errors)} entries cannot be carried out")
        self.errors = errors

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for error in self.errors for problem in error.problems)


@dataclass
class Failures:
    """The entries that cannot be carried out, as far as is known."""

    errors: list[EntryError] = field(default_factory=list)

    @contextmanager
    def of(self, entry: Entry) -> Iterator[None]:
        """Keep what is wrong with the entry, and go on."""
        try:
            yield
        except BusyError:
            raise
        except AlongsideError as error:
            self.errors.append(located(entry, error))

    def refuse(self) -> None:
        """Raise EntriesError if there are any."""
        if self.errors:
            raise EntriesError(sorted(self.errors, key=lambda error: error.number))


def located(entry: Entry, error: AlongsideError) -> EntryError:
    """Return the error of an entry as an error of its Bundle."""
    if isinstance(error, EntryError):
        return error
    problems = error.problems[:MOST_OF_AN_ENTRY]
    named = tuple(replace(each, element=_element(entry, each.element)) for each in problems)
    return EntryError(entry.number, error, named)


def _element(entry: Entry, element: str) -> str:
    """Return where an element of the entry's resource or request stands in the Bundle."""
    if element.startswith("Bundle"):
        return element
    if element in ELSEWHERE:
        return f"{entry.path}.{ELSEWHERE[element]}"
    if found := _IN_RESOURCE.match(element):
        return f"{entry.path}.resource{element[found.end() :]}"
    if not element:
        return entry.path
    asked = "ifNoneExist" if entry.method == "POST" else "url"
    return f"{entry.path}.request.{asked}"
