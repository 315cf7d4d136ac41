"""Worlds to search with older versions in them, and what a granular scope leaves of one.

Everything follows from a seed, as in `search_world`.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlmodel import Session

from service.fhir.documents import Writer, stored_by_id
from service.fhir.mapping import Registry
from service.scopes import Query
from tests.properties.search_oracle import Known, World
from tests.properties.search_world import ABOUT, BEGIN, DAY, Doc, target

AFTER = BEGIN + 100 * DAY


@dataclass(frozen=True)
class Past:
    """A version that was replaced: its number, and what it said."""

    version: int
    doc: Known


def rewrite(session: Session, docs: list[Doc], registry: Registry, seed: int) -> None:
    """Let a half of the documents say what another of their type says; about the same patient."""
    rng = random.Random(seed)
    stored = stored_by_id(session, [doc.stored for doc in docs])
    writer = Writer(session, AFTER, registry.by_type)
    for doc in docs:
        others = [one for one in docs if one.type == doc.type and one.audience is doc.audience]
        if doc.deleted or rng.random() < 0.5:
            continue
        said, about = dict(rng.choice(others).resource), ABOUT.get(doc.type, "subject")
        said.pop(about, None)
        if about in doc.resource:
            said[about] = doc.resource[about]
        changed = replace(doc, resource=said)
        writer.put(target(changed, registry, rng), stored[doc.stored])
    writer.run()


def pasts(world: World, rows: Iterable[Any]) -> list[Past]:
    """The older versions of what the caller may see; a row is an id, a version and its content."""
    by_id = {doc.stored: doc for doc in world.docs}
    return [
        Past(version, replace(by_id[stored], resource=orjson.loads(content), seen={}))
        for stored, version, content in rows
        if stored in by_id
    ]


def is_granted(world: World, doc: Known, kind: str, queries: Iterable[Query]) -> bool:
    """Whether a document, of whichever type, is within a scope of these queries of one type."""
    if doc.type != kind:
        return True
    return any(all(world.matches(doc, *pair) for pair in query) for query in queries)


def granted(world: World, kind: str, queries: Iterable[Query]) -> World:
    """The same world without what is not granted."""
    each = list(queries)
    return replace(world, docs=[doc for doc in world.docs if is_granted(world, doc, kind, each)])
