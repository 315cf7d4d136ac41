"""The service with its audit rows left out, to measure what they cost; never for use.

`WITHOUT_AUDIT=1 bench/run.sh` serves this in place of `alongside`.
"""

import sys

from api import bootstrap
from api.audit_rows import AuditRows
from api.cli import main


class Nowhere:
    """An audit writer that writes nothing."""

    async def write(self, _entry: object) -> dict[int, int]:
        return {}  # nothing was ever taken away

    def write_now(self, _entry: object) -> None:
        return None

    def seal(self) -> None:
        return None

    def close(self) -> None:
        return None


async def no_row(*_args: object) -> None:
    return None


AuditRows.row = no_row
bootstrap.open_audit = lambda *_args, **_more: Nowhere()
sys.stderr.write("No audit rows are written: this is a measurement.\n")
main()
