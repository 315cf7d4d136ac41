"""The store as one sees it who broke the glass: one patient's documents pass the ceiling.

Every statement of the read path compares a label with the ceiling by the same words; here, and for
such a caller only, the comparison has an alternative. Audience, consent and scopes stay as they
are, and rosters closed. Writes do not go this way (ADR 0046).
"""

import re
from collections.abc import Sequence

from service.fhir.store_reader import Rows, StoreReader

# Documents are called d, e, f, g or s; versions v, or nothing where they stand alone.
CEILING = re.compile(r"(?:\b([a-z])\.)?\bconfidentiality <= \?")
VERSION = "v"
THEIRS = "{0}.patient_key IN ({1}) AND {0}.type <> 'Group'"  # rosters stay closed
DOCUMENT = "({0}.audience = ? AND {1})"
OLDER = "{0}id IN (SELECT o.id FROM documents o WHERE o.audience = ? AND {1})"


class OpenedReader:
    """Reads for one request; `keys` are those of the patients, in the caller's own audience."""

    def __init__(self, reader: StoreReader, keys: Sequence[str], audience: int) -> None:
        self._reader = reader
        self._keys = tuple(keys)
        self._audience = audience

    async def rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        return await self._reader.rows(*beyond_ceiling(sql, args, self._keys, self._audience))

    async def horizon(self) -> int | None:
        return await self._reader.horizon()

    async def moment(self) -> int | None:
        return await self._reader.moment()

    def connections(self) -> dict[str, int]:
        return self._reader.connections()

    async def close(self) -> None:
        await self._reader.close()


def beyond_ceiling(
    sql: str, args: tuple[object, ...], keys: tuple[str, ...], audience: int
) -> tuple[str, tuple[object, ...]]:
    """Return the statement in which documents of these patients pass whatever their label."""
    text, given, at, seen = "", [], 0, 0
    for found in CEILING.finditer(sql):
        text += sql[at : found.start()] + f"({found[0]} OR {_theirs(found[1], len(keys))})"
        marks = sql.count("?", at, found.end())
        given += [*args[seen : seen + marks], audience, *keys]
        at, seen = found.end(), seen + marks
    return text + sql[at:], (*given, *args[seen:])


def _theirs(alias: str | None, count: int) -> str:
    """Return that a document is about one of these patients, or a version is of such a document."""
    marks = ", ".join("?" * count)
    if alias is not None and alias != VERSION:
        return DOCUMENT.format(alias, THEIRS.format(alias, marks))
    return OLDER.format("" if alias is None else f"{alias}.", THEIRS.format("o", marks))
