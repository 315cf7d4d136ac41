"""What becomes of the past of documents when consents or links change (ADR 0007)."""

from enum import Enum


class Seal(Enum):
    """What is hidden for good when consents or links changed (ADR 0007).

    What was taken away hides the past of every document it was about; what was given, only the
    past of those that changed.
    """

    ALL = "all"
    REPLACED = "replaced"
