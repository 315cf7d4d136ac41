"""No column that holds a patient's id is forgotten when two records are merged."""

import pytest
from sqlmodel import SQLModel

import service.models  # noqa: F401 - fills the metadata
from service.merging.following import FOLLOWING, parents
from service.models.audit import audit_metadata

# Each new column has its place in FOLLOWING, or its reason here.
ELSEWHERE = {
    "patients.merged_into_id": "says that there was a merge",
    "merges.source_id": "is the merge",
    "merges.target_id": "is the merge",
    "links.known_as_id": "is by whom the hospital knows the person, whoever that is now",
    "enrollments.made_for_id": "is whose visits they were first, whoever's they are now",
    "sent_patients.patient_id": "service.merging.sent: there is one for each record and hospital",
    "documents.patient_key": "service.fhir.projection and service.fhir.following",
    "erasures.patient_id": "is whose data was erased, as long as some of it must be kept",
    "audit_keys.patient_id": "is what rows of then called the person",
    "audit_changes.patients": "says who was changed then",
    "audit_entries.patients": "says who was read or changed then",
}
NAMES = {"patient_id", "patient_key", "patients"}


def holding_patients() -> set[str]:
    """Every column that refers to a patient, or by its name holds the id of one."""
    return {
        f"{table.name}.{column.name}"
        for metadata in (SQLModel.metadata, audit_metadata)
        for table in metadata.tables.values()
        for column in table.columns
        if column.name in NAMES
        or any(key.column.table.name == "patients" for key in column.foreign_keys)
    }


def test_every_column_with_a_patient_follows_or_says_why_not():
    following = {f"{table.__tablename__}.patient_id" for table in FOLLOWING}
    assert holding_patients() == following | set(ELSEWHERE)


@pytest.mark.parametrize("table", FOLLOWING, ids=lambda table: table.__tablename__)
def test_what_hangs_on_a_row_comes_after_it(table):
    names = [each.__tablename__ for each in FOLLOWING]
    for _, parent in parents(table):
        assert names.index(parent) <= names.index(table.__tablename__)
