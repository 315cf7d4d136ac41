"""What waits for a person: facilitators with a lapse; numbers only, no names."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from api.doctor.findings import Finding, ok, warning
from service.standing import oversight_of, wanting


def findings(session: Session, now: datetime) -> Iterator[Finding]:
    yield _facilitators(session, now)


def _facilitators(session: Session, now: datetime) -> Finding:
    if oversight_of(session).on_lapse == "off":
        return ok("facilitators", "Credentials and supervision are not looked at, by setting.")
    groups, stopped = wanting(session, now)
    if not groups:
        return ok("facilitators", "Credentials and supervision of who leads groups are in order.")
    return warning(
        "facilitators",
        f"{groups} active groups are led by somebody whose credential has expired or whose"
        f" supervision is overdue, and {stopped} of them take no new members: the coordinator sees"
        " which in GET /v1/facilitators/load.",
    )
