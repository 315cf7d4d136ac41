"""Whether safety alerts reach people: overdue ones, dead letters, and who is on call."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from api.doctor.findings import Finding, error, ok, warning
from service import outbox
from service.clock import microseconds
from service.safety.coverage import without_on_call
from service.safety.overdue import waiting
from service.safety.telling import TELL, TIMER

MINUTE = 60_000_000


def findings(session: Session, now: datetime) -> Iterator[Finding]:
    yield _alerts(session, now)
    yield _delivery(session, now)
    yield _on_call(session, now)


def _alerts(session: Session, now: datetime) -> Finding:
    found = waiting(session, now)
    if found.unreached:
        return error(
            "alerts",
            f"{found.unreached} safety alerts have nobody left to be told: GET"
            " /v1/alerts?unreached=true, tell somebody, and add contacts.",
        )
    if found.overdue:
        return error(
            "alerts",
            f"{found.overdue} safety alerts were not taken up or resolved in time: GET"
            " /v1/alerts?due=true.",
        )
    return ok("alerts", f"{found.unresolved} safety alerts are open, none overdue.")


def _delivery(session: Session, now: datetime) -> Finding:
    depths = outbox.depths(session, now)
    late = [
        each
        for each in depths
        if each.kind in {TELL, TIMER}
        and each.oldest_due is not None
        and each.oldest_due < microseconds(now) - MINUTE
    ]
    if late:
        return error(
            "outbox",
            "Messages about safety alerts have been due for over a minute: no worker runs."
            " `alongside work`, or `alongside serve --with-worker`.",
        )
    if dead := sum(each.dead for each in depths):
        return warning(
            "outbox",
            f"{dead} messages were given up: `alongside outbox list` says why, `alongside outbox"
            " replay` tries them again.",
        )
    return ok("outbox", "No message is late, and none was given up.")


def _on_call(session: Session, now: datetime) -> Finding:
    if number := without_on_call(session, now):
        return warning(
            "on-call",
            f"{number} active groups can raise a safety alert when nobody is on call:"
            " `alongside contacts add`.",
        )
    return ok("on-call", "Somebody is on call at every hour for every group that can raise alerts.")
