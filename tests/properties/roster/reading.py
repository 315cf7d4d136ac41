"""Questions that read one thing, its history or that of many; and what is asked beside /fhir."""

import base64
import random
from urllib.parse import quote

from tests.properties.roster.knowing import Known
from tests.properties.roster.questions import FORM, Maker, Question, encoded, get, named, sent
from tests.properties.roster.searching import PEOPLE

NOBODY = "0" * 32
TAGS = ('W/"1"', 'W/"2"', 'W/"3"', 'W/"99"')
V1 = (
    "/v1/patients", "/v1/patients/{}", "/v1/patients/{}/consents", "/v1/patients/{}/links",
    "/v1/patients/{}/timeline", "/v1/patients/{}/merges", "/v1/groups", "/v1/groups/{}",
    "/v1/groups/{}/enrollments", "/v1/groups/{}/waitlist", "/v1/sessions/{}/attendance",
    "/v1/alerts", "/v1/connections", "/v1/clients", "/v1/instruments", "/v1/load",
    "/v1/responses/{}", "/v1/facilitators", "/v1/nothing",
)  # fmt: skip
OPEN = (
    "/fhir/metadata", "/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration",
    "/package.tgz", "/oauth/jwks", "/calendar/{}.ics", "/livez",
    "/readyz", "/", "/oauth/register", "/fhir", "/fhir/$nothing", "/nothing", "/metrics",
)  # fmt: skip


def one(rng: random.Random, known: Known) -> Question:
    """A read by id, plain, in a shorter form, or if it has changed."""
    doc = known.doc(rng)
    kind = doc.type if rng.random() < 0.9 else rng.choice(PEOPLE)
    shown = doc.id if rng.random() < 0.9 else rng.choice((NOBODY, *known.words))
    form = rng.choice(((), (), (("_summary", "true"),), (("_elements", "id"),)))
    return get(f"/fhir/{kind}/{quote(shown)}", *form, **unless(rng))


def unless(rng: random.Random) -> dict[str, str]:
    ways: list[dict[str, str]] = [
        {}, {},
        {"if_none_match": rng.choice(TAGS)},
        {"if_modified_since": "Sat, 30 May 2026 12:00:00 GMT"},
    ]  # fmt: skip
    return rng.choice(ways)


def version(rng: random.Random, known: Known) -> Question:
    doc = known.doc(rng)
    number = rng.choice((1, 1, 2, 3, doc.version, doc.version + 1))
    return get(f"/fhir/{doc.path}/_history/{number}")


def history(rng: random.Random, known: Known) -> Question:
    return get(f"/fhir/{known.doc(rng).path}/_history", *since(rng), pages=rng.choice((0, 2)))


def since(rng: random.Random) -> list[tuple[str, str]]:
    size = ("_count", str(rng.choice((1, 2, 3, 20))))
    return rng.choice(([], [size], [("_since", "2026-05-30T00:00:00Z")]))


def history_of_many(rng: random.Random, _known: Known) -> Question:
    """Of a type, or of everything."""
    kind = rng.choice(PEOPLE)
    path = rng.choice(("/fhir/_history", f"/fhir/{kind}/_history", f"/fhir/{kind}/_history"))
    return get(path, *since(rng), *oldest(rng), pages=rng.choice((0, 4)))


def oldest(rng: random.Random) -> list[tuple[str, str]]:
    return [("_sort", "_lastUpdated")] if rng.random() < 0.2 else []


def judged(rng: random.Random, known: Known) -> Question:
    """`$validate` of what is stored, and of what another has."""
    doc = known.doc(rng)
    if rng.random() < 0.5:
        return get(f"/fhir/{doc.path}/$validate")
    mode = {"name": "mode", "valueCode": rng.choice(("create", "update", "delete"))}
    whole = {"name": "resource", "resource": {**doc.resource, "resourceType": doc.type}}
    body = {"resourceType": "Parameters", "parameter": [whole, mode]}
    place = rng.choice((doc.type, doc.path))
    return sent("POST", f"/fhir/{place}/$validate", body)


def batch_of_reads(rng: random.Random, known: Known) -> Question:
    asked = [rng.choice((one, version, history, history_of_many))(rng, known) for _ in range(4)]
    entry = [
        {"request": {"method": "GET", "url": each.path.removeprefix("/fhir/")}} for each in asked
    ]
    kind = rng.choice(("batch", "transaction"))
    return sent("POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": entry})


def programmes(rng: random.Random, known: Known) -> Question:
    """/v1, which is not for hospitals, whoever is asked about."""
    path = rng.choice(V1).format(rng.choice(known.words))
    if rng.random() < 0.2:
        return sent("POST", quote(path), {"family": "x"}, "application/json")
    return get(quote(path))


def in_the_open(rng: random.Random, known: Known) -> Question:
    """What anybody may ask, with a token or without."""
    path = quote(rng.choice(OPEN).format(rng.choice(known.words)))
    return Question("GET", path, client=rng.choice(("full", None)))


def authorizing(rng: random.Random, known: Known) -> Question:
    """Tokens asked for, looked at and revoked, by who cannot prove itself."""
    name = rng.choice(("full", "client-b", "platform", "nobody", *known.words))
    word = rng.choice(known.words)
    form = {
        "grant_type": rng.choice(("client_credentials", "password")),
        "scope": rng.choice(("system/*.rs", "v1.read", "system/Patient.rs?identifier=1")),
        "token": word,
    }
    path = rng.choice(("/oauth/token", "/oauth/introspect", "/oauth/revoke"))
    headers = named({"authorization": basic(name, word), "content-type": FORM})
    return Question("POST", path, encoded(*form.items()).encode(), headers, client=None)


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def with_a_bad_token(rng: random.Random, known: Known) -> Question:
    return Question("GET", f"/fhir/{known.doc(rng).path}", client=rng.choice(known.words))


READS: tuple[tuple[int, Maker], ...] = (
    (9, one),
    (4, version),
    (4, history),
    (5, history_of_many),
    (3, judged),
    (3, batch_of_reads),
    (2, programmes),
    (2, in_the_open),
    (1, authorizing),
    (1, with_a_bad_token),
)
