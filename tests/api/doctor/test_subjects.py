"""The doctor tells of erasures that were stopped, of wrong rules, and of open requests."""

from datetime import timedelta

import pytest

from api.doctor import subjects
from service.commands import AskCorrection
from service.handlers import execute
from service.models.subjects import Basis, Erasure
from service.settings import Settings
from tests import world


@pytest.fixture
def found(sqlite_database):
    """What is found, by check: its level, and its sentence."""

    def look(**more):
        now = sqlite_database.clock()
        said = sqlite_database.read(
            lambda session: list(subjects.findings(session, Settings(**more), now))
        )
        return {each.check: (each.level.value, each.sentence) for each in said}

    return look


def test_rules_of_retention_hold_are_missing_or_cannot_be_read(found, tmp_path):
    assert found()["retention-rules"][0] == "warning"
    assert found(retention_jurisdiction="GB-ENG")["retention-rules"][0] == "ok"
    level, said = found(retention_file=str(tmp_path / "none.toml"))["retention-rules"]
    assert (level, "no such file" in said) == ("error", True)
    assert set(found()) == {"retention-rules"}


def test_what_was_stopped_what_is_due_and_what_is_asked_is_told(sqlite_database, found):
    now = sqlite_database.clock()
    person = world.patient(sqlite_database)
    execute(sqlite_database, AskCorrection(patient_id=person.id, about="x", asked_by="the person"))

    def work(session) -> None:
        for until in (now - timedelta(days=1), now + timedelta(days=9)):
            kept = [{"kind": "alerts", "rows": 1, "until": until.date().isoformat(), "why": "y"}]
            row = Erasure(
                patient_id=person.id, basis=Basis.REQUEST, began_at=now, erased_by="t",
                done_at=now, kept=kept,
            )  # fmt: skip
            session.add(row)
        session.add(Erasure(basis=Basis.REQUEST, began_at=now, erased_by="t"))

    sqlite_database.unit_of_work(work)
    said = found()
    assert said["erasures"][0] == "error"
    assert said["erasures"][1].startswith("1 erasures were stopped: `alongside subject resume`")
    assert said["retention"][1].startswith("What the law kept of 1 people")
    assert said["corrections"] == ("warning", "1 requests for correction are not decided.")
