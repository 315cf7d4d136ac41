"""What a search brings along: resources that its matches refer to, or that refer to them.

Each one passes the access filter by itself; a roster (Group) is never brought along.
https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from service.access import Access
from service.errors import ForbiddenError, InvalidError
from service.fhir.mapping import ResourceType
from service.fhir.rosters import ROSTER
from service.fhir.search import COLUMNS, VISIBLE, Found, limited
from service.fhir.search_plan import Include, UnsupportedError
from service.fhir.search_sort import SUBJECT
from service.fhir.search_values import Condition
from service.fhir.store_reader import Rows, StoreReader

MOST = 1000
MOST_ROUNDS = 8
EVERY = "*"
PATIENT = "Patient"
SEVERAL = frozenset({"Appointment", "Provenance"})  # these can refer to several patients

Types = Mapping[str, ResourceType]
# What the caller's scopes ask of a document of one of these types.
Limits = Callable[[Sequence[str]], Condition | None]

# No value is in these texts: what is in capitals becomes as many marks as there are values.
BOUNDED = " ORDER BY d.id LIMIT ?"
WHERE = f"d.audience IN (?, ?) AND {VISIBLE}"
BY_KEY = f"SELECT {COLUMNS} FROM documents d WHERE d.id IN ("  # noqa: S608
BY_ID = f"{BY_KEY}IDS) AND d.type IN (TYPES) AND {WHERE}"
FORWARD = f"""
SELECT {COLUMNS} FROM (SELECT DISTINCT r.target FROM documents s CROSS JOIN document_references r
WHERE s.id IN (IDS) AND r.document = s.number AND r.param IN (PARAMS)
AND r.target_type IN (TYPES) AND s.audience = r.audience) k
CROSS JOIN documents d WHERE d.id = k.target AND {WHERE}
"""  # noqa: S608
ADDRESSES = """
SELECT r.document, r.target FROM documents s CROSS JOIN document_references r
WHERE s.id IN (IDS) AND r.document = s.number AND r.param IN (PARAMS) AND r.target_type = ''
AND s.audience IN (?, ?)
"""
CANONICAL = f"""
SELECT {COLUMNS} FROM (SELECT DISTINCT t.document FROM document_tokens t WHERE t.audience IN (?, ?)
AND t.type IN (TYPES) AND t.param = 'url' AND t.code IN (CODES)) k
CROSS JOIN documents d WHERE d.number = k.document AND {WHERE}
"""  # noqa: S608
REVERSE = f"""
SELECT {COLUMNS} FROM (SELECT DISTINCT r.document FROM document_references r
WHERE r.audience IN (?, ?) AND r.target IN (IDS) AND r.type = ? AND r.param IN (PARAMS)) k
CROSS JOIN documents d WHERE d.number = k.document AND {WHERE}
"""  # noqa: S608
ABOUT = f"""
SELECT {COLUMNS} FROM documents d WHERE d.audience = ? AND d.type = ? AND d.subject IN (IDS)
AND {VISIBLE}
"""  # noqa: S608


def read_include(name: str, value: str, types: Types) -> tuple[Include, ...]:
    """Return what `_include` or `_revinclude` asks for; `name` has its modifier.

    Raises:
        InvalidError: it is not Type:parameter or Type:parameter:Target.
        UnsupportedError: no such type or reference parameter is served here.
    """
    bare, _, modifier = name.partition(":")
    source, *rest = value.split(":")
    asked = Include(source, EVERY, reverse=bare == "_revinclude", iterate=bool(modifier))
    if value == EVERY and not asked.reverse:
        return tuple(replace(asked, source=each) for each in types if each != ROSTER)
    if len(rest) not in {1, 2} or not all((source, *rest)):
        raise InvalidError("must be Type:parameter or Type:parameter:Target", element=name)
    if source not in types or (rest[1:] and rest[1] not in types):
        raise UnsupportedError("no such resource type is served here")
    if rest[0] != EVERY and not _refers(types[source], rest[0]):
        raise UnsupportedError(f"no such reference parameter of {source} here")
    return (replace(asked, parameter=rest[0], target=rest[1] if rest[1:] else None),)


def _refers(kind: ResourceType, name: str) -> bool:
    parameter = kind.by_name.get(name)
    return parameter is not None and parameter.type == "reference"


def authorised(includes: Sequence[Include], access: Access, types: Types) -> None:
    """Raise ForbiddenError where what is asked for by name is not the token's to read."""
    for include in includes:
        if include.parameter == EVERY and include.target is None and not include.reverse:
            continue
        names = {include.source} if include.reverse else _targets(include, types)
        if names == {ROSTER}:
            raise ForbiddenError("a Group is never brought along")
        if names and not any(readable(access, name) for name in names):
            raise ForbiddenError(f"the token does not grant reading {' or '.join(sorted(names))}")


def readable(access: Access, name: str) -> bool:
    """Tell whether the token may have resources of this type brought along."""
    return name != ROSTER and (access.may(name, "r") or access.may(name, "s"))


def _targets(include: Include, types: Types) -> set[str]:
    """Return the types served here that the parameters lead to."""
    if include.target is not None:
        return {include.target}
    kind = types[include.source]
    return {
        target
        for name in _parameters(include, types)
        for target in kind.by_name[name].targets
        if target in types
    }


def _parameters(include: Include, types: Types) -> list[str]:
    if include.parameter != EVERY:
        return [include.parameter]
    return [each.name for each in types[include.source].parameters if each.type == "reference"]


class Brought:
    """Collects what one page brings along, each document once."""

    def __init__(
        self,
        reader: StoreReader,
        access: Access,
        types: Types,
        most: int,
        limits: Limits,
    ) -> None:
        self.reader = reader
        self.access = access
        self.limits = limits
        self.types = types
        self.most = most
        self.found: dict[str, Found] = {}
        self.left_out = False
        self._seen: set[str] = set()

    async def follow(self, matches: Sequence[Found], includes: Sequence[Include]) -> None:
        """Bring along what the matches ask for, and then what that asks for in turn."""
        self._seen.update(match.id for match in matches)
        level, asked = list(matches), list(includes)
        for _ in range(MOST_ROUNDS):
            if not (level and asked):
                return
            known = set(self.found)
            for include in asked:
                await self._one(include, level)
            level = [found for key, found in self.found.items() if key not in known]
            asked = [include for include in asked if include.iterate]
        self.left_out = self.left_out or bool(level and asked)

    async def _one(self, include: Include, level: Sequence[Found]) -> None:
        if include.reverse:
            await self._referring(include, level)
        else:
            await self._referred(include, [one for one in level if one.type == include.source])

    async def _referred(self, include: Include, sources: Sequence[Found]) -> None:
        names = _parameters(include, self.types)
        kinds = [name for name in _targets(include, self.types) if readable(self.access, name)]
        if not (sources and kinds and names):
            return
        if PATIENT in kinds and SUBJECT & set(names):
            await self._patients({one.subject for one in sources if one.subject})
        columns = all(one.subject for one in sources) and include.source not in SEVERAL
        others = [name for name in names if not (columns and self._is_subject(include, name))]
        if others:
            ids = [one.id for one in sources]
            await self._select(FORWARD, IDS=ids, PARAMS=others, TYPES=kinds)
            canonical = [name for name in kinds if "url" in self.types[name].by_name]
            if canonical:
                await self._canonical(ids, others, canonical)

    def _is_subject(self, include: Include, name: str) -> bool:
        """Tell whether the parameter leads to the subject alone, which has no row of its own."""
        targets = set(self.types[include.source].by_name[name].targets) & set(self.types)
        return name in SUBJECT and targets <= {PATIENT, ROSTER}

    async def _patients(self, ids: set[str]) -> None:
        if wanted := ids - self._seen:
            await self._select(BY_ID, IDS=sorted(wanted), TYPES=[PATIENT])

    async def _canonical(self, ids: list[str], names: list[str], kinds: list[str]) -> None:
        """Bring along the definitions that canonical addresses lead to."""
        sql = _filled(ADDRESSES, IDS=ids, PARAMS=names)
        where = (*padded(ids), *padded(names), *self.access.audiences)
        wanted = _canonicals(await self.reader.rows(sql, where))
        if wanted:
            codes = sorted({address.partition("|")[0] for address in wanted})
            sql = _filled(CANONICAL, TYPES=kinds, CODES=codes)
            args = (*self.access.audiences, *padded(kinds), *padded(codes), *self._own())
            await self._add(sql, args, kinds, lambda found: _is_wanted(found, wanted))

    async def _referring(self, include: Include, level: Sequence[Found]) -> None:
        if not readable(self.access, include.source):
            return
        ids = [one.id for one in level if include.target in {None, one.type}]
        names = _parameters(include, self.types)
        if not (ids and names):
            return
        sql, own = _filled(REVERSE, IDS=ids, PARAMS=names), self.access.audiences
        args = (*own, *padded(ids), include.source, *padded(names), *self._own())
        await self._add(sql, args, [include.source])
        patients = [one.id for one in level if one.type == PATIENT and one.id in ids]
        if patients and SUBJECT & set(names):
            sql, ceiling = _filled(ABOUT, IDS=patients), self.access.ceiling
            about = (self.access.audience, include.source, *padded(patients), ceiling)
            await self._add(sql, about, [include.source])

    async def _select(self, sql: str, **lists: Sequence[str]) -> None:
        args = [arg for values in lists.values() for arg in padded(values)]
        await self._add(_filled(sql, **lists), (*args, *self._own()), lists["TYPES"])

    def _own(self) -> tuple[int, ...]:
        """Return whose documents the caller may see, and up to which confidentiality."""
        return (*self.access.audiences, self.access.ceiling)

    async def _rows(self, sql: str, args: tuple[object, ...], kinds: Sequence[str]) -> Rows:
        """Return what a statement that ends with the access filter finds, as far as there is room.

        Each row passes the filter before it counts, what the scopes ask of its type included.
        """
        sql, args = limited(sql, args, self.limits(kinds))
        if sql.startswith(BY_KEY):  # as many as were named
            return await self.reader.rows(sql, args)
        return await self.reader.rows(sql + BOUNDED, (*args, self.most + len(self._seen) + 1))

    async def _add(
        self,
        sql: str,
        args: tuple[object, ...],
        kinds: Sequence[str],
        is_asked: Callable[[Found], bool] | None = None,
    ) -> None:
        for row in await self._rows(sql, args, kinds):
            found = Found(*row)
            if found.id in self._seen or found.type == ROSTER:
                continue
            if is_asked is not None and not is_asked(found):
                continue
            if len(self.found) >= self.most:
                self.left_out = True
                return
            self._seen.add(found.id)
            self.found[found.id] = found


def _canonicals(rows: Rows) -> set[str]:
    """Return the addresses that are meant: one with a version is indexed without it, too."""
    by_source: dict[str, set[str]] = {}
    for source, target in rows:
        by_source.setdefault(source, set()).add(target)
    return {
        address
        for found in by_source.values()
        for address in found
        if not any(other.startswith(f"{address}|") for other in found)
    }


def _is_wanted(found: Found, wanted: set[str]) -> bool:
    value = orjson.loads(found.content)
    return value.get("url") in wanted or f"{value.get('url')}|{value.get('version')}" in wanted


def padded(values: Iterable[str]) -> list[str]:
    """Return the values, the last one repeated: few lengths make few statements to prepare."""
    found = list(values)
    length = 1
    while length < len(found):
        length *= 2
    return found + found[-1:] * (length - len(found))


def _filled(sql: str, **lists: Sequence[str]) -> str:
    """Return the text with as many marks as each list has values."""
    for name, values in lists.items():
        marks = ", ".join("?" * len(padded(values)))
        sql = sql.replace(f"({name})", f"({marks})")
    return sql
