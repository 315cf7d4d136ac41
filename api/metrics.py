"""What a process counts, for Prometheus: no id, no name and no query is ever a label.

https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select
from starlette.types import Scope

from api.backlog import BacklogCollector
from service import concerns
from service.database import Database
from service.fhir.store_reader import StoreReader
from service.models.concerns import Concern, ConcernState
from service.standing import oversight_of

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
V1 = "/v1"
NOWHERE = "(none)"  # an address that no route has, or that was answered before one was sought


class Metrics:
    """The counters of one process."""

    def __init__(self, database: Database, reader: StoreReader) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "alongside_requests",
            "Requests answered, by the route's template",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "alongside_request_seconds",
            "Seconds until the first byte of the answer",
            ["route", "method"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._unwritten = Counter(
            "alongside_audit_write_failures",
            "Requests not answered because their audit row could not be written",
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.registry.register(DatabaseCollector(database, reader))
        self.registry.register(ConcernCollector(database))
        self.registry.register(BacklogCollector(database))
        ProcessCollector(registry=self.registry)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that is being answered."""
        key = (route_of(scope), method_of(scope), status)
        known = self._known.get(key)
        if known is None:  # to look a label up costs more than to count
            route, method, _ = key
            counted = self._requests.labels(route, method, str(status))
            known = self._known[key] = counted, self._seconds.labels(route, method)
        known[0].inc()
        known[1].observe(seconds)

    def audit_failed(self) -> None:
        self._unwritten.inc()

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


class DatabaseCollector(Collector):
    """What the database's side knows by itself, asked at each scrape."""

    def __init__(self, database: Database, reader: StoreReader) -> None:
        self.database = database
        self.reader = reader

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "alongside_unit_of_work_retries",
            "Changes begun again after a deadlock, a lock time-out or a lock that was refused",
            value=self.database.retries,
        )
        connections = GaugeMetricFamily(
            "alongside_database_connections",
            "Connections to the database",
            labels=["pool", "state"],
        )
        for pool, counted in self._pools():
            for state, count in counted:
                connections.add_metric([pool, state], count)
        yield connections

    def _pools(self) -> Iterable[tuple[str, Iterable[tuple[str, int]]]]:
        return (
            ("write", self.database.connections().items()),
            ("read", self.reader.connections().items()),
        )


class ConcernCollector(Collector):
    """Concerns that wait for a person, counted at each scrape: how many, never about what."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        try:
            waiting, late = self.database.read(self._counted)
        except SQLAlchemyError:
            return  # the rest can be told all the same; readiness tells of the database
        for name, said, value in (
            ("open", "Concerns that nobody has acknowledged", waiting),
            ("overdue", "Of these, concerns that should have been acknowledged by now", late),
        ):
            yield GaugeMetricFamily(f"alongside_concerns_{name}", said, value=value)

    def _counted(self, session: Session) -> tuple[int, int]:
        late = concerns.overdue(oversight_of(session), self.database.clock())
        waiting = select(Concern).where(Concern.state == ConcernState.OPEN)
        return concerns.count(session, waiting), concerns.count(session, late)


def route_of(scope: Scope) -> str:
    """Return the template of the route, never the address itself.

    FastAPI leaves the prefix out under which a router was included.
    """
    found = getattr(scope.get("route"), "path", None)
    if not isinstance(found, str):
        return NOWHERE
    included = scope["path"].startswith(V1 + "/") and not found.startswith(V1)
    return V1 + found if included else found


def method_of(scope: Scope) -> str:
    """Return the method; callers may make up any number of others."""
    method: str = scope["method"]
    return method if method in METHODS else "other"
