"""The smallest resource of every type, and one for each element, made from R4's tables."""

from decimal import Decimal

from fhir_mappings.definitions.table import table

VALUES = {
    "base64Binary": "aGk=",
    "boolean": True,
    "canonical": "http://example.org/a",
    "code": "a",
    "date": "2024",
    "dateTime": "2024-01",
    "decimal": Decimal("1.50"),
    "id": "a",
    "instant": "2024-01-01T10:00:00.12345678Z",
    "integer": 1,
    "markdown": "a",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "a",
    "time": "10:00:00",
    "unsignedInt": 0,
    "uri": "urn:example:a",
    "url": "http://example.org",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}
EXTENSION = {"url": "http://example.org/e", "valueString": "a"}
EXTENDED = {"extension": [EXTENSION]}


def smallest(kind):
    """Make the type with what it requires and no more; invariants are not looked at."""
    if kind == "Reference":
        return {"display": "x"}
    made = {"resourceType": kind} if kind in table().resources else {}
    found = table().types[kind]
    for _, keys in found.required:
        key = min(key for key in keys if not key.startswith("_"))
        made[key] = filled(found.elements[key])
    if kind == "Extension":
        made["valueString"] = "a"
    return made or dict(EXTENDED)


def filled(element):
    value = _one(element)
    return [value] if element.many else value


def _one(element):
    if element.type == "Resource":
        return {"resourceType": "Basic", "code": {"text": "x"}}
    if element.check:
        return min(element.codes) if element.codes else VALUES[element.type]
    if element.codings:
        system, code = min(element.codings)
        coding = {"system": system, "code": code}
        return coding if element.type == "Coding" else {"coding": [coding]}
    return smallest(element.type)


def _with(kind, key, value):
    made = smallest(kind)
    for _, keys in table().types[kind].choices:
        if key in keys:
            made = {name: each for name, each in made.items() if name not in keys}
    return made | {key: value}


def elements(kind, place=lambda value: value, path="", seen=None):
    """Yield each element in a resource that has it, those of its types once each."""
    seen = set() if seen is None else seen
    if kind in seen:
        return
    seen.add(kind)
    for key, element in table().types[kind].elements.items():
        if key == "resourceType":
            continue
        if key.startswith("_"):
            value = [EXTENDED] if element.many else EXTENDED
            made = {k: v for k, v in _with(kind, key, value).items() if k != key[1:]}
        else:
            made = _with(kind, key, filled(element))
        yield f"{path}.{key}", place(made)
        if not element.check and element.type != "Resource" and not key.startswith("_"):
            inside = _inside(kind, key, element, place)
            yield from elements(element.type, inside, f"{path}.{key}", seen)


def _inside(kind, key, element, place):
    return lambda value: place(_with(kind, key, [value] if element.many else value))
