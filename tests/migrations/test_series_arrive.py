"""Sessions that are there stay as they are when series arrive, on either database."""

from sqlalchemy import text

from service.engine import create_engine
from service.migrations import check, upgrade
from tests.migrations.test_migrations import to_revision

GROUP, SESSION = "1" * 32, "2" * 32
ROW = "'{}', 1, '2026-01-01 00:00:00+00:00'"
GROUPS = (
    "INSERT INTO support_groups (id, row_version, created_at, public_name, neutral_name, purpose,"
    " topic, facilitation, modality, language, eligibility, capacity, sensitivity, part2,"
    f" instruments, status) VALUES ({ROW.format(GROUP)}, 'a', 'b', 'c', 'd', 'peer', 'virtual',"
    " 'en', '', 9, 'mental-health', false, '', 'active')"
)
SESSIONS = (
    'INSERT INTO sessions (id, row_version, created_at, group_id, start, "end", status)'
    f" VALUES ({ROW.format(SESSION)}, '{GROUP}', '2026-02-01 18:00:00+00:00',"
    " '2026-02-01 19:00:00+00:00', 'held')"
)


def test_a_session_of_an_older_version_is_of_no_series(older_url):
    to_revision(older_url, "0009_upkeep")
    engine = create_engine(older_url)
    with engine.begin() as connection:  # the guard comes with the newest revision
        connection.execute(text(GROUPS))
        connection.execute(text(SESSIONS))
    engine.dispose()
    upgrade(older_url)
    engine = create_engine(older_url)
    with engine.connect() as connection:
        statement = "SELECT status, series_id, recurrence, occurrence, revised_at FROM sessions"
        assert [tuple(row) for row in connection.execute(text(statement))] == [
            ("held", None, None, None, None)
        ]
    engine.dispose()
    assert check(older_url) == []
