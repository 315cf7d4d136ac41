"""`alongside subject`: planned, done, said; each act has its audit row with the person."""

import re
import sqlite3

import orjson

from service.models.patients import Patient
from tests import world
from tests.api.test_cli import folder, installed, run  # noqa: F401 - fixtures
from tests.conftest import open_database

RULES = '[[rule]]\nkinds = ["*"]\nyears = 0\nfrom = "last-contact"\nsource = "ours"\n'


def added(folder) -> Patient:  # noqa: F811
    database = open_database(f"sqlite:///{folder / 'cli.db'}")
    found = world.patient(database, family="Zanzibarquince")
    database.close()
    return found


def people_of_audit(folder):  # noqa: F811
    with sqlite3.connect(folder / "cli-audit.db") as connection:
        rows = connection.execute(
            "SELECT path, patients FROM audit_entries WHERE path LIKE 'subject/%'"
            " ORDER BY request_id"
        ).fetchall()
    connection.close()
    return [(path, orjson.loads(patients) if patients else []) for path, patients in rows]


def test_a_person_is_exported_restricted_planned_and_erased(
    installed,  # noqa: F811
    folder,  # noqa: F811
    monkeypatch,
):
    person = added(folder)
    one, out = str(person.id), folder / "person.html"
    assert installed("subject", "export", one, "--out", str(out), "--format", "html")[0] == 0
    assert "Zanzibarquince" in out.read_text()
    out.unlink()
    assert installed("subject", "restrict", one, "--reason", "disputed")[1] == "Restricted.\n"
    assert installed("subject", "lift", one)[1] == "Lifted.\n"
    code, _, err = installed("subject", "lift", one)
    assert (code, "nothing restricts" in err) == (1, True)
    kept = installed("subject", "plan", one)[1]
    assert "KEPT    person: 1 rows; no rule was stated" in kept
    assert kept.endswith("Nothing may be erased yet.\n")
    file = folder / "retention.toml"
    file.write_text(RULES)
    monkeypatch.setenv("ALONGSIDE_RETENTION_FILE", str(file))
    planned = installed("subject", "plan", one)[1]
    digest = re.search(r"--digest (\w+)", planned)[1]
    assert installed("subject", "erase", one, "--digest", "0")[0] == 1
    code, said, _ = installed("subject", "erase", one, "--digest", digest)
    assert (code, "2 rows were erased" in said, "overwritten" in said) == (0, True, True)
    assert "Zanzibarquince" not in str((folder / "cli.db").read_bytes())
    assert installed("subject", "resume") == (0, "", "")
    assert installed("subject", "scrub")[0] == 0
    assert_nameless(people_of_audit(folder), person, folder)
    assert installed("audit", "verify", "--quiet")[0] == 0


def assert_nameless(acts, person, folder):  # noqa: F811
    """Each act has its row, with one pseudonym, and no file has the person's id."""
    assert [path.removeprefix("subject/") for path, _ in acts] == [
        "export", "restrict", "lift", "lift", "plan", "plan", "erase", "erase", "scrub", "scrub",
    ]  # fmt: skip
    (named,) = {tuple(who) for path, who in acts if path != "subject/scrub"}
    assert (len(named), named[0][0], len(named[0])) == (1, "p", 32)
    for file in folder.glob("cli*.db*"):
        content = file.read_bytes()
        for spelt in (person.id.hex, str(person.id)):
            assert spelt.encode() not in content, file
