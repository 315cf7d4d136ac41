"""The commands to paste and the benchmark's files: their ids are those of the loaded demo."""

import json
import re
from datetime import UTC, datetime

from sqlmodel import select

from api.demo import bench_form
from api.demo.commands import commands
from service.instruments import instrument
from service.models.documents import FIRST_CONNECTION, Document
from service.models.enrollments import Attendance
from service.models.groups import Session

BASE = "http://127.0.0.1:8123"


def documents(database, kind, audience=FIRST_CONNECTION):
    statement = select(Document).where(Document.type == kind, Document.audience == audience)
    return database.read(lambda session: session.exec(statement).all())


def test_there_are_no_commands_without_the_demo(sqlite_database):
    assert commands(sqlite_database, BASE) == []


def test_there_are_five_commands_on_one_line_each(loaded):
    found = commands(loaded, BASE)
    assert len(found) == 5
    assert all("\n" not in one.shell for one in found)
    assert all(BASE in one.shell for one in found[1:])


def test_the_score_series_is_of_a_patient_with_four_totals_at_hospital_a(loaded):
    [subject] = re.findall(r"patient=([0-9a-f]{32})", commands(loaded, BASE)[3].shell)
    assert subject in {row.id for row in documents(loaded, "Patient")}
    totals = [
        row
        for row in documents(loaded, "Observation")
        if row.subject == subject and b'"44261-6"' in row.content
    ]
    assert len(totals) == 4


def test_the_last_command_records_a_past_session_that_has_no_marks(loaded):
    shell = commands(loaded, BASE)[4].shell
    [session_id] = re.findall(r"sessions/([0-9a-f-]{36})/attendance", shell)
    marks = select(Attendance.session_id)
    recorded = {str(one) for one in loaded.read(lambda session: session.exec(marks).all())}
    assert session_id not in recorded
    held = loaded.read(lambda session: session.exec(select(Session)).all())
    [row] = [one for one in held if str(one.id) == session_id]
    assert row.end < datetime.now(UTC)


def test_the_form_lists_nine_items_with_codes_in_order_of_score(tmp_path):
    bench_form.write(tmp_path / "phq9.json")
    form = json.loads((tmp_path / "phq9.json").read_text())
    assert form["questionnaire"] == instrument("phq-9").canonical
    assert len(form["items"]) == 9
    codes = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]
    assert all([code["code"] for code in item["codes"]] == codes for item in form["items"])
