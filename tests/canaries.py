"""Names and numbers of the people of the tests, which no log record of any test may have."""

import logging
import re

# What `tests.world` calls people, and how hospitals number them there.
WORDS = re.compile(r"\b(?:Family|MRN|ehr-)\d+\b")
FORMAT = logging.Formatter()


class Listener(logging.Handler):
    """Keeps the records that have somebody's name or number, traceback and extras included."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = f"{FORMAT.format(record)} {vars(record)}"
        if WORDS.search(told):
            self.heard.append(told)
