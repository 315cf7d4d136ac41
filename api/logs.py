"""The log on standard error: lines for people or JSON for programs, never who or what is asked for.

Stable names are in `event`. Of an exception its type and place are told, never its message, which
may quote a row. https://docs.python.org/3/library/logging.html
"""

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson

from service.settings import Settings

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
KEPT = ("event", "request_id", "route", "method", "status", "milliseconds", "failure")


def configure(settings: Settings) -> None:
    """Let every logger write as the settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.log_format == "json" else Plain(TEXT))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


class Plain(logging.Formatter):
    """A line, and below it where an exception was raised."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - as logging has it
        return "\n".join([_kind(ei[1]), *_place(ei[1])])


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": "log",
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in KEPT if name in record.__dict__}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"failure": _kind(error), "place": _place(error)}
        return orjson.dumps(line, default=str).decode()


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _place(error: BaseException) -> list[str]:
    """Return the frames, outermost first, and those of what led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if error.__cause__ is not None:
        found += [f"because of {_kind(error.__cause__)}", *_place(error.__cause__)]
    return found
