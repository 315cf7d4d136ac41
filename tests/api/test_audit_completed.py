"""A change whose audit row was never written gets one, and no other does."""

from datetime import timedelta

import pytest
from sqlmodel import select

from api.pruning import complete
from service.audit.entries import RECOVERED, UNSENT
from service.audit.verification import verify
from service.clock import system_clock
from service.errors import BusyError
from service.models.audit import AuditChange
from tests.api.served import Served
from tests.audited import opened_rows

NAMES = {"family": "Rivera", "given": "Ana", "birth_date": "1980-01-01"}


@pytest.fixture
def caller(served: Served):
    token = served.token(
        "partner", served.secret("partner", "v1.read v1.write"), "v1.read v1.write"
    )
    return {"Authorization": f"Bearer {token}"}


def later(served: Served) -> int:
    """Complete as in a quarter of an hour."""
    context = served.context
    object.__setattr__(context, "clock", lambda: system_clock() + timedelta(minutes=15))
    return complete(context)


def changes(served: Served) -> list[AuditChange]:
    return served.context.database.read(lambda session: list(session.exec(select(AuditChange))))


def refuse(served: Served, monkeypatch) -> None:
    async def refused(_entry):
        raise BusyError("the disk is full")

    monkeypatch.setattr(served.context.audit, "write", refused)


def test_a_change_is_noted_in_its_own_transaction_and_let_go_of_later(served, caller):
    answer = served.client.post("/v1/patients", json=NAMES, headers=caller)
    assert answer.status_code == 201, answer.text
    (noted,) = [each for each in changes(served) if each.path == "/v1/patients"]
    assert noted.request_id == answer.headers["x-request-id"]
    assert (noted.client, noted.audience, noted.method) == ("partner", 1, "POST")
    assert answer.json()["id"].replace("-", "") in (noted.patients or "")
    assert later(served) == 0
    assert changes(served) == []
    assert not [row for row in opened_rows(served.context) if row.kind]


def test_a_change_without_its_row_gets_one_that_says_so(served, caller, monkeypatch):
    with monkeypatch.context() as patched:
        refuse(served, patched)
        answer = served.client.post("/v1/patients", json=NAMES, headers=caller)
        assert answer.status_code == 503
    assert later(served) == 1
    (row,) = [row for row in opened_rows(served.context) if row.kind == RECOVERED]
    assert row.caller_id == answer.headers["x-request-id"]
    assert (row.status, row.method, row.path, row.client) == (
        UNSENT, "POST", "/v1/patients", "partner",
    )  # fmt: skip
    assert len(row.patients) > 4
    assert later(served) == 0
    assert verify(served.context.settings.audit_url).problems == []


def test_a_request_that_changes_nothing_notes_nothing(served, caller):
    served.client.get("/v1/patients", headers=caller)
    assert [each.path for each in changes(served)] == ["/oauth/token"]


def test_a_request_that_goes_on_is_left_alone(served, caller, monkeypatch):
    with monkeypatch.context() as patched:
        refuse(served, patched)
        served.client.post("/v1/patients", json=NAMES, headers=caller)
    assert complete(served.context) == 0
