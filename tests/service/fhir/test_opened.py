"""For who broke the glass the ceiling has an alternative, wherever the read path compares it."""

import re
from pathlib import Path

import service.fhir
from service.fhir.interactions import history_instance, read, vread
from service.fhir.opened import CEILING, beyond_ceiling
from service.fhir.search import VISIBLE

HERE = Path(service.fhir.__file__).parent
COMPARED = re.compile(r"confidentiality\s*[<>]=?\s*\S+")
# By a number of ours: what is written, or in whose Bundle it is.
BY_NUMBER = {"confidentiality > access.ceiling:"}


def test_the_alternative_stands_beside_the_ceiling_and_its_keys_in_their_place():
    sql = f"SELECT a FROM documents d WHERE d.type = ? AND {VISIBLE} AND d.b = ?"
    text, args = beyond_ceiling(sql, ("Flag", 1, 4, "b"), ("k1", "k2"), 9)
    assert args == ("Flag", 1, 9, "k1", "k2", 4, "b")
    theirs = "d.audience = ? AND d.patient_key IN (?, ?) AND d.type <> 'Group'"
    assert f"(d.confidentiality <= ? OR ({theirs}))" in text
    assert text.count("?") == len(args)


def test_versions_are_those_of_the_patients_documents():
    for sql in (vread.OLDER, history_instance.OLDER):
        args = tuple(range(sql.count("?")))
        text, given = beyond_ceiling(sql, args, ("k",), 99)
        assert "confidentiality <= ? OR id IN (SELECT o.id FROM documents o" in text
        assert text.count("?") == len(given)
        assert [each for each in given if each not in {"k", 99}] == list(args)


def test_a_statement_without_a_ceiling_stays_as_it_is():
    plain = "SELECT 1 WHERE ? = ?"
    assert beyond_ceiling(plain, (1, 2), ("k",), 9) == (plain, (1, 2))
    assert len(CEILING.findall(read.CURRENT)) == 1


def test_every_comparison_with_the_ceiling_is_in_the_words_that_are_looked_for():
    found = {
        each
        for file in HERE.rglob("*.py")
        if file.name != "opened.py"
        for each in COMPARED.findall(file.read_text())
    }
    assert {each.rstrip("\"'") for each in found} - BY_NUMBER == {"confidentiality <= ?"}
