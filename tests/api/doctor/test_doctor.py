"""The doctor names what is wrong and the next step, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from api.bootstrap import install
from api.doctor import examine, machine
from api.doctor.findings import Level
from service import maintenance
from service.clock import microseconds, system_clock
from service.commands import RaiseConcern
from service.encryption import new_key
from service.engine import UNIT_OF_WORK, create_engine
from service.fhir.rebuild import NAME as REBUILD
from service.handlers import execute
from service.models.concerns import ConcernKind, Severity
from service.settings import Settings
from service.upkeep import note
from tests import staff, world
from tests.conftest import open_database


@pytest.fixture
def settings(database_url):
    """An installation with nothing to say against it."""
    found = Settings(
        database_url=database_url,
        public_base_url="https://groups.example.org",
        canonical_base="https://groups.example.org/fhir",
        secrets_keys=new_key(),
        retention_jurisdiction="GB-ENG",
        volume_encryption="asserted",
    )
    install(found.model_copy(update={"canonical_base": Settings().canonical_base}))
    return found


def found(settings, clock=system_clock):
    return {each.check: each for each in examine(settings, clock)}


def change(settings, *statements):
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.info[UNIT_OF_WORK] = 1
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_sound_installation_has_nothing_to_say(settings):
    said = {each.check for each in examine(settings) if each.level is not Level.OK}
    assert said == set()
    assert set(found(settings)) >= {
        "settings", "public-address", "disk", "database", "migrations", "guard", "key",
        "statistics", "clock", "clock-due", "expired-tokens", "documents", "maintenance",
        "facilitators", "concerns", "concerns-addressed", "secrets", "volume-encryption",
        "retention-rules",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "check", "level", "part"),
    [
        ({"public_base_url": "http://127.0.0.1:8000"}, "public-address", "warning", "only this"),
        ({"public_base_url": "http://a.example"}, "public-address", "error", "https"),
        ({"public_base_url": "https://a.example/fhir"}, "public-address", "error", "leave /fhir"),
        ({"canonical_base": "https://alongside.example/fhir"}, "canonical-base", "warning",
         "ALONGSIDE_CANONICAL_BASE"),
        ({"trusted_proxies": "*"}, "trusted-proxies", "error", "name the proxy"),
        ({"audit_database_url": "sqlite:////nowhere/a.db"}, "audit-file", "error",
         "alongside migrate"),
    ],
)  # fmt: skip
def test_a_setting_that_will_not_do_is_named(settings, values, check, level, part):
    finding = found(settings.model_copy(update=values))[check]
    assert finding.level.value == level
    assert part in finding.sentence


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/alongside.db", "postgresql://a:hidden@127.0.0.1:1/x"]
)
def test_a_database_that_is_not_there_is_said_and_nothing_more_is_asked(url):
    said = found(Settings(database_url=url))
    assert said["database"].level is Level.ERROR
    assert "migrations" not in said
    assert "hidden" not in str(said)


def test_little_space_is_a_warning_and_too_little_an_error(sqlite_url, monkeypatch):
    for free, level in ((machine.LITTLE - 1, "warning"), (machine.TOO_LITTLE - 1, "error")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _folder, usage=usage: usage)
        assert found(Settings(database_url=sqlite_url))["disk"].level.value == level


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    said = found(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    assert said["database"].level is Level.ERROR


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("UPDATE alembic_version SET version_num = '0007_statistics'", "alongside migrate"),
        ("UPDATE alembic_version SET version_num = '9999_tomorrow'", "newer version"),
        ("DELETE FROM alembic_version", "no tables yet"),
    ],
)
def test_another_revision_is_an_error(settings, statement, part):
    change(settings, statement)
    said = found(settings)
    assert said["migrations"].level is Level.ERROR
    assert part in said["migrations"].sentence
    assert "documents" not in said


def test_a_trigger_or_a_key_that_is_missing_is_an_error(settings):
    on = "" if settings.database_url.startswith("sqlite") else " ON places"
    name = "guard_places" if on else "guard_places_insert"
    change(settings, f"DROP TRIGGER {name}{on}", "DELETE FROM installation")
    said = found(settings)
    assert said["guard"].level is Level.ERROR
    assert said["key"].level is Level.ERROR


def test_statistics_that_analyze_made_are_told_and_set_right_by_migrate(sqlite_url):
    settings = Settings(database_url=sqlite_url)
    install(settings)
    world.group(opened := open_database(sqlite_url))
    opened.close()
    change(settings, "ANALYZE")
    assert found(settings)["statistics"].level is Level.WARNING
    install(settings)
    assert found(settings)["statistics"].level is Level.OK


@pytest.mark.parametrize(("seconds", "level"), [(1, "ok"), (10, "warning"), (600, "error")])
def test_a_clock_that_is_behind_is_told(settings, seconds, level):
    def behind():
        return system_clock() - timedelta(seconds=seconds)

    assert found(settings, behind)["clock"].level.value == level


def test_what_waits_or_was_not_ended_is_told(settings):
    database = open_database(settings.database_url)
    at = microseconds(system_clock())

    def begin(session):
        maintenance.begin(session, 60, at)
        note(session, REBUILD, '["x", "group:1"]', at)

    database.unit_of_work(begin)
    database.close()
    change(
        settings, f"INSERT INTO projection_due (key, kind, at) VALUES ('{'0' * 32}', 'consents', 1)"
    )
    said = found(settings)
    assert said["maintenance"].level is Level.WARNING
    assert "rebuild --all" in said["documents"].sentence
    assert said["clock-due"].sentence.startswith("1 consents")
    change(settings, "UPDATE documents SET revision = 0 WHERE type = 'Organization'")
    assert "`alongside rebuild`" in found(settings)["documents"].sentence
    change(settings, "UPDATE documents SET indexed = 0 WHERE type = 'Organization'")
    assert "alongside migrate" in found(settings)["documents"].sentence


def test_lapses_and_concerns_that_wait_are_told_as_numbers(settings):
    database = open_database(settings.database_url)
    person = world.facilitator(database, family="Unnamed")
    yesterday = system_clock().date() - timedelta(days=1)
    staff.credential(database, person, expires=yesterday)
    group = staff.led(database, person, escalation_contact=None, instruments=())
    kind, severity = ConcernKind.OTHER, Severity.HIGH
    execute(
        database,
        RaiseConcern(
            group_id=group.id, kind=kind, severity=severity, statement="Rivera", raised_by="t"
        ),
    )
    database.close()
    said = found(settings)
    assert said["facilitators"].sentence.startswith("1 active groups")
    assert "0 of them" in said["facilitators"].sentence
    assert said["concerns"].level is Level.OK
    assert said["concerns-addressed"].sentence.startswith("1 concerns are for nobody")
    later = found(settings, lambda: system_clock() + timedelta(hours=25))
    assert later["concerns"].sentence.startswith("1 concerns were not acknowledged")
    stop = found(settings.model_copy(update={"facilitator_lapse": "stop"}))
    assert "1 of them" in stop["facilitators"].sentence
    off = found(settings.model_copy(update={"facilitator_lapse": "off"}))
    assert off["facilitators"].level is Level.OK
    assert not any(name in str(each) for each in (said, later) for name in ("Unnamed", "Rivera"))
