"""Our definitions: published once, served to who may read them, packed for everybody."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

from api.bootstrap import publish_definitions
from fhir_mappings.conformance.definitions import TYPES, definitions
from service.fhir.operations.operation import OPERATIONS
from service.fhir.projection import DocumentProjector
from service.fhir.verification import differences
from tests import world
from tests.api.fhir_endpoint import BASE, Endpoint

WHERE = "SELECT type, version, deleted FROM documents WHERE source LIKE 'definition:%' ORDER BY id"


def rows(endpoint: Endpoint):
    with endpoint.context.database.engine.connect() as connection:
        sql = WHERE if endpoint.context.database.sqlite else WHERE.replace("%", "%%")
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_every_definition_is_published_once(endpoint: Endpoint):
    publish_definitions(endpoint.context.database)
    first = rows(endpoint)
    publish_definitions(endpoint.context.database)
    assert rows(endpoint) == first
    assert len(first) == len(definitions())
    assert {version for _, version, _ in first} == {1}


def test_the_verification_leaves_them_alone(endpoint: Endpoint):
    database = endpoint.context.database
    publish_definitions(database)
    projector = DocumentProjector(endpoint.context.registry)
    assert database.read(lambda session: list(differences(session, projector))) == []


@pytest.mark.parametrize("name", TYPES)
def test_a_hospital_finds_each_by_name(endpoint: Endpoint, name):
    hospital = world.hospital(endpoint.context.database)
    publish_definitions(endpoint.context.database)
    wanted = [each for each in definitions() if each["resourceType"] == name]
    found = endpoint.resources(name, hospital)
    assert sorted(each["name"] for each in found) == sorted(each["name"] for each in wanted)
    (one,) = endpoint.resources(f"{name}?name:exact={wanted[0]['name']}&status=active", hospital)
    without = {k: v for k, v in one.items() if k not in {"id", "meta"}}
    assert without == {k: v for k, v in wanted[0].items() if k != "id"}
    token = endpoint.token(hospital, "system/Patient.rs")
    assert endpoint.get(name, token=token).status_code == 403
    assert endpoint.client.get(f"{BASE}/{name}").status_code == 401
    assert endpoint.request("POST", name, hospital, json=wanted[0]).status_code == 403


def test_what_the_capability_statement_names_can_be_read(endpoint: Endpoint):
    hospital = world.hospital(endpoint.context.database)
    publish_definitions(endpoint.context.database)
    rest = endpoint.client.get(f"{BASE}/metadata").json()["rest"][0]
    named = {op["definition"] for kind in rest["resource"] for op in kind.get("operation", ())}
    served = {each["url"] for each in endpoint.resources("OperationDefinition", hospital)}
    assert named == served
    assert len(served) == len(OPERATIONS)


def test_anybody_may_have_the_package(served_on_sqlite):
    answer = served_on_sqlite.client.get("/package.tgz")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/gzip")
    assert served_on_sqlite.client.get("/package.tgz").content == answer.content
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = archive.getnames()
        read = {each: json.load(archive.extractfile(each)) for each in names}
    manifest = read.pop("package/package.json")
    index = read.pop("package/.index.json")
    assert manifest["fhirVersions"] == ["4.0.1"]
    assert {f"package/{each['filename']}" for each in index["files"]} == set(read)
    assert list(read.values()) == definitions()


def test_one_setting_names_them_all():
    shown = (
        "from fhir_mappings.conformance.definitions import definitions; import json;"
        "from service.instruments import all_versions;"
        "print(json.dumps(definitions()), [each.url for each in all_versions()])"
    )
    environment = {**os.environ, "ALONGSIDE_CANONICAL_BASE": "https://groups.example/r4/"}
    done = subprocess.run(
        [sys.executable, "-c", shown], env=environment, capture_output=True, text=True, check=True
    )
    assert "https://groups.example/r4/CodeSystem/flag" in done.stdout
    assert "https://groups.example/r4/Questionnaire/phq-9" in done.stdout
    assert "alongside.example" not in done.stdout
