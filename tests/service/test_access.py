"""Scopes, in the spelling of SMART 1 and 2.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from itertools import combinations

import pytest

from service.access import Scopes, is_granular, is_scope

LETTERS = ["".join(each) for count in range(1, 6) for each in combinations("cruds", count)]


@pytest.mark.parametrize("letters", LETTERS)
def test_every_choice_of_letters_in_their_order_is_a_scope(letters):
    for kind in ("Patient", "*"):
        scope = f"system/{kind}.{letters}"
        assert is_scope(scope)
        assert {each for each in "cruds" if Scopes(scope).allows("Patient", each)} == set(letters)


@pytest.mark.parametrize(
    ("old", "new"), [("read", "rs"), ("write", "cud"), ("*", "cruds")]
)  # IG 128
def test_a_scope_of_smart_1_means_letters(old, new):
    first, second = Scopes(f"system/Patient.{old}"), Scopes(f"system/Patient.{new}")
    assert is_scope(first.text)
    assert first.letters == second.letters
    assert first.within(second)
    assert second.within(first)


@pytest.mark.parametrize(
    "text",
    ["", "system/Patient.", "system/Patient.sr", "system/Patient.rr", "system/Patient.R",
     "system/patient.rs", "system/.rs", "system/*", "system/**.rs", "Patient.rs", "user/*.rs",
     "patient/*.read", "launch", "openid", "v1", "v1.*", "system/Patient.read.write",
     "system/Patient.rs?category=x", "system/Pätient.rs"],
)  # fmt: skip
def test_anything_else_is_no_scope(text):
    assert not is_scope(text)
    assert Scopes(text).letters == {}


def test_a_granular_scope_is_told_from_what_is_none():
    assert is_granular("system/Observation.rs?category=x|y")
    assert is_granular("system/*.read?")
    assert not is_granular("system/Observation.rs")
    assert not is_granular("nonsense?x=y")


def test_a_scope_for_every_type_covers_one_for_a_type_and_not_the_other_way_round():
    everything, one = Scopes("system/*.rs"), Scopes("system/Patient.r")
    assert one.within(everything)
    assert not everything.within(one)
    assert not Scopes("system/Patient.ru").within(everything)
    assert Scopes("system/Patient.cruds").within(Scopes("system/*.rs system/Patient.write"))
    assert not Scopes("v1.read").within(Scopes("system/*.cruds"))
