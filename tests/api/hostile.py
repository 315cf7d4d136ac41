"""Requests that nobody should send, the same for the same seed; sent as raw as they are."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from fhir_mappings.registry import build_registry
from tests.api.fhir_endpoint import Endpoint
from tests.fhir_mappings.mutations import garbled, mutated, samples, written

REGISTRY = build_registry()
TYPES = [kind.name for kind in REGISTRY.types]
FHIR, PATCH = "application/fhir+json", "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
MODIFIERS = (
    "exact", "contains", "missing", "not", "text", "in", "not-in", "above", "below", "identifier",
    "of-type", "type", "iterate", "Patient", "Observation", "Device", "", ":", "%3A", "x" * 3000,
)  # fmt: skip
CONTROLS = (
    "_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_cursor",
    "_format", "_pretty", "_has", "_id", "_lastUpdated", "_tag", "_profile", "_security", "_source",
    "_type", "_since", "_at", "_text", "_content", "_filter", "_list", "_query", "_contained",
    "_include:iterate", "_revinclude:iterate", "start", "end", "max", "url", "code", "system",
)  # fmt: skip
VALUES = (
    "", "-1", "0", "1", "20", "201", "99999999999999999999999", "1e400", "NaN", "-Infinity", "0x10",
    "true", "final", "|", "||", "a|b|c|d", "http://loinc.org|44261-6", "\\", "\\,", "a\\|b", "$",
    "1|2$3", "a$b$c", ",", ",,,,", "gt", "ge2026", "lt2026-13", "eq2026-02-30",
    "ap2026-01-01T25:00",
    "sa0000-00-00", "2026-01-01T00:00:60Z", "-2026", "99999-01-01", "2026-01-01T00:00:00+99:99",
    "Patient/", "Patient/../Observation", "Patient/1/_history/", "http://", "urn:uuid:", "#", "*",
    "Provenance:target", "Observation:subject:Patient", "Patient:*", "*:*", "a:b:c:d:e", "-date",
    "-", "--date", "date,-_id,_lastUpdated", "accurate", "none", "count", "data", "text", "json",
    "xml", "application/fhir+xml", "%00", "a%00b", "%", "%zz", "%u0041", "%ff%fe", "%ed%a0%80",
    "%F0%9F%98%80", "'", "''; DROP TABLE documents; --", '" OR 1=1', "%25", "%5f", "_", "*?",
    "../../etc/passwd", "{}", "[]", "<script>", "\u202e", "%0d%0aX: y", "+", " ", "ⅷ", "ǅ",
    "x" * 5000, "," * 5000, "a," * 3000, "|".join("a" * 300),
)  # fmt: skip
IDS = (
    "0" * 32, "none", "..", ".", "%2e%2e", "%2e%2e%2fPatient", "a%00b", "a_b", "x" * 64, "x" * 4000,
    "", "%", "%zz", "-", "$everything", "_history", "_search", "*", "'", "\xff", "1;2",
)  # fmt: skip


TAILS = (
    "", "", "/_history", "/_history/1", "/_history/0", "/_history/" + "9" * 30, "/_history/x",
    "/_history/1/2", "/$everything", "/$nothing", "/../x", "//", "/_search", "/$validate",
    "/$lastn", "/$match", "/$expand", "/$validate-code",
)  # fmt: skip
POINTERS = (
    "", "/", "/status", "/code/text", "/code/coding/0", "/note/-", "/-", "/~", "/~1", "/meta",
    "/id", "/subject/reference", "/a/b/c", "/code/coding/99999999999", 3,
)  # fmt: skip
REFERENCE = re.compile(r'"reference": "([A-Z][A-Za-z]+)/[^"]*"')


@dataclass(frozen=True)
class Hostile:
    """One request; its path and query are bytes as they stand on the wire."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        said = f"{self.method} {self.path[:300]}?{self.query[:600]} {self.headers}"
        return f"{said} {self.body[:1500]!r}"


def ask(endpoint: Endpoint, token: str, hostile: Hostile) -> tuple[int, dict[str, str], bytes]:
    """Give it to the application without a client that would put it right; return the answer."""
    given = {"host": "testserver", "authorization": f"Bearer {token}", **hostile.headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": hostile.method,
        "scheme": "http",
        "path": _unquoted(hostile.path),
        "raw_path": hostile.path.encode("utf-8", "replace"),
        "root_path": "",
        "query_string": hostile.query.encode("utf-8", "surrogatepass"),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in given.items()],
        "client": ("testclient", 1),
        "server": ("testserver", 80),
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": hostile.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    endpoint.client.portal.call(endpoint.client.app, scope, receive, send)
    headers = {k.decode().lower(): v.decode("latin-1") for k, v in sent[0].get("headers", ())}
    return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


def _unquoted(path: str) -> str:
    """Return the path as a server hands it on."""
    return unquote_to_bytes(path).decode("utf-8", "replace")


@dataclass
class Maker:
    """Makes requests about what is there: `ids` by type, and links that another client got."""

    ids: dict[str, list[str]]
    links: list[str]
    rng: random.Random
    samples: dict[str, list[Any]] = field(default_factory=samples)

    def some(self, count: int, *kinds: str) -> Iterator[Hostile]:
        makers: dict[str, Callable[[], Hostile]] = {
            "query": self.search,
            "read": self.read,
            "resource": self.resource,
            "patch": self.patch,
            "bundle": self.bundle,
            "odd": self.odd,
        }
        for _ in range(count):
            yield makers[self.rng.choice(kinds)]()

    def name(self) -> str:
        return self.rng.choice(
            [*TYPES, "Device", "patient", "", "*", "%00", "Patient%2FObservation"]
        )

    def id(self, name: str) -> str:
        return self.rng.choice([*self.ids.get(name, ["none"])[:3], *self.rng.sample(IDS, 3)])

    def pair(self, name: str) -> str:
        kind = REGISTRY.by_type.get(name)
        own = list(kind.by_name) if kind else ["code"]
        rng = self.rng
        key = rng.choice([*rng.choices(own, k=6), *rng.sample(CONTROLS, 3), "colour"])
        if rng.random() < 0.3:
            key += ":" + rng.choice(MODIFIERS)
        if rng.random() < 0.15:
            key += "." + rng.choice([*own, "name", "organization.name", "a.b.c.d.e", ""])
        if rng.random() < 0.08:
            key = "_has:" * rng.randint(1, 6) + ":".join(
                [rng.choice(TYPES), rng.choice(["subject", "patient", "target", "x"]), key]
            )
        return f"{key}{rng.choice(['=', '=', '=', '==', ''])}{self.value(name)}"

    def value(self, name: str) -> str:
        rng = self.rng
        if rng.random() < 0.25:
            return rng.choice(self.ids.get(name, ["x"]))
        value = rng.choice(VALUES)
        if rng.random() < 0.2:
            value = ",".join([value[:40]] * rng.choice([2, 50, 600]))
        return value

    def query(self, name: str) -> str:
        most = self.rng.choice([1, 1, 2, 3, 5, 8, 200])
        return "&".join(self.pair(name) for _ in range(self.rng.randint(1, most)))

    def search(self) -> Hostile:
        rng, name = self.rng, self.name()
        path, query = f"/fhir/{name}", self.query(name)
        if rng.random() < 0.1 and self.links:
            path, _, query = rng.choice(self.links).partition("?")
            query = (
                query
                if rng.random() < 0.5
                else garbled(query.encode(), rng.random()).decode("latin-1")
            )
        if rng.random() < 0.15:
            path = rng.choice(["/fhir", "/fhir/", f"/fhir/Patient/{self.id('Patient')}/{name}"])
        headers = {
            "prefer": rng.choice(["handling=strict", "handling=lenient", "handling=,;=", ""])
        }
        if rng.random() < 0.2:
            form = {**headers, "content-type": FORM}
            body = query.encode("utf-8", "surrogatepass")
            return Hostile("POST", f"{path.rstrip('/')}/_search", self.query(name), body, form)
        return Hostile(
            rng.choice(["GET", "GET", "GET", "HEAD", "DELETE"]), path, query, b"", headers
        )

    def read(self) -> Hostile:
        rng, name = self.rng, self.name()
        own = f"/fhir/{name}/{self.id(name)}"
        tag = rng.choice(['W/"1"', '"', "*", "W/", "1", ",", 'W/"' + "9" * 400 + '"', "\xff"])
        headers = {
            rng.choice(["if-none-match", "if-match", "if-modified-since", "accept"]): tag,
            "prefer": rng.choice(["return=minimal", "return", ";;", "handling=strict"]),
        }
        query = self.query(name) if rng.random() < 0.5 else ""
        return Hostile(rng.choice(METHODS), own + rng.choice(TAILS), query, b"", headers)

    def body(self, name: str) -> bytes:
        rng = self.rng
        found = rng.choice(self.samples[name])
        found = mutated(found, rng.random()) if rng.random() < 0.8 else found
        body = REFERENCE.sub(self._known, written(found).decode()).encode()
        return garbled(body, rng.random()) if rng.random() < 0.2 and body else body

    def _known(self, match: re.Match[str]) -> str:
        """Return a reference that leads somewhere, so that more than references is tried."""
        known = self.ids.get(match[1])
        where = f"{match[1]}/{known[0]}" if known else f"https://elsewhere.example/{match[1]}"
        return f'"reference": "{where}"'

    def resource(self) -> Hostile:
        rng, name = self.rng, self.rng.choice([one for one in TYPES if self.samples.get(one)])
        address = f"/fhir/{name}/{self.id(name)}"
        method, path = rng.choice(
            [("POST", f"/fhir/{name}"), ("PUT", address), ("PUT", f"/fhir/{name}"),
             ("POST", f"/fhir/{name}/$validate"), ("POST", "/fhir/Patient/$match")]
        )  # fmt: skip
        headers = {"content-type": FHIR, "prefer": "return=OperationOutcome"}
        if rng.random() < 0.2:
            headers["if-none-exist"] = self.query(name).encode("ascii", "replace").decode()[:2000]
        query = self.query(name) if rng.random() < 0.2 or path == f"/fhir/{name}" else ""
        return Hostile(method, path, query, self.body(name), headers)

    def patch(self) -> Hostile:
        rng, name = self.rng, self.rng.choice(["Observation", "Condition", "Patient"])
        operations = [
            {
                "op": rng.choice(["add", "remove", "replace", "move", "copy", "test", "x", None]),
                "path": rng.choice(POINTERS),
                "from": rng.choice(POINTERS),
                "value": rng.choice([None, 1, True, "x", [], {}, {"a": [1.5]}, "x" * 5000, [[]]]),
            }
            for _ in range(rng.choice([1, 2, 5, 30]))
        ]
        body = json.dumps(operations).encode()
        body = garbled(body, rng.random()) if rng.random() < 0.3 else body
        path = f"/fhir/{name}/{rng.choice(self.ids[name])}"
        return Hostile("PATCH", path, "", body, {"content-type": PATCH})

    def bundle(self) -> Hostile:
        rng, entries = self.rng, []
        for _ in range(rng.randint(0, 6)):
            name = rng.choice([one for one in TYPES if self.samples.get(one)])
            url = rng.choice(
                [name, f"{name}/{self.id(name)}", f"{name}?{self.query(name)}", "", "/", "$"]
            )
            entries.append(
                {
                    "fullUrl": rng.choice(["urn:uuid:1", "x", "", f"urn:uuid:{'0' * 36}"]),
                    "request": {"method": rng.choice([*METHODS, "get", 1]), "url": url},
                    "resource": mutated(rng.choice(self.samples[name]), rng.random()),
                }
            )
        kind = rng.choice(["batch", "transaction", "searchset", "x", None])
        body = written({"resourceType": "Bundle", "type": kind, "entry": entries})
        body = garbled(body, rng.random()) if rng.random() < 0.3 else body
        return Hostile("POST", "/fhir", "", body, {"content-type": FHIR})

    def odd(self) -> Hostile:
        """A body that breaks JSON, its size or its media type."""
        bodies = (
            b"", b"null", b"[]", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"resourceType":1e400}',
            b'{"resourceType":"Observation","status":"\\ud800"}',
            b'{"resourceType":"Observation","valueQuantity":{"value":1' + b"0" * 5000 + b"}}",
            b'{"resourceType":"Observation","a":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b'{"resourceType":"Observation","a":' + b'{"a":' * 64 + b"1" + b"}" * 65,
            b'{"resourceType":"Observation","status":"' + b"x" * 990_000 + b'"}',
            b'{"resourceType":"Observation","note":[' + b"{}," * 50_000 + b"{}]}",
            b" " * 1_000_001,
        )  # fmt: skip
        rng = self.rng
        kind = rng.choice([FHIR, FHIR, FHIR, PATCH, FORM, "text/plain", "", ";;", "\xff"])
        path = rng.choice(["/fhir", "/fhir/Observation", "/fhir/Observation/x", "/fhir/_search"])
        method = rng.choice(["POST", "PUT", "PATCH", "GET"])
        return Hostile(method, path, "", rng.choice(bodies), {"content-type": kind})
