"""What waits for delivery, or for a person, as metrics: how many, never about whom.

https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from service import outbox
from service.clock import microseconds
from service.database import Database
from service.safety.overdue import Waiting, waiting

SECOND = 1_000_000


class BacklogCollector(Collector):
    """Messages of the outbox and safety alerts, counted at each scrape."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[Metric]:
        try:
            depths, alerts = self.database.read(self._counted)
        except SQLAlchemyError:
            return  # the rest can be told all the same; readiness tells of the database
        yield from self._outbox(depths)
        for name, said, value in (
            ("open", "Safety alerts that are not resolved", alerts.unresolved),
            ("overdue", "Of these, alerts not taken up or resolved in time", alerts.overdue),
            ("unreached", "Of these, alerts with nobody left to be told", alerts.unreached),
        ):
            yield GaugeMetricFamily(f"alongside_alerts_{name}", said, value=value)

    def _counted(self, session: Session) -> tuple[list[outbox.Depth], Waiting]:
        now = self.database.clock()
        return outbox.depths(session, now), waiting(session, now)

    def _outbox(self, depths: list[outbox.Depth]) -> Iterator[Metric]:
        now = microseconds(self.database.clock())
        messages = GaugeMetricFamily(
            "alongside_outbox_messages", "Messages to be delivered", labels=["kind", "state"]
        )
        age = GaugeMetricFamily(
            "alongside_outbox_oldest_due_seconds",
            "For how long the oldest message has been due",
            labels=["kind"],
        )
        for each in depths:
            counted = {"waiting": each.waiting - each.due, "due": each.due, "dead": each.dead}
            for state, number in counted.items():
                messages.add_metric([each.kind, state], number)
            age.add_metric([each.kind], (now - (each.oldest_due or now)) / SECOND)
        yield messages
        yield age
