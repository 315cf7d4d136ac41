"""Token parameters: codes with or without a system, as conditions on a row `i` of tokens.

https://hl7.org/fhir/R4/search.html#token
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from service.errors import InvalidError
from service.fhir.index_values import bounded
from service.fhir.search_values import Condition, any_of, one_of, split, unescaped

ValueSets = Mapping[str, frozenset[tuple[str, str]]]


def tokens(name: str, values: Sequence[str]) -> Condition:
    """Return what a row must fulfil for one of `code`, `system|code`, `|code` or `system|`.

    Raises:
        InvalidError: a value has another form.
    """
    codes, systems, pairs = [], [], []
    for text in values:
        system, code = _at_bar(name, text)
        if system is None:
            codes.append(code)
        elif code:
            pairs.append((system, code))
        else:
            systems.append(system)
    found = [coded(pairs)] if pairs else []
    found += [one_of("i.code", codes)] if codes else []
    found += [one_of("i.system", systems)] if systems else []
    return any_of(found)


def coded(pairs: Iterable[tuple[str, str]]) -> Condition:
    """Return that a row has one of these systems and codes."""
    by_system = defaultdict(list)
    for system, code in sorted(pairs):
        by_system[system].append(code)
    return any_of(_of_system(system, codes) for system, codes in by_system.items())


def _of_system(system: str, codes: Sequence[str]) -> Condition:
    wanted = one_of("i.code", codes)
    return Condition(f"(i.system = ? AND {wanted.sql})", (system, *wanted.args))


def _at_bar(name: str, text: str) -> tuple[str | None, str]:
    parts = [bounded(unescaped(part)) for part in split(text, "|")]
    if len(parts) == 1:
        return None, parts[0]
    if len(parts) > 2:  # noqa: PLR2004 - a system and a code
        raise InvalidError("must be code, system|code, |code or system|", element=name)
    if parts == ["", ""]:
        raise InvalidError("`|` alone says neither system nor code", element=name)
    return parts[0], parts[1]


def of_type(name: str, values: Sequence[str]) -> Condition:
    """Return what a row must fulfil for an Identifier of a type, `system|code|value`.

    Raises:
        InvalidError: a value has another form.
    """
    pairs = []
    for text in values:
        parts = [unescaped(part) for part in split(text, "|")]
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004
            raise InvalidError("must be the type's system|the type's code|value", element=name)
        pairs.append((bounded(parts[0]), bounded(f"{parts[1]}|{parts[2]}")))
    return coded(pairs)


def members(name: str, values: Sequence[str], value_sets: ValueSets) -> Condition:
    """Return what a row must fulfil for its code to be in one of these value sets.

    A code without a system, as of an element whose type is `code`, is sought by itself.

    Raises:
        InvalidError: a value set is not carried here.
    """
    pairs: set[tuple[str, str]] = set()
    for text in values:
        found = value_sets.get(unescaped(text))
        if found is None:
            raise InvalidError(f"the value set {_shown(text)} is not known here", element=name)
        pairs |= found
    return coded(pairs | {("", code) for _, code in pairs})


def _shown(text: str) -> str:
    return "".join(c for c in text[:200] if c.isascii() and c.isprintable())
