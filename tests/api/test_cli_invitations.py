"""Invitations at a shell: printed once, listed without their tokens, withdrawn; clients enabled."""

import re
import sqlite3

from tests.api.test_cli import audit_rows, folder, installed, run  # noqa: F401 - fixtures


def test_an_invitation_is_printed_once_listed_and_withdrawn(installed, folder):  # noqa: F811
    added = installed("connections", "add", "Harbor", "--mrn-system", "https://harbor.example/mrn")
    assert added[0] == 0
    arguments = ("--connection", "Harbor", "--scope", "system/*.rs", "--ceiling", "N", "--roster")
    code, out, _ = installed("clients", "invite", *arguments, "--expires", "24")
    token = out.strip()
    assert (code, len(token)) == (0, 43)
    listed = installed("clients", "invitations")[1]
    assert "Harbor" in listed
    assert token not in listed
    with sqlite3.connect(folder / "cli.db") as connection:
        ((found,),) = connection.execute("SELECT id FROM invitations").fetchall()
    connection.close()
    assert installed("clients", "withdraw", found)[:2] == (0, "It is withdrawn.\n")
    assert "system" not in installed("clients", "invitations")[1]
    code, _, err = installed("clients", "withdraw", found)
    assert code == 1
    assert "no invitation" in err
    rows = audit_rows(folder)
    assert [row[1] for row in rows[1:]] == [
        "clients/invite", "clients/withdraw", "clients/withdraw",
    ]  # fmt: skip
    assert token not in str(rows)


def test_an_invitation_that_cannot_be_is_refused_by_a_sentence(installed):  # noqa: F811
    for arguments, said in (
        (("--scope", "openid"), "not a scope such as"),
        (("--scope", "system/*.rs", "--connection", "Nowhere"), "no connection named"),
        (("--scope", "system/*.rs", "--expires", "9999"), "at most 90 days"),
    ):
        code, _, err = installed("clients", "invite", *arguments)
        assert code == 1
        assert said in err


def test_the_programme_may_be_invited_and_a_client_enabled(installed, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "200")
    assert installed("clients", "invite", "--scope", "v1.read")[0] == 0
    assert "(programme)" in installed("clients", "invitations")[1]
    assert installed("clients", "add", "ours", "--scope", "v1.read")[0] == 0
    assert installed("clients", "disable", "ours")[0] == 0
    assert re.search(r"ours .*\d{4}-\d\d", installed("clients", "list")[1])
    assert installed("clients", "enable", "ours")[:2] == (0, "ours is enabled.\n")
