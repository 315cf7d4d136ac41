"""Responses from a file: checked and scored as every other, with alerts as for every other."""

import pytest

from service.imports.responses import responses
from service.imports.roster import ROSTER
from service.instruments import load_instruments
from service.models.screening import Alert, Response, ResponseChange, ResponseStatus
from tests.fresh import wrong_documents
from tests.service.imports.files import imported, place, rows, stored, table
from tests.world import PHQ9

KIND = responses(load_instruments()["phq-9"])
AUTHORED = "2025-01-20T17:45:00Z"


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def here(database, tmp_path):
    found = place(database, 3, tmp_path)
    members = [found.row(number, start="2024-01-01T00:00Z") for number in (0, 1)]
    imported(database, table(tmp_path / "roster.csv", ROSTER, members))
    return found


@pytest.fixture
def put(here, tmp_path):
    def call(*of_people):
        return imported(here.database, table(tmp_path / "responses.csv", KIND, of_people))

    return call


def filled(here, number, score=1, item9=0, **more):
    answers = dict.fromkeys(PHQ9[:-1], str(score)) | {PHQ9[-1]: str(item9)}
    return here.row(number, **{"authored": AUTHORED, **answers, **more})


def test_a_response_is_scored_on_arrival_and_known_again(here, put):
    file = (filled(here, 0), filled(here, 1, group=""), filled(here, 0, authored="2025-02-01T00Z"))
    assert put(*file).counts == (3, 0, 0, 0)
    assert [row.total for row in rows(here.database, Response)] == [8, 8, 8]
    assert not wrong_documents(here.database)
    before = stored(here.database)
    assert put(*file).counts == (0, 0, 3, 0)
    assert stored(here.database) == before


def test_an_old_answer_about_safety_raises_its_alert_and_is_counted_once(here, put):
    found = put(filled(here, 0, item9=2), filled(here, 1))
    assert found.report.total.alerts == 1
    (alert,) = rows(here.database, Alert)
    assert alert.escalation_contact == "on-call 555-0100"
    assert put(filled(here, 0, item9=2)).report.total.alerts == 0


def test_other_answers_correct_it_and_may_raise_an_alert_then(here, put):
    put(filled(here, 0))
    corrected = filled(here, 0, score=2, item9=1)
    found = put(corrected)
    assert (found.counts, found.report.total.alerts) == ((0, 1, 0, 0), 1)
    (row,) = rows(here.database, Response)
    assert (row.total, row.status) == (17, ResponseStatus.AMENDED)
    assert [each.replaced_by for each in rows(here.database, ResponseChange)] == ["tester"]
    assert put(corrected).counts == (0, 0, 1, 0)
    assert put(filled(here, 0, score=3, item9=1)).report.total.alerts == 0


def test_an_item_that_is_not_answered_leaves_no_total(here, put):
    put(filled(here, 0, **{PHQ9[0]: ""}))
    (row,) = rows(here.database, Response)
    assert (row.total, row.missing) == (None, [PHQ9[0]])


NOBODY = {"connection": "", "mrn": "", "patient_id": "00000000-0000-0000-0000-000000000001"}
WRONG = [
    (0, {PHQ9[3]: "4"}, PHQ9[3]),
    (0, {PHQ9[3]: "often"}, PHQ9[3]),
    (0, {"authored": "2999-01-01T00:00Z"}, "authored"),
    (0, {"authored": ""}, "authored"),
    (2, {}, "group"),
    (0, {"mrn": "x"}, "mrn"),
    (0, {**NOBODY, "group": ""}, "patient_id"),
]


def test_what_a_row_cannot_say_is_named_by_its_column(here, put):
    found = put(*(filled(here, number, **row) for number, row, _ in WRONG))
    named = [(row, column) for row, (_, _, column) in enumerate(WRONG, start=2)]
    assert [(each.row, each.column) for each in found.rejections] == named


def test_a_response_does_not_change_its_group(here, put):
    put(filled(here, 0))
    assert [each.column for each in put(filled(here, 0, group="")).rejections] == ["group"]
