"""What the bodies of `/v1` share: texts, times, and examples made of the fields' own.

https://docs.pydantic.dev/latest/concepts/models/
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Self, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
)
from pydantic.fields import FieldInfo
from sqlmodel import Session

from service.commands import UNSET
from service.models.base import Row

CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f"
SPACES = r"\s\x85"  # U+0085 is a space to Python, and none to ECMAScript's patterns
CONTROL, PRINTED = re.compile(f"[{CONTROLS}]"), f"[^{CONTROLS}]"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
NEXT = "https://alongside.example/v1/patients?limit=50&cursor=MDE5OWI3YzI"
# An offset or the precision of a search must not lead out of the calendar.
EARLIEST, END = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
YEARS = r"^(?!000[0-2]|999[89])\d{4}-"  # of which no offset leads out
LARGEST = 2**31 - 1  # of an integer column


def _printable(value: str) -> str:
    """Apply FHIR's rule for strings: https://hl7.org/fhir/R4/datatypes.html#string ."""
    if CONTROL.search(value):
        raise ValueError("must not hold control characters")
    return value


def _whole(value: object) -> object:
    """Take 12.0 for 12, as JSON Schema does; a text or a truth value is not a number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _dated(value: object) -> object:
    """Refuse the numbers that Pydantic would take for seconds since 1970."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not DAY.match(value):
        raise ValueError("must be a text that begins with a date, as in 2026-01-05")
    return value


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its offset, such as Z or +01:00")
    if not EARLIEST <= value < END:
        raise ValueError("must lie within the years 2 to 9998")
    return value.astimezone(UTC)


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_printable),
    Field(json_schema_extra={"pattern": f"^{PRINTED}*[^{CONTROLS}{SPACES}]{PRINTED}*$"}),
]
LongText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=5000),
    AfterValidator(_printable),
    Field(json_schema_extra={"pattern": f"^{PRINTED}*$"}),
]
# What a query asks for, which is compared and never kept.
Sought = Annotated[
    str, AfterValidator(_printable), Field(json_schema_extra={"pattern": f"^{PRINTED}*$"})
]
Moment = Annotated[
    datetime,
    BeforeValidator(_dated),
    AfterValidator(_utc),
    Field(json_schema_extra={"pattern": YEARS}),
]
Day = Annotated[date, BeforeValidator(_dated)]
Count = Annotated[StrictInt, Field(ge=1, le=LARGEST), BeforeValidator(_whole)]


def unset() -> Any:  # noqa: ANN401 - the default of a field whose type has no room for it
    """Return what the commands leave alone; as a factory, so that no schema shows it."""
    return UNSET


class Schema(BaseModel):
    """Part of a body; each field has its description and an example."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)
    told_once: ClassVar[bool] = False  # whether it has a secret that nobody can read again

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return an example of the whole, made of the fields' examples."""
        fields = cls.model_fields.items()
        return {field.serialization_alias or name: _first(field) for name, field in fields}


def _first(field: FieldInfo) -> Any:  # noqa: ANN401 - whatever the field holds
    if not field.examples:
        raise TypeError("every field has an example")
    return field.examples[0]


class Body(Schema):
    """What is sent to us; a field that we do not know is refused by name."""

    model_config = ConfigDict(extra="forbid")

    def values(self) -> dict[str, Any]:
        """Return the fields as keyword arguments of a command."""
        return dict(self)


class RowOut(Schema):
    """What we answer about one row."""

    id: UUID = Field(
        description="Our id, a UUIDv7", examples=["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    version: int = Field(
        validation_alias="row_version",
        description="Raised by every change; also the ETag, and what If-Match names",
        examples=[1],
    )
    created_at: datetime = Field(
        description="When the row was made", examples=["2026-01-05T17:02:11.482913Z"]
    )

    @property
    def person(self) -> UUID | None:
        """Return the patient whom this is about, for the audit row."""
        found: UUID | None = getattr(self, "patient_id", None)
        return found

    @property
    def people(self) -> Sequence[UUID | None]:
        """Return all patients whom this is about."""
        return (self.person,)

    @classmethod
    def of_rows(cls, _session: Session, rows: Sequence[Row]) -> list[Self]:
        """Return what is answered about these rows; called inside their session."""
        return [cls.model_validate(row) for row in rows]


class Page(Schema):
    """One page of a list; each list says in `items` of what."""

    next: str | None = Field(
        default=None,
        description="Address of the next page; null on the last one. Also in the Link header",
        examples=[NEXT],
    )

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return a page that holds the example of one item."""
        (item,) = get_args(cls.model_fields["items"].annotation)
        return {"items": [item.example()], "next": NEXT}
