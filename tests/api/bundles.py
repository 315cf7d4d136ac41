"""Bundles that a hospital's client sends, for tests."""

import json
from typing import Any

from sqlalchemy import text

from service.models.connections import Connection
from tests.api.fhir_endpoint import Endpoint

MRN = "urn:test:mrn"
PERSON = "urn:uuid:8f1d9f0e-0000-4000-8000-000000000001"

Json = dict[str, Any]


def entry(resource: Json, full_url: str = "", **request: str) -> Json:
    """An entry that creates, unless `request` says otherwise."""
    found: Json = {"request": {"method": "POST", "url": resource["resourceType"], **request}}
    return {**({"fullUrl": full_url} if full_url else {}), "resource": resource, **found}


def asking(method: str, url: str, **request: str) -> Json:
    """An entry without a resource."""
    return {"request": {"method": method, "url": url, **request}}


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def person(number: str = "1", **more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": MRN, "value": number}],
        "name": [{"family": "Ash", "given": ["Ada"]}],
        **more,
    }


def observation(subject: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Heart rate"},
        "subject": {"reference": subject},
        **more,
    }


def post(endpoint: Endpoint, body: Json | str, caller: Connection | None, **more: Any) -> Any:
    headers = {"Content-Type": "application/fhir+json", **more.pop("headers", {})}
    content = body if isinstance(body, str) else json.dumps(body)
    url = f"{endpoint.client.base_url}/fhir"
    return endpoint.request("POST", url, caller, content=content, headers=headers, **more)


def transact(endpoint: Endpoint, caller: Connection | None, *entries: Json, **more: Any) -> Any:
    return post(endpoint, bundle("transaction", *entries), caller, **more)


def statuses(answer: Any) -> list[str]:
    return [each["response"]["status"][:3] for each in answer.json()["entry"]]


def references(answer: Any) -> list[str]:
    """What each entry made, as Type/id."""
    locations = [each["response"].get("location", "") for each in answer.json()["entry"]]
    return ["/".join(text.partition("/_history")[0].split("/")[-2:]) for text in locations]


def wrong(answer: Any) -> set[str]:
    """Where the problems of a refusal stand."""
    return {place for issue in answer.json()["issue"] for place in issue.get("expression", ())}


def rows(endpoint: Endpoint) -> dict[str, int]:
    """How much of everything is stored."""
    tables = ("documents", "document_versions", "document_tokens", "events", "patients")
    with endpoint.context.database.engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in tables
        }
