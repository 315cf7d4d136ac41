"""JSON kept as it was written: parsed strictly, its members' text untouched.

https://hl7.org/fhir/R4/json.html
https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from json.decoder import scanstring  # type: ignore[attr-defined]  # in C, but not in the stubs
from typing import Any

import orjson

DEEPEST = 64
ABOVE_A_RESOURCE = 3  # in a Bundle: the Bundle, its entries, the entry
MOST_DIGITS = 64
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}")
_BLANK = " \t\r\n"
# How JSON writes what PostgreSQL's text cannot hold; raw, it is no JSON.
_NUL = "\\u0000"
_skip_blanks = re.compile(f"[{_BLANK}]*").match


class LexicalError(ValueError):
    """The body is not the JSON that FHIR asks for; the message never quotes a value."""

    def __init__(self, message: str, expression: str) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression


@dataclass(frozen=True, slots=True)
class Lexical:
    """A JSON object: its value with decimals as written, and each member's own text."""

    value: dict[str, Any]
    members: dict[str, str]

    def text(self) -> bytes:
        """Return the object as JSON, each member as it was written."""
        parts = (f"{orjson.dumps(name).decode()}:{text}" for name, text in self.members.items())
        return ("{" + ",".join(parts) + "}").encode()


class _DigitsError(ValueError):
    pass


class _DuplicateError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def parse(body: bytes) -> Lexical:
    """Read a JSON object, or raise LexicalError."""
    value = _well_formed(body)
    root = _root(value)
    _refuse_depth(value, root, DEEPEST)
    # orjson refuses what is not UTF-8, so this cannot fail.
    text = body.decode()
    return _scan(text, text.index("{"), root)[0]


def parse_bundle(body: bytes) -> Lexical:
    """Read a Bundle, in whose value each entry and each entry's resource is a Lexical too."""
    value = _well_formed(body)
    root = _root(value)
    _refuse_depth(value, root, DEEPEST + ABOVE_A_RESOURCE)
    text = body.decode()
    return _scan(text, text.index("{"), root, _of_bundle)[0]


def compose(
    members: Mapping[str, str | bytes],
    *,
    resource_type: str,
    id: str,  # noqa: A002 - the element's name
    meta: Mapping[str, object],
) -> bytes:
    """Write a resource from its members' own text, with our resourceType, id and meta."""
    ours: dict[str, object] = {"resourceType": resource_type, "id": id, "meta": dict(meta)}
    parts = [orjson.dumps(name) + b":" + _dumped(value) for name, value in ours.items()]
    parts += [
        orjson.dumps(name) + b":" + (text.encode() if isinstance(text, str) else text)
        for name, text in members.items()
        if name not in ours
    ]
    return b"{" + b",".join(parts) + b"}"


def said_in_meta(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sender may say in `meta`; version and time are ours."""
    meta = value.get("meta")
    if not isinstance(meta, dict):
        return {}
    return {name: meta[name] for name in ("source", "profile", "security", "tag") if name in meta}


def overlay(lexical: Lexical, replacements: Mapping[str, object]) -> Lexical:
    """Replace whole members by new values, None removing one; the others keep their text."""
    value, members = dict(lexical.value), dict(lexical.members)
    for name, new in replacements.items():
        if new is None:
            value.pop(name, None)
            members.pop(name, None)
        else:
            value[name] = new
            members[name] = _dumped(new).decode()
    return Lexical(value, members)


def with_texts(lexical: Lexical, texts: Mapping[str, str]) -> Lexical:
    """Return the object with other text, which is valid JSON, for some of its members."""
    values = {name: _member(text, 0, name)[0] for name, text in texts.items()}
    return Lexical({**lexical.value, **values}, {**lexical.members, **texts})


def _dumped(value: object) -> bytes:
    return orjson.dumps(value, default=_decimal_text)


def _decimal_text(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _well_formed(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Its messages name a rule and a place, and quote nothing.
        raise LexicalError(f"Not valid JSON: {error}", "Resource") from None
    if not isinstance(value, dict):
        raise LexicalError("The body must be a JSON object", "Resource")
    return value


def _root(value: dict[str, Any]) -> str:
    name = value.get("resourceType")
    return name if isinstance(name, str) and _TYPE.fullmatch(name) else "Resource"


def _refuse_depth(value: dict[str, Any], root: str, most: int) -> None:
    level: list[Any] = [value]
    for _ in range(most):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise LexicalError(f"Nested deeper than {DEEPEST} levels", root)


Read = Callable[[str, int, str], tuple[Any, int]]


def _scan(text: str, at: int, root: str, read: Read | None = None) -> tuple[Lexical, int]:
    """Walk the members of the object that begins here; return it, and where it ends.

    The text is known to be valid; `read` reads the value of one member.
    """
    value: dict[str, Any] = {}
    members: dict[str, str] = {}
    read = read or _member
    at = _past_blanks(text, at + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1, True)
        start = _past_blanks(text, _past_blanks(text, at) + 1)
        expression = f"{root}.{key}" if _NAME.fullmatch(key) else root
        if key in members:
            raise LexicalError("The member appears more than once", expression)
        value[key], end = read(text, start, expression)
        members[key] = text[start:end]
        if "\0" in key or (_NUL in members[key] and _holds_nul(value[key])):
            raise LexicalError("A string must not hold the character U+0000", expression)
        at = _past_blanks(text, end)
        if text[at] == ",":
            at = _past_blanks(text, at + 1)
    return Lexical(value, members), at + 1


def _of_bundle(text: str, start: int, expression: str) -> tuple[Any, int]:
    if expression != "Bundle.entry" or text[start] != "[":
        return _member(text, start, expression)
    entries: list[Any] = []
    at = _past_blanks(text, start + 1)
    while text[at] != "]":
        entry, at = _entry(text, at, f"{expression}[{len(entries)}]")
        entries.append(entry)
        at = _past_blanks(text, at)
        if text[at] == ",":
            at = _past_blanks(text, at + 1)
    return entries, at + 1


def _entry(text: str, at: int, expression: str) -> tuple[Any, int]:
    if text[at] == "{":
        return _scan(text, at, expression, _of_entry)
    return _member(text, at, expression)


def _of_entry(text: str, start: int, expression: str) -> tuple[Any, int]:
    if expression.endswith("].resource") and text[start] == "{":
        return _scan(text, start, expression)
    return _member(text, start, expression)


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def _past_blanks(text: str, at: int) -> int:
    return at if text[at] not in _BLANK else _skip_blanks(text, at).end()  # type: ignore[union-attr]


def _member(text: str, start: int, expression: str) -> tuple[Any, int]:
    try:
        return _decoder.raw_decode(text, start)
    except _DuplicateError as error:
        name = f"'{error.key}' " if _NAME.fullmatch(error.key) else ""
        raise LexicalError(f"A member {name}appears more than once", expression) from None
    except _DigitsError:
        raise LexicalError(f"A number has more than {MOST_DIGITS} digits", expression) from None
    except (InvalidOperation, OverflowError, ValueError):
        raise LexicalError("A number is beyond what a double can hold", expression) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateError(key)
            seen.add(key)
    return members


def _decimal(text: str) -> Decimal:
    if len(text) > MOST_DIGITS:
        raise _DigitsError
    number = Decimal(text)
    if number and not float(text):
        raise OverflowError
    return number


def _integer(text: str) -> int | Decimal:
    """Return the number; one beyond 64 bits can be a decimal in FHIR only."""
    return int(text) if len(text) < len(str(2**63)) else _decimal(text)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer)
