"""The log says what happened under stable names, and never who or what was asked for."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api import logs
from service.errors import BusyError
from service.settings import Settings
from tests.postgres import free_port
from tests.process import _until_ready


@pytest.fixture
def written(capsys):
    """Configure the log and return a function that reads its lines."""
    root, added = logging.getLogger(), []
    level = root.level

    def begin(form, **more):
        root.handlers.clear()  # a process begins with none; pytest takes its own away by itself
        logs.configure(Settings(log_format=form, **more))
        added.extend(root.handlers)
        return lines

    def lines():
        return capsys.readouterr().err.splitlines()

    yield begin
    for handler in added:
        root.removeHandler(handler)
    root.setLevel(level)


def refuse(name):
    raise ValueError(f"a row of {name}")


def fail():
    try:
        refuse("Jane Doe")
    except ValueError as error:
        raise BusyError("also Jane Doe") from error


def test_a_line_is_an_object_with_a_stable_event(written):
    lines = written("json")
    logging.getLogger("alongside").error("x %s", 1, extra={"event": "request.failed", "secret": 2})
    (line,) = map(json.loads, lines())
    time = line.pop("time")
    assert time.endswith("Z")
    assert line == {
        "level": "error", "logger": "alongside", "event": "request.failed", "message": "x 1",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["json", "text"])
def test_of_an_exception_type_and_place_are_told_and_not_the_message(written, form):
    lines = written(form)
    try:
        fail()
    except BusyError:
        logging.getLogger("alongside").exception("it failed")
    said = "\n".join(lines())
    for part in ("BusyError", "ValueError", "test_logs.py", "fail"):
        assert part in said
    assert "Jane" not in said


def test_requests_are_told_at_debug_by_template(served_on_sqlite, written):
    lines = written("json", log_level="debug")
    served_on_sqlite.client.get("/v1/patients/Jane?name=Doe", headers={"X-Request-Id": "Doe-1"})
    found = [json.loads(line) for line in lines()]
    (told,) = [line for line in found if line["event"] == "request.answered"]
    assert told["route"] == "/v1/patients/{patient_id}"
    assert (told["method"], told["status"]) == ("GET", 401)
    assert told["request_id"] == served_on_sqlite.rows()[-1].request_id
    ours = [line for line in found if line["logger"].startswith("alongside")]
    assert "Jane" not in str(ours)
    assert "Doe" not in str(ours)


def test_a_served_process_writes_json_from_start_to_end(sqlite_url, tmp_path):
    port = free_port()
    environment = {**os.environ, "ALONGSIDE_DATABASE_URL": sqlite_url, "PORT": str(port)}
    environment |= {"ALONGSIDE_LOG_FORMAT": "json", "ALONGSIDE_LOG_LEVEL": "debug"}
    environment["ALONGSIDE_AUDIT_DATABASE_URL"] = f"sqlite:///{tmp_path / 'audit.db'}"
    command = [str(Path(sys.executable).with_name("alongside")), "serve"]
    with (
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        _until_ready(running, http)
        http.get("/fhir/Patient/Jane?family=Doe")
        running.terminate()
        said = running.stderr.read()
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert events.count("service.started") == 1
    assert "request.answered" in events
    assert "service.stopped" in events
    assert "Jane" not in said
    assert "Doe" not in said
