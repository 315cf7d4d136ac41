"""What `alongside doctor` finds: a matter, how bad it is, and a sentence with the next step."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`check` is a stable name, for programs that read the list."""

    check: str
    level: Level
    sentence: str


def ok(check: str, sentence: str) -> Finding:
    return Finding(check, Level.OK, sentence)


def warning(check: str, sentence: str) -> Finding:
    return Finding(check, Level.WARNING, sentence)


def error(check: str, sentence: str) -> Finding:
    return Finding(check, Level.ERROR, sentence)
