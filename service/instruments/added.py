"""Definitions that an operator adds as files: licensed copies with their words, and new ones.

A file in the folder of ALONGSIDE_INSTRUMENTS_FOLDER is read when a process starts. One with the id
and version of a definition that ships without words stands in its place, if it asks and counts
exactly as that does: what was stored by it then still means what it meant.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from service.canonical import rebased
from service.errors import AlongsideError
from service.instruments import lint
from service.instruments.definitions import Instrument
from service.instruments.items import Item
from service.instruments.kinds import wrong_kinds
from service.instruments.parsing import read
from service.instruments.score_rules import ScoreRule
from service.settings import Canonical


class InstrumentFileError(AlongsideError):
    """A questionnaire's data file cannot be used; the message says all that is wrong."""


def folder() -> Path | None:
    """Return where added files are, null where the operator has not said."""
    name = Canonical().instruments_folder
    return Path(name) if name else None


def read_added(where: Path | None) -> list[Instrument]:
    """Return what was added.

    Raises:
        InstrumentFileError: a file was broken after it was added.
    """
    files = sorted(where.glob("*.json")) if where is not None else []
    return [read_file(each) for each in files]


def read_file(path: Path) -> Instrument:
    """Return the definition in a file, or say in a sentence why there is none."""
    try:
        form = read(rebased(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InstrumentFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InstrumentFileError(f"{path} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InstrumentFileError(f"{path} is not JSON: {error}") from error
    except KeyError as error:
        raise InstrumentFileError(f"{path} lacks the key {error}") from error
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InstrumentFileError(f"{path} is not a definition: {_plain(error)}") from error
    if wrong := list(wrong_kinds(form)):
        raise InstrumentFileError(f"{path} is not a definition: {', '.join(wrong)}")
    return form


def merged(shipped: Iterable[Instrument], added: Iterable[Instrument]) -> list[Instrument]:
    """Return both, what was added in place of what ships with the same id and version."""
    found = {(each.id, each.version): each for each in shipped}
    return list((found | {(each.id, each.version): each for each in added}).values())


def problems(form: Instrument, shipped: Sequence[Instrument]) -> list[str]:
    """Say what is wrong with a definition, by itself and beside those that ship."""
    beside = merged(shipped, [form])
    known = {each.url: each.id for each in shipped}
    found = [each for each in lint.problems(beside) if each.startswith(f"{form.id}: ")]
    if known.get(form.url, form.id) != form.id:
        found.append(f"{form.id}: its url is that of {known[form.url]}")
    for each in shipped:
        if (each.id, each.version) == (form.id, form.version):
            found += _differences(each, form)
    return found


def add(path: Path, shipped: Sequence[Instrument]) -> Instrument:
    """Copy a file to the folder where each start reads it, unless it is wrong.

    Raises:
        InstrumentFileError: it is wrong, or there is no folder; nothing was copied.
    """
    where = folder()
    if where is None:
        raise InstrumentFileError(
            "set ALONGSIDE_INSTRUMENTS_FOLDER to where added questionnaires shall be kept"
        )
    form = read_file(path)
    if wrong := problems(form, shipped):
        raise InstrumentFileError(f"{path} was not added. " + ". ".join(wrong))
    where.mkdir(parents=True, exist_ok=True)
    target = where / f"{form.id}-{form.version}.json"
    written = target.with_suffix(".new")
    written.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    os.replace(written, target)  # noqa: PTH105 - whole or not at all
    return form


def _plain(error: Exception) -> str:
    """Return the message without the names of our functions."""
    return str(error).rpartition("__init__() ")[2]


def _differences(ours: Instrument, theirs: Instrument) -> list[str]:
    if ours.text_ships:
        return [f"{ours.id}: version {ours.version} ships with its words; give yours another"]
    if _counting(ours) == _counting(theirs):
        return []
    what = f"it asks or counts otherwise than the version {ours.version} that ships"
    return [f"{ours.id}: {what}; give it another version"]


def _counting(form: Instrument) -> tuple[object, ...]:
    """Return all that stored answers and scores depend on, without words and codes."""
    rules = frozenset((rule.link_id, rule.minimum_score) for rule in form.safety)
    return [*map(_asked, form.items)], [*map(_scored, form.scores)], rules


def _asked(item: Item) -> tuple[object, ...]:
    depends = (item.enable_when, item.skip_when, item.required)
    return item.link_id, [(each.value, each.score) for each in item.answers], depends


def _scored(score: ScoreRule) -> tuple[object, ...]:
    missing = (score.missing.kind, score.missing.minimum_answered)
    tree = [(each.rank, each.when) for each in score.categories]
    made = (score.kind, score.link_ids, score.factor, score.at_least, score.of, score.reported)
    return score.id, made, missing, tree, dict(score.table)
