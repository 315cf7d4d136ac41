"""Groups from a file, each known by a key of the file's own."""

from service.commands import CreateGroup, UpdateGroup
from service.imports.cells import flag, one_of, row_id, whole, words
from service.imports.finding import GROUP, by_key, remember
from service.imports.rows import Done, Outcome, Work
from service.imports.tables import Column, Kind, Values
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity, SupportGroup
from service.rows import get

KEY = "key"


def put(work: Work, values: Values) -> Done:
    """Add the group, or change one that is known; an empty cell says nothing."""
    given = {name: value for name, value in values.items() if value is not None and name != KEY}
    known = by_key(work.session, GROUP, values[KEY])
    if known is None:
        row = work.run(CreateGroup(**given))
        remember(work.session, GROUP, values[KEY], row.id)
        return Done(Outcome.ADDED)
    row = get(work.session, SupportGroup, known)
    if row.status is GroupStatus.ON_HOLD:
        given.pop("status", None)  # somebody decided it since, and decides when it is over
    return Done(work.change(row, UpdateGroup(group_id=known, **given)))


GROUPS = Kind(
    "groups",
    (
        Column(KEY, example="circle-1", required=True),
        Column("public_name", example="Tuesday depression circle", required=True),
        Column("neutral_name", example="Tuesday circle", required=True),
        Column("purpose", example="Mutual support", required=True),
        Column("topic", example="depression", required=True),
        Column("facilitation", one_of(Facilitation), "peer", required=True),
        Column("modality", one_of(Modality), "in-person", required=True),
        Column("capacity", whole, "12", required=True),
        Column("language", example="en"),
        Column("eligibility", example="Adults"),
        Column("sensitivity", one_of(Sensitivity), "mental-health"),
        Column("part2", flag, "false"),
        Column("instruments", words, "phq-9 gad-7"),
        Column("escalation_contact", example="on-call 555-0100"),
        Column("status", one_of(GroupStatus), "active"),
        Column("place_id", row_id),
        Column("facilitator_id", row_id),
    ),
    put,
)
