"""What each entry of a Bundle asks to be written: the change, or the condition that decides it.

https://hl7.org/fhir/R4/http.html#transaction
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlmodel import Session as DbSession

from service.errors import InvalidElementsError, InvalidError, NotSupportedError
from service.fhir.bundle_entries import Entry, Pairs, condition
from service.fhir.bundle_references import Links, linked
from service.fhir.carrying_out import Effect
from service.fhir.changes import (
    Change,
    Edit,
    Sender,
    deletion,
    located,
    new,
    patching,
    replacement,
)
from service.fhir.conditional import Match, kept, only_match, onto, otherwise
from service.fhir.endpoint import absent
from service.fhir.json_patch import edit_of
from service.fhir.lexical import Lexical
from service.fhir.mapping import ResourceType
from service.fhir.submission import checked, writable

JSON_PATCH = "application/json-patch+json"
_TYPE = re.compile(r"[A-Z][A-Za-z]*")
_INSTANCE = re.compile(r"([A-Z][A-Za-z]*)/([^/?]+)")
_SEARCH = re.compile(r"([A-Z][A-Za-z]*)\?(.+)", re.DOTALL)
_INSTANCE_OR_SEARCH = "must be [type]/[id], or [type]?[search] that says which resource"


@dataclass(frozen=True)
class Planned:
    """What an entry asks for; `change` is None where only its condition can tell."""

    entry: Entry
    kind: ResourceType
    change: Change | None = None
    condition: Pairs | None = None
    edit: Edit | None = None

    @property
    def identity(self) -> str | None:
        """Return what no other entry of the transaction may write; None for a plain create."""
        if self.condition is not None:
            asked = "&".join(f"{name}={value}" for name, value in sorted(self.condition))
            return f"{self.kind.name}?{asked}"
        return self.change.reference if self.change and self.entry.method != "POST" else None


def plan(sender: Sender, entry: Entry) -> Planned:
    """Return what the entry asks for, if this caller may.

    Raises:
        AlongsideError: the entry is wrong, or the caller may not do this.
    """
    if entry.problems:
        raise InvalidElementsError(entry.problems)
    return _PLANS[entry.method](sender, entry)


def _create(sender: Sender, entry: Entry) -> Planned:
    if not _TYPE.fullmatch(entry.url):
        rule = "a POST in a Bundle creates: its url must be a type"
        raise NotSupportedError(rule, element=f"{entry.path}.request.url")
    kind = writable(sender.endpoint, sender.access, entry.url, "c")
    change = new(sender, kind, _resource(entry), b"")
    query = entry.asked.get("ifNoneExist")
    pairs = None if query is None else condition(query.removeprefix("?"))
    return Planned(entry, kind, replace(change, number=entry.number), pairs)


def _update(sender: Sender, entry: Entry) -> Planned:
    name, shown, pairs = _address(entry)
    kind = writable(sender.endpoint, sender.access, name, "u")
    if pairs is None:
        change = replacement(sender, kind, shown, _resource(entry), b"")
    else:
        change = otherwise(sender, new(sender, kind, _resource(entry), b"", letter="u"))
    seen = entry.versions("ifMatch")
    return Planned(entry, kind, replace(change, if_match=seen, number=entry.number), pairs)


def _patch(sender: Sender, entry: Entry) -> Planned:
    name, shown, pairs = _address(entry)
    kind = writable(sender.endpoint, sender.access, name, "u")
    edit, seen = edit_of(name, _patch_document(entry)), entry.versions("ifMatch")
    if pairs is not None:
        return Planned(entry, kind, condition=pairs, edit=edit)
    change = patching(sender, (name, shown), edit, seen)
    return Planned(entry, kind, replace(change, number=entry.number))


def _delete(sender: Sender, entry: Entry) -> Planned:
    name, shown, pairs = _address(entry)
    kind = writable(sender.endpoint, sender.access, name, "d")
    if pairs is not None:
        return Planned(entry, kind, condition=pairs)
    change = deletion(sender, (name, shown), entry.versions("ifMatch"))
    return Planned(entry, kind, replace(change, number=entry.number))


_PLANS: dict[str, Callable[[Sender, Entry], Planned]] = {
    "POST": _create,
    "PUT": _update,
    "PATCH": _patch,
    "DELETE": _delete,
}


def _resource(entry: Entry) -> Lexical:
    if entry.resource is None:
        raise InvalidError("must be a resource", element=f"{entry.path}.resource")
    return entry.resource


def _address(entry: Entry) -> tuple[str, str, Pairs | None]:
    """Return the type with the id, or with the search, of the entry's url."""
    if found := _INSTANCE.fullmatch(entry.url):
        return found[1], found[2], None
    if found := _SEARCH.fullmatch(entry.url):
        return found[1], "", condition(found[2])
    raise InvalidError(_INSTANCE_OR_SEARCH, element=f"{entry.path}.request.url")


def _patch_document(entry: Entry) -> bytes:
    """Return the JSON Patch that a Binary carries."""
    value = _resource(entry).value
    if value.get("resourceType") != "Binary" or value.get("contentType") != JSON_PATCH:
        rule = f"must be a Binary with the contentType {JSON_PATCH}"
        raise NotSupportedError(rule, element=f"{entry.path}.resource")
    try:
        return b64decode(value.get("data", ""), validate=True)
    except (NotBase64, TypeError, ValueError):
        element = f"{entry.path}.resource.data"
        raise InvalidError("must be a JSON Patch in base64", element=element) from None


def drafted(sender: Sender, planned: Planned, links: Links) -> Change | None:
    """Return the change with its resource checked, whatever its links will lead to."""
    change = planned.change
    if change is not None and change.lexical is not None:
        lexical = linked(planned.entry, links) or change.lexical
        checked(sender.writing, change.kind.name, lexical)
        return _with(sender, planned.entry, change, lexical)
    return change


def settled(sender: Sender, planned: Planned, change: Change, links: Links) -> Change:
    """Return the change with its links replaced; its resource was checked before."""
    lexical = linked(planned.entry, links)
    if change.lexical is None or lexical is None:
        return change
    return _with(sender, planned.entry, change, lexical)


def _with(sender: Sender, entry: Entry, change: Change, lexical: Lexical) -> Change:
    body = entry.text.encode() if lexical is entry.resource else lexical.text()
    return located(sender, replace(change, lexical=lexical, body=body))


def _kept(fresh: Change, found: Match) -> Effect:
    effect = kept(fresh, found)
    return effect._replace(change=replace(effect.change, number=fresh.number))


def decided(session: DbSession, sender: Sender, planned: Planned) -> Change | Effect | None:
    """Return the change that the entry's condition decides on.

    An effect stands for a create whose resource is there, None for a delete that finds none.
    """
    if planned.condition is None:
        return planned.change
    entry, name, fresh = planned.entry, planned.kind.name, planned.change
    found = only_match(session, sender, name, planned.condition)
    if fresh is not None:
        if found is None:
            return fresh
        is_post = entry.method == "POST"
        return _kept(fresh, found) if is_post else onto(fresh, found, entry.versions("ifMatch"))
    if found is None:
        if entry.method == "DELETE":
            return None
        raise absent(name)
    address, seen = (name, found.shown), entry.versions("ifMatch")
    if planned.edit is not None:
        change = patching(sender, address, planned.edit, seen)
    else:
        change = deletion(sender, address, seen)
    return replace(change, number=entry.number)
