"""Records as OpenTelemetry logs, over HTTP as JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from collections.abc import Sequence
from typing import Any

import httpx

from service.audit.export.records import Record

SECONDS = 10.0
LOGS = "/v1/logs"
INFO, WARN = 9, 13  # https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber


class Otlp:
    """Sends to a collector; `address` is its base, or the address of its logs."""

    def __init__(self, address: str) -> None:
        base = address.rstrip("/")
        self._url = base if base.endswith(LOGS) else base + LOGS
        self._http = httpx.Client(timeout=SECONDS)

    def send(self, records: Sequence[Record]) -> None:
        """Send them in one request."""
        try:
            self._http.post(self._url, json=request(records)).raise_for_status()
        except httpx.HTTPError as error:
            raise OSError(f"the collector did not take it ({type(error).__name__})") from error

    def close(self) -> None:
        self._http.close()


def request(records: Sequence[Record]) -> dict[str, Any]:
    """Return the body of an export request."""
    scope = {"scope": {"name": "alongside.audit"}, "logRecords": [_log(each) for each in records]}
    resource = {"attributes": [_attribute("service.name", "alongside")]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _log(record: Record) -> dict[str, Any]:
    return {
        "timeUnixNano": str(record.at * 1000),
        "severityNumber": WARN if record.refused else INFO,
        "body": {"stringValue": record.event},
        "attributes": [_attribute(f"audit.{name}", text) for name, text in record.fields.items()],
    }


def _attribute(key: str, text: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": text}}
