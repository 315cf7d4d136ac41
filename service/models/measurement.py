"""What an occasion of measurement may be: no table, it is computed (ADR 0045)."""

from enum import StrEnum


class OccasionKind(StrEnum):
    BASELINE = "baseline"
    FOLLOW_UP = "follow-up"
    END = "end"


class OccasionState(StrEnum):
    DUE = "due"
    OVERDUE = "overdue"
    ANSWERED = "answered"
    MISSED = "missed"  # the next one began
    CANCELLED = "cancelled"  # the person left
