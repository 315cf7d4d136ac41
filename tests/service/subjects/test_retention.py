"""Rules of retention are data, and none is made up."""

from datetime import date

import pytest

from service.errors import RetentionError
from service.subjects.holding import Kind
from service.subjects.retention import CountedFrom, keeping, rules_of, years_after

DAYS = {
    CountedFrom.LAST_CONTACT: date(2020, 2, 29),
    CountedFrom.RECORD: date(2019, 5, 1),
    CountedFrom.BIRTH: None,
}


def stated(tmp_path, text):
    file = tmp_path / "retention.toml"
    file.write_text(text)
    return rules_of(None, str(file))


def rule(kinds='["*"]', years=10, counted="last-contact", source="Act, section 1"):
    return f'[[rule]]\nkinds = {kinds}\nyears = {years}\nfrom = "{counted}"\nsource = "{source}"\n'


def test_nothing_holds_until_the_operator_has_stated_it():
    assert rules_of(None, None) == ()
    assert rules_of("ZZ", None) == ()


def test_a_jurisdiction_that_was_named_has_its_rules_with_their_source():
    (found,) = rules_of("GB-ENG", None)
    assert found.source.startswith("Records Management Code of Practice 2021")
    end, _ = keeping([found], Kind.ATTENDANCE, DAYS)
    assert end == date(2040, 2, 29)


def test_the_rule_that_keeps_longest_counts(tmp_path):
    rules = stated(tmp_path, rule() + rule('["responses"]', 12, "record", "Another Act"))
    assert keeping(rules, Kind.RESPONSES, DAYS) == (date(2031, 5, 1), "Another Act")
    assert keeping(rules, Kind.ALERTS, DAYS) == (date(2030, 3, 1), "Act, section 1")
    assert keeping(stated(tmp_path, rule('["alerts"]')), Kind.RESPONSES, DAYS) is None


def test_a_day_that_is_not_known_keeps(tmp_path):
    rules = stated(tmp_path, rule(years=0) + rule(years=25, counted="birth", source="Born"))
    assert keeping(rules, Kind.RESPONSES, DAYS) == (None, "Born")


def test_the_29th_of_february_is_followed_by_the_1st_of_march():
    assert years_after(date(2020, 2, 29), 1) == date(2021, 3, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not TOML"),
        ("other = 1", "nothing else"),
        (rule('["moods"]'), "kinds are person"),
        (rule(years=-1), "whole number"),
        (rule(years=1.5), "whole number"),
        (rule(counted="yesterday"), "last-contact, record or birth"),
        (rule(source=" "), "rests on"),
        ("[[rule]]\nyears = 1\n", "a rule has"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_named(tmp_path, text, said):
    with pytest.raises(RetentionError, match=said):
        stated(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RetentionError, match="no such file"):
        rules_of(None, str(tmp_path / "none.toml"))
