"""No table that holds something about a person is forgotten, in an export or an erasure."""

from sqlmodel import SQLModel

import service.models  # noqa: F401 - fills the metadata
from service.models.audit import audit_metadata
from service.subjects.holdings import HOLDINGS
from tests.service.merging.test_every_column import holding_patients

# Each new table has its place in HOLDINGS, or its reason here.
ELSEWHERE = {
    "documents": "service.subjects.documents and service.subjects.traces",
    "audit_entries": "who asked for what: api.subjects has the accounting of disclosures",
    "audit_keys": "what audit rows call the person: service.subjects.forgetting destroys it",
    "audit_changes": "lives for minutes: service.subjects.forgetting takes the person out",
}
# What every row has, or says whose it is.
OURS = {"id", "row_version", "created_at", "patient_id"}


def about_people() -> set[str]:
    """Every table with a patient's id, and every one that hangs on such a table."""
    found = {each.partition(".")[0] for each in holding_patients()}
    tables = [*SQLModel.metadata.tables.values(), *audit_metadata.tables.values()]
    while True:
        hanging = {
            table.name
            for table in tables
            for column in table.columns
            for key in column.foreign_keys
            if key.column.table.name in found
        }
        if hanging <= found:
            return found
        found |= hanging


def test_every_table_about_people_is_exported_and_erased_or_says_why_not():
    assert about_people() == {each.name for each in HOLDINGS} | set(ELSEWHERE)


def test_every_column_is_shown_to_the_person_or_says_why_not():
    for each in HOLDINGS:
        columns = set(each.table.__table__.columns.keys()) - OURS
        leading = set(each.by) | ({each.on[0]} if each.on else set())
        assert columns - leading == (set(each.shows) | set(each.hides)) - leading, each.name


def test_what_hangs_on_a_table_comes_after_it():
    names = [each.name for each in HOLDINGS]
    for each in HOLDINGS:
        for column in each.table.__table__.columns:
            for key in column.foreign_keys:
                if key.column.table.name in names:
                    assert names.index(key.column.table.name) <= names.index(each.name)
