"""What can go wrong, as a tree; each error has its FHIR issue code, none an HTTP status.

AlongsideError
├── InvalidError        the request breaks a rule; `element` names the element
│   ├── RequiredError      an element is missing
│   ├── ValueSetError      a code or value outside what is allowed
│   └── BusinessRuleError  each element is right, but the state forbids it
├── NotSupportedError   understood, but not executed here
├── NotFoundError       no such thing for this caller
│   └── GoneError          its client deleted it
├── ForbiddenError      the caller may not do this
├── LoginError          no valid token
├── ConflictError       the state changed meanwhile
│   ├── VersionError       If-Match names another version
│   ├── DuplicateError     it exists already
│   ├── MergedError        the patient was merged into another, who is named
│   ├── UnmergeableError   what two records have cannot be one person's; each is named
│   └── MultipleMatchesError  a condition is met by several
├── BusyError           not now; try again
│   ├── OccupiedError      somebody else is writing, and this write was not to wait
│   ├── OutdatedError      a newer version of the service wrote what this one would replace
│   └── MaintenanceError   an operator has closed the service for a while
├── BackupError         a copy cannot be made, or cannot be taken back
├── InstrumentFileError a questionnaire's data file cannot be used
├── SecretsError        what was encrypted cannot be read, or nothing can be encrypted
└── ProjectionError     a write round the unit of work; a fault of ours

https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """One broken rule: `element` is a FHIRPath expression or a JSON field's path."""

    element: str
    rule: str
    code: str = "invalid"


class AlongsideError(Exception):
    """Something the caller is told about."""

    code: ClassVar[str] = "processing"
    title: ClassVar[str] = "The request could not be processed"

    def __init__(self, message: str, *, element: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.element = element

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (Problem(self.element or "", self.message, self.code),)


class InvalidError(AlongsideError):
    code = "invalid"
    title = "The request breaks a rule"


class InvalidElementsError(InvalidError):
    """Several elements break a rule."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.element}: {p.rule}" for p in problems))
        self._problems = problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class RequiredError(InvalidError):
    code = "required"


class ValueSetError(InvalidError):
    code = "code-invalid"


class BusinessRuleError(InvalidError):
    code = "business-rule"
    title = "The present state forbids this"


class NotSupportedError(AlongsideError):
    code = "not-supported"
    title = "This is not offered here"


class NotFoundError(AlongsideError):
    code = "not-found"
    title = "There is no such thing here"


class GoneError(NotFoundError):
    code = "deleted"
    title = "It was deleted"


class ForbiddenError(AlongsideError):
    code = "forbidden"
    title = "The caller may not do this"


class LoginError(AlongsideError):
    code = "login"
    title = "A valid access token is needed"


class ConflictError(AlongsideError):
    code = "conflict"
    title = "The state has changed"


class VersionError(ConflictError):
    title = "If-Match names a version that is not the current one"


class DuplicateError(ConflictError):
    code = "duplicate"
    title = "It exists already"


class MergedError(ConflictError):
    title = "The patient was merged into another"


class UnmergeableError(ConflictError):
    """Two records that somebody has to settle before they can be merged, or parted."""

    title = "The two records cannot be merged as they are"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.element}: {p.rule}" for p in problems))
        self._problems = problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class MultipleMatchesError(ConflictError):
    code = "multiple-matches"
    title = "The condition is met by more than one resource"


class BusyError(AlongsideError):
    code = "transient"
    title = "The service is busy; try again"


class OccupiedError(BusyError):
    """Somebody else is writing; what must not wait is tried again where it may."""


class OutdatedError(BusyError):
    """A newer version of the service wrote what this process would replace (DESIGN section 2)."""


class MaintenanceError(BusyError):
    title = "The service is closed for maintenance"


class BackupError(AlongsideError):
    """Told to an operator, with the next step."""


class SecretsError(AlongsideError):
    """Told to an operator, with the next step."""


class ProjectionError(AlongsideError):
    code = "exception"
    title = "A projected table was written outside the unit of work"
