"""Every answer set of PHQ-9, GAD-7 and AUDIT-C against rules written out here, from their sources.

The rules are those of the published instruments, in plain arithmetic that shares nothing with the
code under test: PHQ-9 and GAD-7 by Kroenke, Spitzer and Williams as CamCOPS's phq9.py and gad7.py
have them, AUDIT-C as LOINC 72109-2 scores it. `None` stands for an item that is not answered.

PHQ-9 has 5^9 sets, 1,953,125: all of them at night, and here every 37th, which is no multiple of 5,
so that each item takes each answer beside each answer of every other.
"""

import os
from itertools import islice, product

import pytest

from service.instruments import instrument
from service.scoring import safety_hits, score

NIGHTLY = os.environ.get("ALONGSIDE_NIGHTLY") == "1"
STRIDE = 1 if NIGHTLY else 37
PHQ_9_ITEMS = (
    "/44250-9", "/44255-8", "/44259-0", "/44254-1", "/44251-7",
    "/44258-2", "/44252-5", "/44253-3", "/44260-8",
)  # fmt: skip
GAD_7_ITEMS = (
    "/69725-0", "/68509-9", "/69733-4", "/69734-2", "/69735-9", "/69689-8", "/69736-7",
)  # fmt: skip
FREQUENCIES = (None, 0, 1, 2, 3)


def phq_9_band(total):
    if total <= 4:
        return "none/minimal"
    if total <= 9:
        return "mild"
    if total <= 14:
        return "moderate"
    return "moderately severe" if total <= 19 else "severe"


def gad_7_band(total):
    if total <= 4:
        return "minimal"
    if total <= 9:
        return "mild"
    return "moderate" if total <= 14 else "severe"


def sets(items, answers=FREQUENCIES, stride=1, first=0):
    """Yield answer sets as (what was answered, in order; the answers by linkId)."""
    for chosen in islice(product(answers, repeat=len(items)), first, None, stride):
        given = {k: v for k, v in zip(items, chosen, strict=True) if v is not None}
        yield chosen, given


def agrees(form, chosen, given, band):
    found = score(form, given)
    if None in chosen:
        missing = tuple(k for k in (i.link_id for i in form.scored_items) if k not in given)
        return (
            found.total is None
            and found.band is None
            and found.missing == missing
            and found.reason is not None
        )
    total = sum(chosen)
    return found.total == total and found.band.label == band(total) and found.reason is None


def item_9_is_told(form, chosen, given):
    hit = bool(safety_hits(form, given))
    return hit is (chosen[8] is not None and chosen[8] >= 1)


@pytest.mark.parametrize("first", range(4 if NIGHTLY else 1))
def test_every_answer_set_of_the_phq_9_is_scored_by_the_published_rule(first):
    form, count = instrument("phq-9"), 0
    shares = 4 if NIGHTLY else 1
    for chosen, given in sets(PHQ_9_ITEMS, stride=STRIDE * shares, first=first):
        count += 1
        assert agrees(form, chosen, given, phq_9_band), chosen
        assert item_9_is_told(form, chosen, given), chosen
    assert count >= 5**9 // (STRIDE * shares)


def test_every_complete_phq_9_of_the_extremes_is_scored():
    form = instrument("phq-9")
    for chosen, given in sets(PHQ_9_ITEMS, answers=(0, 3)):
        assert agrees(form, chosen, given, phq_9_band), chosen


def test_every_answer_set_of_the_gad_7_is_scored_by_the_published_rule():
    form, count = instrument("gad-7"), 0
    for chosen, given in sets(GAD_7_ITEMS):
        count += 1
        assert agrees(form, chosen, given, gad_7_band), chosen
    assert count == 5**7


def audit_c(first, second, third):
    """The total, or None: who never drinks need not say how much."""
    if first == 0:
        second, third = second or 0, third or 0
    return None if None in (first, second, third) else first + second + third


def test_every_answer_set_of_the_audit_c_is_scored_by_the_published_rule():
    form = instrument("audit-c")
    items = ("/68518-0", "/68519-8", "/68520-6")
    for chosen, given in sets(items, answers=(None, 0, 1, 2, 3, 4)):
        found, expected = score(form, given), audit_c(*chosen)
        assert found.total == expected, chosen
        assert (found.reason is None) is (expected is not None), chosen
        if expected is not None:
            assert found.band.label == ("positive" if expected >= 3 else "negative")
            men = form.band(expected, "male").label
            assert men == ("positive" if expected >= 4 else "negative")
