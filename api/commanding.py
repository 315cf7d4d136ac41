"""The audit row of what an operator does at a shell, and whose its changes are (ADR 0037)."""

import getpass
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from api.audit_rows import pseudonyms_of
from api.context import Context
from service.acting import Act, acting
from service.audit import AuditEntry
from service.clock import Clock, microseconds
from service.errors import AlongsideError
from service.identifiers import new_id


@contextmanager
def audited(
    context: Context,
    client: str | None,
    path: str,
    *,
    query: str | None = None,
    about: Iterable[UUID] = (),
) -> Iterator[None]:
    """Write the row before anything is printed; a refusal has its row too.

    It calls people as rows of requests do, and as they were called before the act.
    """
    entry = entry_of(context.clock, path, client=client, query=query)
    known = context.pseudonyms.learn([each.hex for each in about])
    entry = entry._replace(patients=pseudonyms_of(known))
    try:
        with acting(lambda: act_of(entry)):
            yield
    except AlongsideError:
        context.audit.write_now(ended(entry)._replace(status=403))
        raise
    context.audit.write_now(ended(entry))


def entry_of(
    clock: Clock, path: str, *, client: str | None = None, query: str | None = None
) -> AuditEntry:
    """Return the audit row of what an operator does."""
    return AuditEntry(
        request_id=new_id().hex,
        at=microseconds(clock()),
        client=client,
        audience=None,
        address=_operator(),
        method="CLI",
        path=path,
        query=query,
        status=200,
    )


def ended(entry: AuditEntry) -> AuditEntry:
    """Return the row of a command that took its time: ids tell an export what is new."""
    return entry._replace(request_id=new_id().hex, caller_id=entry.request_id)


def act_of(entry: AuditEntry) -> Act:
    """Return what a command's changes are known by until its row is written."""
    return Act(
        request_id=entry.request_id,
        client=entry.client,
        audience=entry.audience,
        address=entry.address,
        method=entry.method,
        path=entry.path,
    )


def _operator() -> str:
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return "user unknown"
