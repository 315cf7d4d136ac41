"""The command line: plain sentences, exit codes, and an audit row for what an operator does."""

import json
import os
import re
import sqlite3
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from api import cli
from api.main import described
from api.openapi import as_yaml
from service.migrations import newest
from service.models.enrollments import Enrollment, EnrollmentStatus
from tests import world
from tests.assertions import ec, jwk_set, rsa
from tests.conftest import open_database

WAITLISTED = EnrollmentStatus.WAITLISTED


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

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["alongside", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def installed(run):
    assert run("migrate")[0] == 0
    return run


def audit_rows(folder):
    with sqlite3.connect(folder / "cli-audit.db") as connection:
        rows = connection.execute("SELECT method, path, client, query, status FROM audit_entries")
        found = rows.fetchall()
    connection.close()
    return found


def test_migrate_says_the_revision_and_may_be_repeated(run):
    for _ in range(2):
        code, out, _ = run("migrate")
        assert (code, out) == (0, f"The database is at revision {newest()}.\n")


@pytest.mark.usefixtures("installed")
def test_the_database_is_for_its_owner_alone(folder):
    assert stat.S_IMODE((folder / "cli.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "cli-audit.db").stat().st_mode) == 0o600


def test_migrate_check_compares_models_and_revisions(run):
    assert run("migrate", "--check")[:2] == (0, "Models and revisions agree.\n")


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("demo",),
        ("clients", "list"),
        ("token", "--client", "x", "--scope", "v1.read"),
    ],
)
def test_without_tables_a_command_says_what_to_do(run, command):
    code, out, err = run(*command)
    assert (code, out) == (1, "")
    assert err.endswith("run `alongside migrate`\n")
    assert "Traceback" not in err


def test_a_token_is_all_that_is_printed_and_is_audited(installed, folder):
    installed("clients", "add", "programme", "--scope", "v1.read system/*.rs")
    code, out, err = installed("token", "--client", "programme", "--scope", "system/*.rs")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"[\w-]{43}\n", out)
    assert audit_rows(folder) == [
        ("CLI", "clients/add", "programme", None, 200),
        ("CLI", "token", "programme", "scope=system/*.rs", 200),
    ]


@pytest.mark.parametrize(
    ("client", "scope", "sentence"),
    [
        ("nobody", "v1.read", "there is no client named nobody"),
        ("programme", "v1.write", "programme may have: v1.read"),
        ("programme", "nonsense", "nonsense cannot be granted: not a scope such as"),
        ("programme", "", "name a scope"),
    ],
)
def test_a_refused_token_is_a_sentence_and_is_audited(installed, folder, client, scope, sentence):
    installed("clients", "add", "programme", "--scope", "v1.read")
    code, out, err = installed("token", "--client", client, "--scope", scope)
    assert (code, out) == (1, "")
    assert sentence in err
    assert audit_rows(folder)[-1] == ("CLI", "token", client, f"scope={scope}", 403)


def test_a_disabled_client_gets_no_token_and_is_listed_as_such(installed):
    _, secret, _ = installed("clients", "add", "programme", "--scope", "v1.read")
    assert installed("clients", "disable", "programme")[0] == 0
    code, _, err = installed("token", "--client", "programme", "--scope", "v1.read")
    assert (code, err) == (1, "alongside: programme is disabled\n")
    code, listed, _ = installed("clients", "list")
    assert code == 0
    assert "programme" in listed
    assert secret.strip() not in listed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("A b", "--scope", "v1.read"), "a client's name has"),
        (("ab", "--scope", "patient/*.read"), "only system/ is granted here"),
        (("ab", "--scope", "v1.read", "--connection", "X"), "no connection named X"),
    ],
)
def test_a_client_that_cannot_be_is_refused_with_the_rule(installed, arguments, sentence):
    code, _, err = installed("clients", "add", *arguments)
    assert code == 1
    assert sentence in err


def test_a_wrong_setting_is_named(run, monkeypatch):
    monkeypatch.setenv("ALONGSIDE_LOG_LEVEL", "loud")
    code, _, err = run("migrate")
    assert code == 1
    assert "log_level" in err
    assert "docs/configuration.md" in err
    assert "loud" not in err


def test_a_database_that_cannot_be_reached_is_a_sentence(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:1/x")
    code, _, err = run("migrate")
    assert code == 1
    assert "check DATABASE_URL" in err
    assert "hidden" not in err


def test_a_wrong_option_is_exit_code_2(run):
    assert run("serve", "--port", "99999")[0] == 2
    assert run("nonsense")[0] == 2


def test_openapi_is_written_and_compared(run, folder):
    code, _, err = run("openapi", "--check")
    assert code == 1
    assert "make openapi" in err
    assert run("openapi")[0] == 0
    assert (folder / "openapi.yaml").read_text() == as_yaml(described())
    assert run("openapi", "--check")[0] == 0


def test_the_port_is_part_of_the_public_address_where_none_is_set(monkeypatch):
    monkeypatch.delenv("ALONGSIDE_PUBLIC_BASE_URL", raising=False)
    assert cli.settings_at("::", 9000).public_base_url == "http://127.0.0.1:9000"
    monkeypatch.setenv("ALONGSIDE_PUBLIC_BASE_URL", "https://groups.example.org")
    assert cli.settings_at("::", 9000).public_base_url == "https://groups.example.org"


def test_a_hospital_is_added_once_with_its_organisation_and_listed(installed, folder):
    add = ("connections", "add", "Harbor General", "--mrn-system", "https://harbor.example/mrn")
    code, out, _ = installed(*add)
    assert code == 0
    assert re.fullmatch(r"[0-9a-f-]{36}\n", out)
    code, _, err = installed(*add)
    assert (code, err) == (1, "alongside: a connection of this name exists\n")
    assert "Harbor" in installed("connections", "list")[1]
    assert installed("clients", "add", "harbor", "--connection", "Harbor General", "--scope",
                     "system/*.rs")[0] == 0  # fmt: skip
    with sqlite3.connect(folder / "cli.db") as connection:
        names = connection.execute("SELECT name FROM facilities").fetchall()
    connection.close()
    assert names == [("Harbor General",)]
    assert ("CLI", "connections/add", "Harbor General", None, 200) in audit_rows(folder)


@pytest.fixture
def key_file(folder):
    file = folder / "keys.json"
    file.write_bytes(jwk_set(rsa(), ec()))
    return str(file)


def test_a_client_with_keys_has_no_secret_to_print(installed, folder, key_file):
    code, out, err = installed(
        "clients", "add", "harbor", "--scope", "system/*.rs", "--jwks", key_file
    )
    assert (code, out, err) == (0, "harbor is added: it signs with its keys.\n", "")
    url = "https://harbor.example/jwks"
    options = ("--scope", "system/*.rs", "--jwks-url", url, "--alg", "ES384")
    assert installed("clients", "add", "elsewhere", *options)[0] == 0
    installed("clients", "add", "plain", "--scope", "v1.read")
    listed = installed("clients", "list")[1]
    assert re.search(r"harbor .*ES384", listed)
    assert re.search(r"plain .*secret", listed)
    assert audit_rows(folder)[0] == ("CLI", "clients/add", "harbor", None, 200)


def test_a_client_is_rotated_and_the_act_is_audited(installed, folder, key_file):
    _, before, _ = installed("clients", "add", "harbor", "--scope", "system/*.rs")
    code, after, _ = installed("clients", "rotate", "harbor")
    assert code == 0
    assert re.fullmatch(r"[\w-]{43}\n", after)
    assert after != before
    code, out, _ = installed("clients", "rotate", "harbor", "--jwks", key_file)
    assert (code, out) == (0, "harbor signs with its new keys from now on.\n")
    assert audit_rows(folder)[-1] == ("CLI", "clients/rotate", "harbor", None, 200)
    code, _, err = installed("clients", "rotate", "harbor")
    assert code == 1
    assert err.startswith("alongside: harbor has keys and so no secret")
    assert audit_rows(folder)[-1] == ("CLI", "clients/rotate", "harbor", None, 403)
    code, _, err = installed("clients", "rotate", "nobody")
    assert (code, err) == (1, "alongside: there is no client named nobody\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--jwks", "nowhere.json"), "nowhere.json cannot be read: No such file"),
        (("--jwks", "."), "cannot be read: Is a directory"),
        (("--jwks", "private.json"), "private or symmetric key"),
        (("--jwks", "long.json"), "is longer than 65536 bytes"),
        (("--jwks", "rsa.json", "--alg", "ES384"), "none of the types that ES384 use"),
        (("--jwks", "rsa.json", "--jwks-url", "https://a.example/"), "not both or none"),
        (("--jwks-url", "http://a.example/"), "the JWKS URL must be https"),
        (("--alg", "ES384"), "--alg takes --jwks or --jwks-url"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_the_rule(installed, folder, options, sentence):
    (folder / "rsa.json").write_bytes(jwk_set(rsa()))
    private = {"keys": [rsa().as_dict(private=True)]}
    (folder / "private.json").write_text(json.dumps(private))
    (folder / "long.json").write_bytes(b" " * 70_000)
    code, out, err = installed("clients", "add", "harbor", "--scope", "system/*.rs", *options)
    assert (code, out) == (1, "")
    assert sentence in err
    assert "harbor" not in installed("clients", "list")[1]


def test_a_granular_scope_that_cannot_be_executed_is_refused_with_the_reason(installed):
    wrong, rule = "system/Patient.rs?color=x", "color: not a search parameter of Patient here"
    code, _, err = installed("clients", "add", "harbor", "--scope", wrong)
    assert (code, rule in err) == (1, True)
    assert "harbor" not in installed("clients", "list")[1]
    installed("clients", "add", "harbor", "--scope", "system/*.rs")
    code, _, err = installed("token", "--client", "harbor", "--scope", wrong)
    assert (code, rule in err) == (1, True)


def test_a_granular_scope_is_registered_and_granted(installed):
    some = "system/Patient.rs?name=x"
    assert installed("clients", "add", "harbor", "--scope", some)[0] == 0
    assert installed("token", "--client", "harbor", "--scope", "system/Patient.r?name=x")[0] == 0
    code, _, err = installed("token", "--client", "harbor", "--scope", "system/Patient.r")
    assert (code, "harbor may have" in err) == (1, True)


def test_a_copy_is_written_taken_back_and_both_are_audited(installed, folder, monkeypatch):
    code, out, _ = installed("backup", str(folder))
    assert code == 0
    main, audit = out.split()
    assert re.search(r"/alongside-\d{8}T\d{6}Z\.db$", main)
    assert audit == main.replace(".db", "-audit.db")
    assert stat.S_IMODE(Path(main).stat().st_mode) == 0o600
    assert audit_rows(folder)[-1] == ("CLI", "backup", None, None, 200)
    code, _, err = installed("restore", main)
    assert code == 1
    assert "--replace" in err
    assert installed("restore", main, "--replace")[:2] == (0, "Restored.\n")
    assert audit_rows(folder) == [("CLI", "restore", None, None, 200)]
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder / 'other.db'}")
    assert installed("restore", main)[0] == 0


def test_a_rebuild_says_what_it_did(installed, folder):
    code, out, _ = installed("rebuild")
    assert (code, out) == (0, "0 sources rendered again; 0 new versions.\n")
    assert installed("rebuild", "--all")[0] == 0
    assert audit_rows(folder)[-1] == ("CLI", "rebuild", None, "all", 200)


def test_the_doctor_says_sentences_or_json_and_its_exit_code(installed, monkeypatch):
    code, out, _ = installed("doctor")
    assert code == 0
    assert re.search(r"^ok +The database is at revision", out, re.MULTILINE)
    found = json.loads(installed("doctor", "--json")[1])
    assert {"check": "maintenance", "level": "ok", "sentence": "Maintenance is off."} in found
    monkeypatch.setenv("ALONGSIDE_PUBLIC_BASE_URL", "http://groups.example.org")
    code, out, _ = installed("doctor")
    assert code == 1
    assert "error" in out


def test_maintenance_is_on_and_off_and_both_are_audited(installed, folder):
    assert installed("maintenance", "on")[0] == 0
    assert "on since" in installed("maintenance", "status")[1]
    assert installed("maintenance", "off")[:2] == (0, "Maintenance is off.\n")
    assert installed("maintenance", "status")[1] == "Maintenance is off.\n"
    assert [row[1] for row in audit_rows(folder)] == ["maintenance/on", "maintenance/off"]


def test_settle_lets_offers_expire_and_says_how_much_there_was(installed, folder):
    url = f"sqlite:///{folder / 'cli.db'}"
    before = open_database(url, lambda: world.now() - timedelta(days=4))
    group = world.group(before, capacity=1)
    offered, *others = [
        world.enroll(before, world.patient(before), group, status=WAITLISTED) for _ in range(3)
    ]
    before.close()
    said = (
        "Offers, holds and consents that had come to their time: {}.\nGroups with a waitlist: 1.\n"
    )
    assert installed("settle") == (0, said.format(1), "")
    assert installed("settle") == (0, said.format(0), "")
    after = open_database(url)
    rows = after.read(lambda s: [s.get(Enrollment, each.id) for each in (offered, *others)])
    after.close()
    assert [row.status for row in rows] == [WAITLISTED, EnrollmentStatus.OFFERED, WAITLISTED]
    assert ("settle", 200) in {(path, status) for _, path, _, _, status in audit_rows(folder)}
