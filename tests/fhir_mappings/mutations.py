"""Resources broken in one to three places, the same for the same seed."""

import copy
import json
import random
from pathlib import Path

from fhir_mappings.definitions.table import table
from service.fhir.lexical import parse
from tests.fhir_mappings.made import elements, smallest
from tests.fhir_mappings.responses import SECRET

US_CORE = Path(__file__).parents[1] / "data" / "us-core"
HOSTILE = (
    None, True, False, 0, -1, 2**31, 2**63, 1e308, "", " ", "\u00a0", "\x01", SECRET, "..", "#",
    "Patient/..", "Patient/1/_history/", "urn:uuid:", "http://", "9999-99-99",
    "2024-02-30T25:61:61Z", "#x",
    "\U0001f600", "a" * 70_000, [], {}, [None], [[]], [{}], {"id": "a"}, {"resourceType": SECRET},
    {"resourceType": "Patient", "id": "p"}, {"resourceType": "Medication", "id": "m", "status": 5},
    {"resourceType": ["Patient"]}, {"extension": [{"url": "http://example.org"}]},
    {"reference": "#x"},
    {"reference": "Medication/1"}, {"coding": [{"system": "x", "code": SECRET}]}, {"value": "1"},
    {"start": "2024-01-02", "end": "2024-01-01"}, {"div": "<div>"}, {"": ""}, {"__proto__": 1},
)  # fmt: skip
KEYS = (
    "resourceType", "id", "_id", "meta", "contained", "text", "extension", "modifierExtension",
    "status", "value", "valueString", "_valueString", "fhir_comments", "subject", "item", "code",
    "", "a b", "x" * 10_000, "\u0000", "__class__", "Observation", "identifier",
)  # fmt: skip


def samples():
    """Return, for each type, the examples of US Core and a few made from R4's tables."""
    found = {kind: [smallest(kind)] for kind in sorted(table().resources)}
    for path in sorted(US_CORE.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            value = parse(line).value
            found[value["resourceType"]].append(value)
    for kind, some in found.items():
        if len(some) == 1:
            some += [resource for _, resource in list(elements(kind))[:60]]
    return found


def mutated(resource, seed):
    chance = random.Random(seed)
    changed = copy.deepcopy(resource)
    for _ in range(chance.randint(1, 3)):
        _change(changed, chance)
    return changed


def _change(resource, chance):
    node = chance.choice(list(_nodes(resource)))
    if isinstance(node, list):
        _change_list(node, chance)
        return
    key = chance.choice(sorted(node)) if node else "x"
    act = chance.randrange(5)
    if act == 0:
        node.pop(key, None)
    elif act == 1:
        node[key] = copy.deepcopy(chance.choice(HOSTILE))
    elif act == 2:
        node[chance.choice(KEYS)] = copy.deepcopy(chance.choice(HOSTILE))
    elif act == 3:
        node[chance.choice(KEYS)] = copy.deepcopy(node.get(key))
    else:
        node[key] = [node.get(key)] * chance.randint(1, 3)


def _change_list(node, chance):
    act = chance.randrange(3)
    if act == 0 and node:
        node.pop(chance.randrange(len(node)))
    elif act == 1:
        node.insert(chance.randint(0, len(node)), copy.deepcopy(chance.choice(HOSTILE)))
    else:
        node.extend(copy.deepcopy(node[:1]) * chance.randint(1, 60))


def _nodes(node):
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _nodes(child)


def garbled(body, seed):
    """Change some bytes: what is left may be JSON still."""
    chance = random.Random(seed)
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        some = chance.choice([b'"', b"{", b"]", b",", b"\\", b"\\ud800", b"\x00", b"\xff", b"1e400", b"NaN", b"-"])  # fmt: skip  # noqa: E501
        changed[at : at + chance.randint(0, 3)] = some
    return bytes(changed[: chance.choice([None, None, None, len(changed) // 2])])


def written(resource):
    return json.dumps(resource, default=float).encode()
