"""`alongside import`: what is said, exit codes, reports, templates, and the audit rows."""

import csv
import io
import json
import os
import shutil
import sqlite3
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest

from api import bootstrap, cli, import_runs, operators, upkeep
from api.importing import KINDS, Template
from service.commands import CreateConnection
from service.errors import BusyError
from service.imports.responses import responses
from service.imports.running import Import
from service.instruments import load_instruments
from service.settings import Settings
from tests.service.imports.files import group_row, ndjson, patient, table
from tests.test_docs import ROOT

HOSPITAL = "Harbor General"
SYSTEM = "https://harbor.example/mrn"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in ("ALONGSIDE_DATABASE_URL", "ALONGSIDE_AUDIT_DATABASE_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'cli.db'}")
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o022)
    yield tmp_path
    os.umask(mask)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command and return its exit code, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["alongside", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """The files of an installation with a hospital."""
    folder = tmp_path_factory.mktemp("installation")
    settings = Settings(database_url=f"sqlite:///{folder / 'cli.db'}")
    bootstrap.install(settings)
    with upkeep.opened(settings) as context:
        operators.add_connection(context, CreateConnection(name=HOSPITAL, mrn_system=SYSTEM))
    return folder


@pytest.fixture
def installed(run, installation, folder):
    for name in ("cli.db", "cli-audit.db"):
        shutil.copy(installation / name, folder / name)
    return run


def asked(file, sql):
    with sqlite3.connect(file) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def audit_rows(folder):
    columns = "SELECT method, path, client, query, status FROM audit_entries ORDER BY request_id"
    rows = asked(folder / "cli-audit.db", columns)
    return [row for row in rows if row[1].startswith("import/")]


def groups(folder, *of_groups):
    table(folder / "groups.csv", KINDS["groups"], of_groups)
    return "groups.csv"


def test_an_import_says_what_became_of_the_rows_and_is_audited(installed, folder):
    file = groups(folder, group_row(1), group_row(2))
    assert installed("import", "groups", file)[:2] == (
        0,
        "2 added, 0 changed, 0 known already.\n",
    )
    assert installed("import", "groups", file)[:2] == (
        0,
        "0 added, 0 changed, 2 known already.\n",
    )
    begun, ended, *_ = audit_rows(folder)
    assert begun == ("CLI", "import/groups", None, "mode=whole&begun", 202)
    counts = "mode=whole&added=2&changed=0&known=0&rejected=0&alerts=0"
    assert ended == ("CLI", "import/groups", None, counts, 200)


def test_a_bad_row_is_named_and_nothing_is_kept(installed, folder):
    file = groups(folder, group_row(1), group_row(2, capacity="0"), {"key": "#"})
    code, said, _ = installed("import", "groups", file)
    assert code == 1
    assert said.splitlines() == [
        "row 3, capacity: must be at least 1",
        "1 rows were rejected; --report FILE.csv lists them all.",
        "1 left out: comment 1.",
        "Nothing was imported.",
    ]
    assert asked(folder / "cli.db", "SELECT count(*) FROM support_groups") == [(0,)]
    assert audit_rows(folder)[-1][3:] == (
        "mode=whole&added=1&changed=0&known=0&rejected=1&alerts=0",
        422,
    )


def test_a_dry_run_has_the_same_report(installed, folder):
    file = groups(folder, group_row(1), group_row(2, capacity="0"))
    code, said, _ = installed("import", "groups", file, "--dry-run", "--partial")
    assert code == 1
    assert "row 3, capacity: must be at least 1" in said
    assert "A dry run: nothing was kept. It would have been: 1 added" in said
    assert asked(folder / "cli.db", "SELECT count(*) FROM support_groups") == [(0,)]


def test_the_good_rows_may_be_taken_and_the_report_has_the_others(installed, folder):
    file = groups(folder, group_row(1), {}, group_row(3, part2="x"))
    code, said, _ = installed("import", "groups", file, "--partial", "--report", "report.csv")
    assert code == import_runs.LEFT_OUT
    assert "1 rows were rejected; report.csv has every reason." in said
    assert "1 added, 0 changed, 0 known already." in said
    with (folder / "report.csv").open(newline="", encoding="utf-8") as opened:
        assert list(csv.reader(opened))[1:] == [["4", "part2", "must be true or false"]]
    assert stat.S_IMODE((folder / "report.csv").stat().st_mode) == 0o600
    assert audit_rows(folder)[-1][-1] == 200


def test_the_report_does_not_replace_the_file(installed, folder):
    file = groups(folder, group_row(1))
    code, _, errors = installed("import", "groups", file, "--report", f"./{file}")
    assert code == 1
    assert "must not be the file" in errors
    assert (folder / file).stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("groups", "none.csv"), "none.csv is not a file"),
        (("patients", "none.ndjson", "--connection", HOSPITAL), "is not a file"),
        (("patients", "groups.csv", "--connection", "Nowhere"), "no connection named Nowhere"),
        (("patients", "groups.csv", "--connection", HOSPITAL), "neither NDJSON nor"),
        (("roster", "groups.csv"), "unknown columns: key, public_name"),
        (("responses", "groups.csv"), "missing columns: connection"),
        (("groups", "groups.csv", "--delimiter", "semicolon"), "unknown columns"),
        (("template", "responses", "--instrument", "iq"), "gad-7, gse, isi"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(installed, folder, arguments, said):
    groups(folder, group_row(1))
    code, _, errors = installed("import", *arguments)
    assert (code, said in errors) == (1, True), errors


def test_a_time_zone_is_one_that_is_known(installed, folder):
    table(folder / "roster.csv", KINDS["roster"], [])
    for name in ("Nowhere/Town", "../etc/passwd", "/"):
        code, _, errors = installed("import", "roster", "roster.csv", "--time-zone", name)
        assert (code, "--time-zone" in errors) == (1, True)


def test_a_database_of_another_revision_is_refused(installed, folder):
    with sqlite3.connect(folder / "cli.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001_programme'")
    connection.close()
    code, _, errors = installed("import", "groups", groups(folder, group_row(1)))
    assert (code, "another revision" in errors) == (1, True)


def test_what_was_done_before_the_database_was_busy_is_told(installed, folder, monkeypatch):
    def busy(_import, _mode):
        raise BusyError("the records are being changed by others; try again in a moment")

    monkeypatch.setattr(Import, "run", busy)
    code, said, errors = installed("import", "groups", groups(folder, group_row(1)), "--partial")
    assert (code, said) == (1, "0 added, 0 changed, 0 known already.\n")
    assert "try again in a moment" in errors
    assert audit_rows(folder)[-1][-1] == 503


@pytest.mark.usefixtures("installed")
def test_a_fault_of_ours_has_its_audit_row(folder, monkeypatch):
    monkeypatch.setattr(Import, "run", lambda *_: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["alongside", "import", "groups", groups(folder)])
    with pytest.raises(ZeroDivisionError):
        cli.main()
    assert audit_rows(folder)[-1][-1] == 500


def example(text):
    """The template with its comment as a row."""
    header, row = csv.reader(io.StringIO(text.replace("# ", "", 1)))
    return dict(zip(header, row, strict=True))


def test_every_template_can_be_imported_as_it_is_and_with_its_example(installed, folder):
    """One file of each kind, each named in the next as the example has it."""
    begins = datetime.now(UTC) - timedelta(days=1)
    (folder / "patients.ndjson").write_text(installed("import", "template", "patients")[1])
    said = installed("import", "patients", "patients.ndjson", "--connection", HOSPITAL)
    assert said[:2] == (0, "1 added, 0 changed, 0 known already.\n")
    for kind in (*KINDS, "gad-7", "phq-9", "who-5"):
        name = kind if kind in KINDS else "responses"
        more = () if kind in KINDS else ("--instrument", kind)
        code, text, _ = installed("import", "template", name, *more)
        assert code == 0
        (folder / "file.csv").write_text(text, encoding="utf-8")
        said = installed("import", name, "file.csv")
        assert said[:2] == (0, "1 left out: comment 1.\n0 added, 0 changed, 0 known already.\n")
        row = example(text)
        if kind == "who-5":
            row["group"] = ""  # the group of the example uses the two others
        assert all(
            value == "" or datetime.fromisoformat(value) < begins
            for column, value in row.items()
            if column in {"start", "authored"}
        )
        known = KINDS.get(kind) or responses(load_instruments()[kind])
        table(folder / "file.csv", known, [row])
        said = installed("import", name, "file.csv")
        assert said[:2] == (0, "1 added, 0 changed, 0 known already.\n"), said


def test_there_is_a_template_of_every_kind_and_a_guide_to_every_column(installed):
    guide = (ROOT / "docs" / "guide-operator.md").read_text(encoding="utf-8")
    for kind in Template:
        code, text, _ = installed("import", "template", kind.value)
        assert code == 0
        if kind is Template.PATIENTS:
            assert json.loads(text)["resourceType"] == "Patient"
            continue
        columns = next(csv.reader(io.StringIO(text)))
        assert [c for c in columns if not c.startswith("/") and f"`{c}`" not in guide] == []


def test_alerts_and_what_was_left_out_are_told(installed, folder):
    installed("import", "groups", groups(folder, group_row(1)))
    lines = [patient(1, SYSTEM), {"resourceType": "Observation"}]
    ndjson(folder / "p.ndjson", lines)
    _, said, _ = installed("import", "patients", "p.ndjson", "--connection", HOSPITAL)
    assert said.splitlines()[0] == "1 left out: Observation 1."
    kind = responses(load_instruments()["phq-9"])
    answers = {item.link_id: "3" for item in load_instruments()["phq-9"].items}
    row = {
        "connection": HOSPITAL,
        "mrn": "MRN-1",
        "authored": "2020-01-31T09:00",
        **answers,
    }
    table(folder / "q.csv", kind, [row], delimiter=";")
    for more, verb in ((("--dry-run",), "would raise"), ((), "raised")):
        zone = ("--time-zone", "Australia/Sydney")
        _, said, _ = installed("import", "responses", "q.csv", *zone, *more)
        assert f"1 responses {verb} a safety alert" in said
    assert asked(folder / "cli.db", "SELECT count(*) FROM alerts") == [(1,)]
    assert asked(folder / "cli.db", "SELECT authored FROM responses")[0][0].startswith(
        "2020-01-30 22:00"
    )
