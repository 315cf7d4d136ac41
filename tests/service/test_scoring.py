import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.instruments import MissingKind, ScoreKind, instrument, load_instruments
from service.scoring import SafetyHit, check_answers, safety_hits, score

PHQ_9 = instrument("phq-9")
ITEM_9, DIFFICULTY = "/44260-8", "/69722-7"
INSTRUMENTS = sorted(load_instruments().values(), key=lambda each: each.id)
SUMMED = [each for each in INSTRUMENTS if each.primary.kind is ScoreKind.SUM]
COMPLETE_ONLY = [
    each
    for each in SUMMED
    if each.primary.missing.kind is MissingKind.NONE
    and not any(item.skip_when or item.enable_when for item in each.items)
]


def _answers(items):
    return st.fixed_dictionaries({item.link_id: st.sampled_from(item.values) for item in items})


def _counting(item):
    return [answer.value for answer in item.answers if answer.score is not None]


def _complete(forms):
    return st.sampled_from(forms).flatmap(
        lambda each: st.tuples(
            st.just(each),
            st.fixed_dictionaries(
                {i.link_id: st.sampled_from(_counting(i)) for i in each.scored_items}
            ),
        )
    )


phq_9_answers = _answers(PHQ_9.scored_items)


@st.composite
def incomplete(draw):
    each, answers = draw(_complete(COMPLETE_ONLY))
    absent = draw(st.sets(st.sampled_from(sorted(answers)), min_size=1))
    return each, {key: value for key, value in answers.items() if key not in absent}, absent


@st.composite
def anything(draw):
    """Some of a form's items with any of their answers, those that count nothing too."""
    each = draw(st.sampled_from(INSTRUMENTS))
    asked = [item for item in each.items if item.answers]
    chosen = draw(st.sets(st.sampled_from([item.link_id for item in asked])))
    return each, draw(_answers([item for item in asked if item.link_id in chosen]))


@given(_complete(SUMMED))
def test_complete_answers_give_a_total_in_range_and_exactly_one_band(case):
    each, answers = case
    result, rule = score(each, answers), each.primary
    counted = [each.by_link_id[k].chosen(answers[k]).score for k in rule.link_ids]
    assert result.total == sum(counted) * rule.factor
    assert each.minimum <= result.total <= each.maximum
    unsexed = [band for band in each.bands if band.sex is None]
    assert [band for band in unsexed if result.total in band] == ([result.band] if unsexed else [])
    assert (result.reason, result.missing) == (None, ())


@given(anything())
def test_any_answers_give_a_value_in_range_or_a_reason_and_never_both(case):
    each, answers = case
    result = score(each, answers)
    assert [found.id for found in result.scores] == [rule.id for rule in each.reported_scores]
    for rule, found in zip(each.reported_scores, result.scores, strict=True):
        assert (found.value is None) is (found.reason is not None)
        assert found.value is None or rule.minimum <= found.value <= rule.maximum
        assert found.value is not None or found.band is None
    assert (result.total, result.reason) == (result.scores[0].value, result.scores[0].reason)


@given(anything(), st.randoms())
def test_the_order_of_answers_changes_nothing(case, rng):
    each, answers = case
    shuffled = list(answers.items())
    rng.shuffle(shuffled)
    assert score(each, dict(shuffled)) == score(each, answers)


@given(incomplete())
def test_a_missing_scored_item_gives_no_total_and_is_named(case):
    each, answers, absent = case
    result = score(each, answers)
    needed = absent & set(each.primary.link_ids)
    assert (result.total is None) is bool(needed)
    assert set(result.missing) == absent
    assert all(link_id in (result.reason or "") for link_id in needed)


@given(phq_9_answers, st.sampled_from([0, 1, 2, 3]))
def test_the_difficulty_item_never_changes_the_total(answers, difficulty):
    assert score(PHQ_9, answers | {DIFFICULTY: difficulty}) == score(PHQ_9, answers)


@given(phq_9_answers)
def test_an_answer_out_of_range_is_named_and_never_repeated(answers):
    [problem] = check_answers(PHQ_9, answers | {ITEM_9: 777})
    assert (problem.link_id, problem.rule) == (ITEM_9, "must be one of 0, 1, 2, 3")


@given(
    st.sampled_from(INSTRUMENTS),
    st.dictionaries(
        st.text() | st.sampled_from([i.link_id for i in PHQ_9.items]), st.integers() | st.none()
    ),
)
def test_any_input_has_an_answer_and_no_error(each, answers):
    check_answers(each, answers)
    score(each, answers)
    safety_hits(each, answers)


@pytest.mark.parametrize("value", [-1, 4, True, 1.0, "1", None])
def test_a_value_that_is_not_a_score_of_the_item_is_refused(value):
    [problem] = check_answers(PHQ_9, {"/44250-9": value})
    assert problem.rule == "must be one of 0, 1, 2, 3"


def test_an_unknown_item_is_refused():
    [problem] = check_answers(PHQ_9, {"/69725-0": 1})
    assert problem.link_id == "/69725-0"
    assert problem.rule == "must be the linkId of an item of PHQ-9 1.0.0"


def test_an_item_whose_answers_were_not_found_cannot_be_recorded():
    [problem] = check_answers(instrument("phq-a"), {"/phq-a/11": 1})
    assert problem.rule == "cannot be recorded: what can be answered was not found in any source"


def test_partial_answers_in_range_are_no_problem():
    assert check_answers(PHQ_9, {"/44250-9": 3}) == []


@pytest.mark.parametrize(
    ("name", "total", "label"),
    [
        ("phq-9", 0, "none/minimal"),
        ("phq-9", 4, "none/minimal"),
        ("phq-9", 5, "mild"),
        ("phq-9", 10, "moderate"),
        ("phq-9", 15, "moderately severe"),
        ("phq-9", 20, "severe"),
        ("phq-9", 27, "severe"),
        ("gad-7", 4, "minimal"),
        ("gad-7", 5, "mild"),
        ("gad-7", 10, "moderate"),
        ("gad-7", 15, "severe"),
        ("gad-7", 21, "severe"),
    ],
)
def test_a_band_begins_and_ends_where_the_literature_says(name, total, label):
    each, answers, left = instrument(name), {}, total
    for item in each.scored_items:
        answers[item.link_id] = min(3, left)
        left -= answers[item.link_id]
    result = score(each, answers)
    assert (result.total, result.band.label) == (total, label)


def test_the_published_us_core_example_has_the_published_total():
    codes = ["LA6570-1"] * 4 + ["LA6569-3"] * 2 + ["LA6570-1"] + ["LA6568-5"] * 2
    answers = {
        item.link_id: item.answer(code).score
        for item, code in zip(PHQ_9.scored_items, codes, strict=True)
    }
    assert score(PHQ_9, answers).total == 12


@given(st.sampled_from([1, 2, 3]))
def test_item_9_alone_raises_the_safety_rule(value):
    hit = SafetyHit(link_id=ITEM_9, minimum_score=1, score=value)
    assert safety_hits(PHQ_9, {ITEM_9: value}) == (hit,)
    assert f"score={value}" not in repr(hit).replace("minimum_score", "")


def test_item_9_not_at_all_raises_nothing():
    assert safety_hits(PHQ_9, {ITEM_9: 0}) == ()


def test_a_missing_item_9_is_not_read_as_zero():
    answers = {item.link_id: 0 for item in PHQ_9.scored_items if item.link_id != ITEM_9}
    assert score(PHQ_9, answers).missing == (ITEM_9,)
    assert score(PHQ_9, answers).total is None
    assert safety_hits(PHQ_9, answers) == ()


def test_an_instrument_without_safety_items_raises_nothing():
    gad_7 = instrument("gad-7")
    assert safety_hits(gad_7, {item.link_id: 3 for item in gad_7.items}) == ()
