"""The table of requirements is complete, and what it calls met has a test of its number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "smart-requirements.md"
LIST = ROOT / "tests" / "data" / "smart-requirements-2.2.txt"
ROW = re.compile(r"^\| ([\d, -]+) \| (.+) \| (met|not here|elsewhere) \|$", re.MULTILINE)
NAME = re.compile(r"^def (test_ig_[a-z0-9_]+)", re.MULTILINE)
RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def requirements() -> dict[int, str]:
    """Each requirement's number and how binding it is."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {int(number): binding for number, _, binding in (line.partition(" ") for line in lines)}


def stated() -> list[tuple[int, str]]:
    """Each number in the table, with what is said of it; a range has those that exist."""
    known, found = requirements(), []
    for numbers, _, state in ROW.findall(TABLE.read_text(encoding="utf-8")):
        for first, last in RANGE.findall(numbers):
            every = range(int(first), int(last or first) + 1)
            found += [(each, state) for each in every if each in known or not last]
    return found


def numbers_of_tests() -> set[int]:
    """The numbers in the names of tests: `test_ig_30_and_372_...`, `test_ig_74_84_and_254_...`."""
    found: set[int] = set()
    for file in ROOT.glob("tests/**/test_*.py"):
        for name in NAME.findall(file.read_text(encoding="utf-8")):
            told = re.match(r"test_ig_((?:(?:\d+|and)_)+)", name)
            found |= {int(each) for each in re.findall(r"\d+", told[1] if told else "")}
    return found


def test_every_requirement_stands_once():
    numbers = [number for number, _ in stated()]
    assert sorted(numbers) == sorted(set(numbers)), "a number stands twice"
    assert set(numbers) == set(requirements())


@pytest.mark.parametrize(
    "number", [number for number, state in stated() if state == "met"], ids=str
)
def test_what_is_met_has_a_test_of_its_number(number):
    if requirements()[number].startswith("SHALL"):
        assert number in numbers_of_tests()
