"""What waits for a person: facilitators with a lapse, and concerns; numbers only, no names."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from api.doctor.findings import Finding, ok, warning
from service import concerns
from service.models.concerns import Concern, ConcernState
from service.standing import oversight_of, wanting


def findings(session: Session, now: datetime) -> Iterator[Finding]:
    yield _facilitators(session, now)
    yield _concerns(session, now)
    yield _unaddressed(session)


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


def _concerns(session: Session, now: datetime) -> Finding:
    late = concerns.count(session, concerns.overdue(oversight_of(session), now))
    if late:
        return warning(
            "concerns",
            f"{late} concerns were not acknowledged in time: the coordinator sees which in"
            " GET /v1/concerns?overdue=true.",
        )
    return ok("concerns", "No concern waits longer than it may.")


def _unaddressed(session: Session) -> Finding:
    found = select(Concern).where(
        Concern.state != ConcernState.CLOSED,
        col(Concern.supervisor_id).is_(None),
        col(Concern.contact).is_(None),
    )
    if unaddressed := concerns.count(session, found):
        return warning(
            "concerns-addressed",
            f"{unaddressed} concerns are for nobody, because their group named no supervisor and"
            " no escalation contact: the coordinator sees them in GET /v1/concerns.",
        )
    return ok("concerns-addressed", "Every concern that is not closed is for somebody.")
