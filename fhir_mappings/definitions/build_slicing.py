"""How a slice is told from the others: its discriminators as conditions on paths.

https://hl7.org/fhir/R4/profiling.html#discriminator
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
# Path below the sliced element, kind of condition, what it asks for.
Condition = tuple[str, str, Any]
# Notes a value set's codes and tells whether it has any that can be listed.
Listed = Callable[[str], bool]


def conditions(
    slice_: Json, sliced: str, elements: list[Json], is_listed: Listed
) -> list[Condition] | None:
    """Return what marks the slice's members; None if that cannot be read from a resource alone."""
    slicing = next((e.get("slicing") for e in elements if e["id"] == sliced), None)
    found: list[Condition] = []
    for discriminator in (slicing or {}).get("discriminator", []):
        some = _one(discriminator, slice_, elements, is_listed)
        if not some:
            return None
        found += [each for each in some if each not in found]
    return found or None


def _one(
    discriminator: Json, slice_: Json, elements: list[Json], is_listed: Listed
) -> list[Condition]:
    kind, path = discriminator["type"], discriminator["path"]
    types = slice_.get("type", [])
    if kind == "type" and path == "$this":
        return [("", "type", sorted(each["code"] for each in types))]
    if kind not in {"value", "pattern"} or "(" in path:
        return []
    if path == "url" and types and types[0]["code"] == "Extension" and "profile" in types[0]:
        return [("url", "fixed", types[0]["profile"][0].partition("|")[0])]
    place = "" if path == "$this" else path
    return (
        _values(slice_, place, elements, inside=False)
        or _values(slice_, place, elements, inside=True)
        or _codes(slice_, place, elements, is_listed)
    )


def _values(slice_: Json, place: str, elements: list[Json], *, inside: bool) -> list[Condition]:
    """Gather what is fixed inside the place, or at it and around it."""
    found: list[Condition] = []
    for element in elements:
        at = _below(slice_, element)
        if at is None or not (_within(at, place) if inside else _within(place, at)):
            continue
        found += [
            (at, "fixed" if key.startswith("fixed") else "pattern", value)
            for key, value in element.items()
            if key.startswith(("fixed", "pattern"))
        ]
    return found


def _codes(slice_: Json, place: str, elements: list[Json], is_listed: Listed) -> list[Condition]:
    for element in elements:
        binding = element.get("binding", {})
        if _below(slice_, element) == place and binding.get("strength") == "required":
            url = binding["valueSet"]
            return [(place, "codes", url)] if is_listed(url) else []
    return []


def _below(slice_: Json, element: Json) -> str | None:
    """Return the element's path below the slice, '' for the slice itself, None if elsewhere."""
    start: str = slice_["id"]
    name: str = element["id"]
    if name == start:
        return ""
    if not name.startswith(f"{start}."):
        return None
    return ".".join(
        part.partition(":")[0].removesuffix("[x]") for part in name[len(start) + 1 :].split(".")
    )


def _within(inner: str, outer: str) -> bool:
    return not outer or inner == outer or inner.startswith(f"{outer}.")
