"""The check digits of LOINC codes, of its answer lists (LL) and of its answers (LA).

https://loinc.org/kb/users-guide/calculating-mod-10-check-digits/
"""

import re

_CODE = re.compile(r"(LL|LA|)(\d+)-(\d)")


def has_valid_check_digit(code: str) -> bool:
    """Check a LOINC, LL or LA code.

    The rule for LL and LA is fitted to published codes: a consistency check, not proof.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        return False
    prefix, number, digit = match.groups()
    return (_mod_10(number) + _prefix_constant(prefix, number)) % 10 == int(digit)


def _mod_10(number: str) -> int:
    total = 0
    for position, character in enumerate(reversed(number)):
        value = int(character) * (1 if position % 2 else 2)
        total += value // 10 + value % 10
    return -total % 10


def _prefix_constant(prefix: str, number: str) -> int:
    if prefix == "LA":
        return 2 if len(number) % 2 else 5
    return 1 if prefix == "LL" else 0
