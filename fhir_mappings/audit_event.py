"""AuditEvents of audit rows, after the patterns of IHE BALP; rendered when they are read.

https://profiles.ihe.net/ITI/BALP/content.html
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from fhir_mappings.audit_kinds import PROFILE, Shape, shape_of

Json = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DCM = "http://dicom.nema.org/resources/ontology/DCM"
OUTCOMES = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SOURCE = "http://terminology.hl7.org/CodeSystem/security-source-type"
OF_REQUESTS = {
    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "code": "XrequestId",
}
ID = r"[A-Za-z0-9\-.]{1,64}"
RESOURCE = re.compile(rf"/fhir/([A-Z][A-Za-z]+/{ID}(?:/_history/{ID})?)(?:/.*)?$")
FORGOTTEN = {"display": "A person who was forgotten"}
UNSENT = "The change was committed; nobody got the answer"


@dataclass(frozen=True, kw_only=True)
class AuditFacts:
    """What one AuditEvent says: a row as its reader may see it, about one patient or none."""

    id: str
    at: int  # microseconds since 1970
    request_id: str
    method: str
    route: str
    path: str
    status: int
    query: str | None = None
    client: str | None = None
    person: str | None = None
    address: str | None = None
    purpose: str | None = None
    decision: str | None = None
    kind: str | None = None
    patient: str | None = None  # the id of the reader's Patient
    about_somebody: bool = False  # who may have been forgotten
    closed: bool = False


def render(facts: AuditFacts, base: str) -> Json:
    """Return the AuditEvent; `base` is the address of the server."""
    shape = shape_of(facts.method, facts.route, facts.status, facts.decision, facts.kind)
    entities = list(_entities(facts, shape, base))
    found: Json = {
        "resourceType": "AuditEvent",
        "id": facts.id,
        "meta": {"lastUpdated": _instant(facts.at)},
        "type": shape.type,
        **({"subtype": list(shape.subtype)} if shape.subtype else {}),
        "action": shape.action,
        "recorded": _instant(facts.at),
        "outcome": _outcome(facts.status),
    }
    if (profile := _profile(facts, shape, entities)) is not None:
        found["meta"]["profile"] = [PROFILE + profile]
    if description := _description(facts):
        found["outcomeDesc"] = description
    if facts.purpose:
        found["purposeOfEvent"] = [_purpose(facts.purpose)]
    found["agent"] = list(_agents(facts, shape, base))
    found["source"] = {
        "site": base,
        "observer": _observer(base),
        "type": [{"system": SOURCE, "code": "4", "display": "Application Server"}],
    }
    return found | {"entity": entities}


def _instant(at: int) -> str:
    moment = EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _outcome(status: int) -> str:
    if status < 400:  # noqa: PLR2004 - HTTP's
        return "0"
    return "4" if status < 500 else "8"  # noqa: PLR2004 - HTTP's


def _description(facts: AuditFacts) -> str | None:
    if facts.status == 0:
        return UNSENT
    if facts.status < 400:  # noqa: PLR2004 - HTTP's
        return None
    why = f": {facts.decision}" if facts.decision else ""
    return f"HTTP {facts.status}{why}"


def _purpose(code: str) -> Json:
    return {"coding": [{"system": REASON, "code": code}]}


def _observer(base: str) -> Json:
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": base}, "display": "Alongside"}


def _agents(facts: AuditFacts, shape: Shape, base: str) -> Iterator[Json]:
    client: Json = {"type": {"coding": [shape.client]}, "who": _who(facts.client)}
    client["requestor"] = facts.person is None
    if facts.address:
        client["network"] = _network(facts.address)
    yield client
    yield {
        "type": {"coding": [shape.server]},
        "who": _observer(base),
        "requestor": False,
        "network": {"address": base, "type": "5"},
    }
    if facts.person:
        user = {"system": PARTICIPATION, "code": shape.user}
        found = {"type": {"coding": [user]}, "who": _who(facts.person), "requestor": True}
        if facts.purpose:
            found["purposeOfUse"] = [_purpose(facts.purpose)]
        yield found


def _who(name: str | None) -> Json:
    return {"identifier": {"value": name}} if name else {"display": "Not known"}


def _network(address: str) -> Json:
    try:
        ip_address(address)
    except ValueError:
        return {"address": address, "type": "1"}
    return {"address": address, "type": "2"}


def _entities(facts: AuditFacts, shape: Shape, base: str) -> Iterator[Json]:
    yield {"what": {"identifier": {"value": facts.request_id}}, "type": OF_REQUESTS}
    if facts.about_somebody:
        known = {"reference": f"Patient/{facts.patient}"} if facts.patient else FORGOTTEN
        yield {"what": known, **_typed("1", "1")}
    if shape.is_query:
        if not facts.closed:
            asked = facts.path + (f"?{facts.query}" if facts.query else "")
            encoded = base64.b64encode(f"{base}{asked}".encode()).decode()
            yield {**_typed("2", "24"), "query": encoded}
    elif not facts.closed:
        yield {"what": _what(facts, base), **_typed("2", "4")}


def _typed(kind: str, role: str) -> Json:
    return {"type": {"system": ENTITY, "code": kind}, "role": {"system": ROLE, "code": role}}


def _what(facts: AuditFacts, base: str) -> Json:
    found = RESOURCE.match(facts.path)
    if found is not None:
        return {"reference": found[1]}
    address = f"{base}{facts.path}" if facts.path.startswith("/") else f"urn:cli:{facts.path}"
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": address}}


def _profile(facts: AuditFacts, shape: Shape, entities: list[Json]) -> str | None:
    """Return the profile that the event fulfils: those of BALP are of what succeeded."""
    good = facts.status and _outcome(facts.status) == "0"
    if shape.profile is None or not good or facts.closed or not facts.address:
        return None
    if len(entities) > 2 and facts.patient:  # noqa: PLR2004 - the request, the patient, the data
        return f"IHE.BasicAudit.Patient{shape.profile}"
    return None if facts.about_somebody else f"IHE.BasicAudit.{shape.profile}"
