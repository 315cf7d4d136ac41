"""What the clock changes keeps its moment when it is noted by kind and key, on both databases."""

from sqlalchemy import text

from service.engine import create_engine
from service.migrations import upgrade
from tests.migrations.test_index_rows_are_numbered import change
from tests.migrations.test_migrations import to_revision

PERSON, PLANNED, OTHER, GUEST = (letter * 32 for letter in "abcd")
PLAN = '[{"instrument": "phq-9"}]'
GROUPS = {PLANNED: PLAN, OTHER: "[]", GUEST: PLAN}
ROW = {"version": 1, "at": "2026-01-01 00:00:00+00:00"}
PATIENT = (
    "INSERT INTO patients (id, row_version, created_at, family, given, gender, extensions)"
    " VALUES (:id, :version, :at, 'F', 'G', 'unknown', '[]')"
)
GROUP = (
    "INSERT INTO support_groups (id, row_version, created_at, public_name, neutral_name, purpose,"
    " topic, facilitation, modality, language, eligibility, capacity, sensitivity, part2,"
    " instruments, rules_required, status, measurement)"
    " VALUES (:id, :version, :at, 'P', 'N', 'p', 't', 'peer', 'virtual', 'en', '', 9,"
    " 'mental-health', false, 'phq-9', false, 'active', :plans)"
)
ENROLLMENT = (
    "INSERT INTO enrollments (id, row_version, created_at, patient_id, group_id, status, start,"
    f" missed_offers, guest) VALUES (:id, :version, :at, '{PERSON}', :id, 'active', :at, 0, :guest)"
)
NOTED = "INSERT INTO projection_due (kind, key, at) VALUES ('enrollment', :id, 7)"


def test_members_of_groups_that_measure_are_noted_beside_what_was(older_url):
    to_revision(older_url, "0027_break_glass")
    engine = create_engine(older_url)
    change(
        engine,
        (PATIENT, {**ROW, "id": PERSON}),
        *((GROUP, {**ROW, "id": one, "plans": plans}) for one, plans in GROUPS.items()),
        *((ENROLLMENT, {**ROW, "id": one, "guest": one == GUEST}) for one in GROUPS),
        (NOTED, {"id": PLANNED}),
    )
    engine.dispose()
    upgrade(older_url)
    engine = create_engine(older_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT kind, key, at FROM projection_due ORDER BY kind"))
        assert [tuple(row) for row in found] == [
            ("enrollment", PLANNED, 7), ("measurement", PLANNED, 0)
        ]  # fmt: skip
    engine.dispose()
