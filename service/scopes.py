"""Scopes of SMART 1 and 2: their grammar, and what can be worked out from their text alone.

`context/Type.letters?parameter=value&...`: the letters, of c r u d s, are granted on resources of
the type that have every parameter; a grant of several scopes is what any of them gives. Where it
cannot be told from the text that one lies within another, it does not.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from service.errors import ValueSetError

CRUDS = "cruds"
EVERY = "*"
SYSTEM, USER = "system", "user"
LETTERS = {"*": CRUDS, "read": "rs", "write": "cud"}  # of SMART 1 (IG 128)
PLAIN = frozenset[tuple[str, str]]()
UNESCAPED = "/:|,$-._~"  # what a value keeps as it is in the canonical form
_FORM = re.compile(
    r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|(?=[cruds])c?r?u?d?s?)"
)
_CHARACTERS = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 3.3
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Query = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scope:
    """One scope; `query` has the parameters that a resource must fulfil, each of them."""

    context: str
    type: str
    letters: frozenset[str]
    query: Query = PLAIN

    def __str__(self) -> str:
        """Return the canonical form: letters in order, parameters sorted and encoded alike."""
        letters = "".join(letter for letter in CRUDS if letter in self.letters)
        plain = f"{self.context}/{self.type}.{letters}"
        pairs = "&".join("=".join(map(_encoded, pair)) for pair in sorted(self.query))
        return f"{plain}?{pairs}" if pairs else plain

    def concerns(self, resource_type: str) -> bool:
        return self.type in {EVERY, resource_type}

    def within(self, other: "Scope") -> bool:
        """Return whether everything that this gives, the other one gives too."""
        return self.letters <= other.letters and self.narrows(other)

    def narrows(self, other: "Scope") -> bool:
        """Return whether, of the same letters, this gives no more: more parameters give less."""
        same = self.context == other.context and other.type in {EVERY, self.type}
        return same and other.query <= self.query

    def meet(self, other: "Scope") -> "Scope | None":
        """Return what both of them give, or None where that is nothing."""
        letters = self.letters & other.letters
        types = {self.type, other.type} - {EVERY}
        if self.context != other.context or len(types) > 1 or not letters:
            return None
        return Scope(self.context, next(iter(types), EVERY), letters, self.query | other.query)


def read_scope(text: str) -> Scope:
    """Return the scope that the text is, in the spelling of SMART 1 or 2.

    Raises:
        ValueSetError: it is none.
    """
    plain, mark, query = text.partition("?")
    found = _FORM.fullmatch(plain)
    if found is None or not _CHARACTERS.fullmatch(text):
        raise _wrong("not a scope such as system/*.rs or system/Observation.rs?code=x")
    letters = frozenset(LETTERS.get(found[3], found[3]))
    return Scope(found[1], found[2], letters, _query(query) if mark else PLAIN)


def _query(text: str) -> Query:
    return frozenset(_pair(part) for part in text.split("&"))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise _wrong("after the question mark comes parameter=value, joined by &")
    return _decoded(name), _decoded(value)


def _decoded(text: str) -> str:
    if "+" in text:
        raise _wrong("a plus is written %2B, and a space %20")
    try:
        found = unquote(text, errors="strict")
    except UnicodeDecodeError:
        found = "\x00"
    if _BROKEN.search(text) or _CONTROL.search(found):
        raise _wrong("what is percent-encoded is no UTF-8 text")
    return found


def _encoded(text: str) -> str:
    return quote(text, safe=UNESCAPED)


def _wrong(rule: str) -> ValueSetError:
    return ValueSetError(rule, element="scope")


def within(some: Iterable[Scope], allowed: Iterable[Scope]) -> bool:
    """Return whether each letter of each of these lies within one of what is allowed."""
    there = tuple(allowed)
    return all(
        any(letter in each.letters and one.narrows(each) for each in there)
        for one in some
        for letter in one.letters
    )


def united(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return the fewest scopes that give the same, in the order of their canonical form."""
    merged: dict[Scope, set[str]] = defaultdict(set)
    for one in scopes:
        merged[Scope(one.context, one.type, frozenset(), one.query)].update(one.letters)
    found = []
    for key, letters in merged.items():
        wider = (more for other, more in merged.items() if other != key and key.within(other))
        if left := letters.difference(*wider):
            found.append(Scope(key.context, key.type, frozenset(left), key.query))
    return tuple(sorted(found, key=str))


def shared(some: Iterable[Scope], allowed: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return what of these is allowed: what both grants give."""
    there = tuple(allowed)
    met = (one.meet(other) for one in some for other in there)
    return united(each for each in met if each is not None)
