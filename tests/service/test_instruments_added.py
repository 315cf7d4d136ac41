"""Definitions that an operator adds: read at each start, and refused in sentences."""

import json
from pathlib import Path

import pytest

from service import instruments
from service.instruments import added, parsing, shipped
from service.scoring import score
from tests.service.instrument_files import GARDEN, garden

SOURCES = {each.id: each for each in shipped()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    where = tmp_path / "instruments"
    monkeypatch.setenv("ALONGSIDE_INSTRUMENTS_FOLDER", str(where))
    instruments.forget()
    yield where
    monkeypatch.undo()
    instruments.forget()


def file(tmp_path, text):
    path = tmp_path / "file.json"
    path.write_text(text, encoding="utf-8")
    return path


def licensed(name, **changes):
    """The shipped file of an instrument with words put in, as a licensed copy has them."""
    source = Path(added.__file__).with_name(f"{name}.json")
    data = json.loads(source.read_text(encoding="utf-8"))
    for item in data["items"]:
        item["text"] = f"Licensed words of item {item['number']}"
    return json.dumps(data | changes)


def test_an_added_questionnaire_is_there_after_the_next_start(folder, tmp_path):
    assert added.add(file(tmp_path, garden()), shipped()).id == "garden"
    instruments.forget()
    assert instruments.instrument("garden").name == "Garden scale"
    assert instruments.by_canonical(instruments.instrument("garden").canonical).id == "garden"
    assert [each.name for each in folder.iterdir()] == ["garden-1.0.0.json"]


@pytest.mark.usefixtures("folder")
def test_a_licensed_copy_stands_in_the_place_of_what_has_no_words(tmp_path):
    added.add(file(tmp_path, licensed("isi")), shipped())
    instruments.forget()
    form = instruments.instrument("isi", "1.0.0")
    assert form.text_ships
    assert len([each for each in instruments.all_versions() if each.id == "isi"]) == 1


def test_a_copy_that_counts_otherwise_needs_another_version(folder, tmp_path):
    lists = {"0-4": [{"code": None, "display": None, "value": v, "score": 4 - v} for v in range(5)]}
    text = licensed("isi", answer_lists=lists)
    with pytest.raises(added.InstrumentFileError, match="give it another version"):
        added.add(file(tmp_path, text), shipped())
    assert not folder.exists()
    added.add(file(tmp_path, json.dumps(json.loads(text) | {"version": "2.0.0"})), shipped())
    instruments.forget()
    assert instruments.instrument("isi").version == "2.0.0"
    assert instruments.instrument("isi", "1.0.0") == SOURCES["isi"]


@pytest.mark.usefixtures("folder")
def test_what_ships_with_its_words_is_not_replaced(tmp_path):
    with pytest.raises(added.InstrumentFileError, match="ships with its words"):
        added.add(file(tmp_path, licensed("phq-9")), shipped())


def test_without_a_folder_nothing_is_added(tmp_path, monkeypatch):
    monkeypatch.delenv("ALONGSIDE_INSTRUMENTS_FOLDER", raising=False)
    with pytest.raises(added.InstrumentFileError, match="ALONGSIDE_INSTRUMENTS_FOLDER"):
        added.add(file(tmp_path, garden()), shipped())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "lacks the key"),
        ("7", "is not a definition"),
        ('"words"', "is not a definition"),
        ("{}", "lacks the key 'scores'"),
        (garden(items=None), "is not a definition"),
        (garden(items=[7]), "is not a definition"),
        (garden(colour="blue"), "unexpected keyword argument 'colour'"),
        (garden(answer_lists={}), "lacks the key '0-2'"),
        (garden(scores=[]), "it has no score"),
        (garden(panel="44249-1"), ""),
        (garden(panel="44249-2"), "44249-2 has a wrong check digit"),
        (garden(url="https://alongside.example/fhir/Questionnaire/phq-9"), "its url is that of"),
        (garden(version="new"), "its version must be numbers"),
        (garden(id="Garden"), "its id must be of lower-case letters"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(folder, tmp_path, text, said):
    if not said:
        assert added.problems(parsing.read(text), shipped()) == []
        return
    with pytest.raises(added.InstrumentFileError) as caught:
        added.add(file(tmp_path, text), shipped())
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert not folder.exists()


def leaves(node, path=()):
    """Yield the path to every value of a JSON document, those that hold others too."""
    for key in node if isinstance(node, dict) else range(len(node)):
        yield (*path, key)
        if isinstance(node[key], dict | list):
            yield from leaves(node[key], (*path, key))


def changed(data, path, value):
    copy = json.loads(json.dumps(data))
    *before, last = path
    inner = copy
    for key in before:
        inner = inner[key]
    inner[last] = value
    return json.dumps(copy)


@pytest.mark.parametrize("value", [None, 7, -1.5, True, "x", [], {}, [7], {"x": 7}], ids=repr)
def test_whatever_stands_anywhere_in_a_file_is_taken_or_refused_in_a_sentence(tmp_path, value):
    for path in list(leaves(GARDEN)):
        try:
            form = added.read_file(file(tmp_path, changed(GARDEN, path, value)))
        except added.InstrumentFileError:
            continue
        if not added.problems(form, ()):
            score(form, {"/garden/1": 1, "/garden/2": 1})


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(added.InstrumentFileError, match="cannot be read"):
        added.read_file(tmp_path / "absent.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(added.InstrumentFileError, match="is not UTF-8"):
        added.read_file(tmp_path / "bytes.json")


def test_a_file_that_broke_after_it_was_added_is_named_at_the_next_start(folder):
    folder.mkdir()
    (folder / "broken.json").write_text("{")
    instruments.forget()
    with pytest.raises(added.InstrumentFileError, match=r"broken\.json is not JSON"):
        instruments.all_versions()
