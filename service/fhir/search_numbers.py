"""Number and quantity parameters, as conditions on a row `i` of numbers.

Without a prefix a number stands for all that are rounded to it: 5.4 for 5.35 up to 5.45, 1e2 for 50
up to 150. With one it is exact. https://hl7.org/fhir/R4/search.html#number
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from service.errors import InvalidError
from service.fhir.index_values import bounded, double
from service.fhir.search_values import PREFIXES, Condition, all_of, any_of, split, unescaped

NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
NEARLY = Decimal("0.1")
EXACT = {
    "gt": "i.high > ?",
    "lt": "i.low < ?",
    "ge": "i.high >= ?",
    "le": "i.low <= ?",
    "sa": "i.low > ?",
    "eb": "i.high < ?",
}


def numbers(name: str, values: Sequence[str]) -> Condition:
    """Return what a row must fulfil for one of these numbers.

    Raises:
        InvalidError: a value is not a number.
    """
    return any_of(_compared(name, unescaped(text)) for text in values)


def quantities(name: str, values: Sequence[str]) -> Condition:
    """Return what a row must fulfil for one of `number`, `number|system|code` or `number||unit`.

    Raises:
        InvalidError: a value has another form.
    """
    return any_of(_quantity(name, text) for text in values)


def _quantity(name: str, text: str) -> Condition:
    parts = [unescaped(part) for part in split(text, "|")]
    number = _compared(name, parts[0])
    if len(parts) == 1:
        return number
    if len(parts) != 3:  # noqa: PLR2004 - value, system, code
        raise InvalidError("must be number, number|system|code or number||unit", element=name)
    return all_of([number, *_unit(bounded(parts[1]), bounded(parts[2]))])


def _unit(system: str, code: str) -> list[Condition]:
    if not system:
        return [Condition("(i.code = ? OR i.unit = ?)", (code, code))] if code else []
    found = [Condition("i.system = ?", (system,))]
    return [*found, Condition("i.code = ?", (code,))] if code else found


def _compared(name: str, text: str) -> Condition:
    prefix, digits = (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)
    digits = "+" + digits[1:] if digits.startswith(" ") else digits  # a plus that nobody encoded
    if not NUMBER.fullmatch(digits):
        raise InvalidError("must be a number such as 5.4 or gt5.4", element=name)
    number = Decimal(digits)
    if prefix in EXACT:
        return Condition(EXACT[prefix], (double(number),))
    if prefix == "ap":
        reach = abs(number) * NEARLY
        return Condition(
            "(i.low <= ? AND i.high >= ?)", (double(number + reach), double(number - reach))
        )
    return _rounded(number, negative=prefix == "ne")


def _rounded(number: Decimal, *, negative: bool) -> Condition:
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    bounds = (double(number - half), double(number + half))
    if negative:
        return Condition("(i.low < ? OR i.high >= ?)", bounds)
    return Condition("(i.low >= ? AND i.high < ?)", bounds)
