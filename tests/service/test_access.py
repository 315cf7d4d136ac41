"""Scopes, in the spelling of SMART 1 and 2.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from itertools import combinations
from uuid import UUID

import pytest

from service.access import Access, Scopes, is_scope, require_scope
from service.errors import ValueSetError

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
     "system/Patient.rs?", "system/Patient.rs?category", "system/Pätient.rs"],
)  # fmt: skip
def test_anything_else_is_no_scope(text):
    assert not is_scope(text)
    assert Scopes(text).letters == {}


@pytest.mark.parametrize("text", ["patient/Patient.rs", "user/*.read", "patient/*.rs?name=x"])
def test_scopes_of_a_launch_are_not_granted_with_the_reason(text):
    with pytest.raises(ValueSetError, match="only system/ is granted here"):
        require_scope(text)


def query(text: str) -> frozenset[tuple[str, str]]:
    return frozenset({tuple(text.split("="))})


@pytest.mark.parametrize(
    ("text", "letters", "expected"),
    [
        ("system/Observation.rs?code=a", "r", {query("code=a")}),
        ("system/Observation.rs?code=a", "c", set()),
        ("system/Observation.r?code=a system/Observation.s?code=b", "s", {query("code=b")}),
        (
            "system/Observation.r?code=a system/*.s?_tag=b",
            "rs",
            {query("code=a"), query("_tag=b")},
        ),
        ("system/Observation.r?code=a system/Observation.cruds", "r", None),
        ("system/Observation.r?code=a system/*.read", "r", None),
        ("system/Patient.r?name=a", "r", set()),
        ("system/Observation.rs", "r", None),
    ],
)
def test_what_is_granted_on_some_resources_is_told_by_letter(text, letters, expected):
    found = access(text).queries("Observation", letters)
    assert (found if found is None else set(found)) == expected


def access(text: str) -> Access:
    return Access(
        client_id=UUID(int=1), client="a", audience=2, connection_id=UUID(int=2), ceiling=2,
        roster_role=True, scopes=Scopes(text),
    )  # fmt: skip


def test_a_type_of_which_some_resources_are_granted_may_be_asked_for():
    some = access("system/Observation.rs?code=a")
    assert some.may("Observation", "r")
    assert not some.may("Observation", "u")
    assert some.scopes.within(Scopes("system/Observation.read"))
    assert not Scopes("system/Observation.rs").within(some.scopes)


def test_a_scope_for_every_type_covers_one_for_a_type_and_not_the_other_way_round():
    everything, one = Scopes("system/*.rs"), Scopes("system/Patient.r")
    assert one.within(everything)
    assert not everything.within(one)
    assert not Scopes("system/Patient.ru").within(everything)
    assert Scopes("system/Patient.cruds").within(Scopes("system/*.rs system/Patient.write"))
    assert not Scopes("v1.read").within(Scopes("system/*.cruds"))
