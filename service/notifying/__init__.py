"""Bringing what the outbox holds about alerts to people (ADR 0042)."""

from service.notifying.channel import Channel, Destination, Text, UndeliveredError
from service.notifying.email import EmailChannel, Smtp
from service.notifying.handling import LEASE, Alerting, Result
from service.notifying.webhook import WebhookChannel

__all__ = [
    "LEASE",
    "Alerting",
    "Channel",
    "Destination",
    "EmailChannel",
    "Result",
    "Smtp",
    "Text",
    "UndeliveredError",
    "WebhookChannel",
]
