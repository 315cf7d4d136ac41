"""Whether the values of a definition are of the kinds that its fields say: JSON may hold anything.

https://docs.python.org/3/library/typing.html#typing.get_type_hints
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

NAMES = {str: "text", int: "a whole number", bool: "true or false", Decimal: "a number"}


def wrong_kinds(value: object, path: str = "") -> Iterator[str]:
    """Yield a sentence for each field that holds something else than it should."""
    cls: Any = type(value)
    hints = _hints(cls)
    for each in fields(cls):
        yield from _wrong(hints[each.name], getattr(value, each.name), f"{path}{each.name}")


@cache
def _hints(cls: Any) -> dict[str, Any]:  # noqa: ANN401 - a class
    return get_type_hints(cls)


def _wrong(hint: Any, value: object, path: str) -> Iterator[str]:  # noqa: ANN401 - a type hint
    if get_origin(hint) is tuple:
        for number, each in enumerate(value if isinstance(value, tuple) else ()):
            inner = get_args(hint)[0]
            yield from _wrong(inner, each, f"{path}[{number}]")
    elif get_origin(hint) is Mapping and isinstance(value, Mapping):
        for key, each in value.items():
            yield from _wrong(get_args(hint)[1], each, f"{path}[{key!r}]")
    elif is_dataclass(value) and not isinstance(value, type):
        yield from wrong_kinds(value, f"{path}.")
    elif not _fits(hint, value):
        kinds = [NAMES[each] for each in _choices(hint) if each in NAMES]
        yield f"{path} must be {' or '.join(kinds)}" if kinds else f"{path} is of a wrong kind"


def _choices(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type hint
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _fits(hint: Any, value: object) -> bool:  # noqa: ANN401 - a type hint
    """Tell whether a value is of a kind; type(), since true is no number."""
    return any(type(value) is each or _is_of(each, value) for each in _choices(hint))


def _is_of(kind: Any, value: object) -> bool:  # noqa: ANN401 - a type
    return kind not in NAMES and isinstance(kind, type) and isinstance(value, kind)
