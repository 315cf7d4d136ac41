"""Groups from a file: known again by their key."""

from service.imports.groups import GROUPS
from service.imports.running import Mode
from service.models.groups import GroupStatus, Sensitivity, SupportGroup
from tests.fresh import wrong_documents
from tests.service.imports.files import group_row, imported, rows, stored, table


def put(database, folder, *of_groups, mode=Mode.WHOLE):
    return imported(database, table(folder / "groups.csv", GROUPS, of_groups), mode)


def test_a_group_is_added_with_the_defaults_of_the_domain(database, tmp_path):
    found = put(database, tmp_path, group_row(1, sensitivity="substance-use", status=""))
    (row,) = rows(database, SupportGroup)
    assert found.counts == (1, 0, 0, 0)
    assert (row.capacity, row.status, row.part2) == (12, GroupStatus.DRAFT, True)
    assert (row.sensitivity, row.instruments) == (Sensitivity.SUBSTANCE_USE, "phq-9 gad-7")
    assert not wrong_documents(database)


def test_the_same_key_changes_what_is_said_and_keeps_what_is_not(database, tmp_path):
    put(database, tmp_path, group_row(1, eligibility="Adults"), group_row(2))
    before = stored(database)
    found = put(database, tmp_path, group_row(1, capacity="9", status=""), group_row(2))
    assert found.counts == (0, 1, 1, 0)
    row = next(each for each in rows(database, SupportGroup) if each.public_name == "Circle 1")
    assert (row.capacity, row.eligibility, row.status) == (9, "Adults", GroupStatus.ACTIVE)
    # The capacity is in no document (ADR 0008).
    assert stored(database) == before


def test_a_key_that_stands_twice_is_the_same_group(database, tmp_path):
    found = put(database, tmp_path, group_row(1), group_row(1, topic="anxiety"))
    assert found.counts == (1, 1, 0, 0)
    assert [row.topic for row in rows(database, SupportGroup)] == ["anxiety"]


def test_what_the_domain_refuses_is_named_by_row_and_column(database, tmp_path):
    found = put(
        database,
        tmp_path,
        group_row(1, capacity="0"),
        group_row(2, escalation_contact=""),
        group_row(3, instruments="phq-9 iq"),
        group_row(4, place_id="00000000-0000-0000-0000-000000000001"),
    )
    assert [(each.row, each.column) for each in found.rejections] == [
        (2, "capacity"), (3, "escalation_contact"), (4, "instruments"), (5, "place_id"),
    ]  # fmt: skip
    assert rows(database, SupportGroup) == []
