"""Software that others wrote, with its own idea of SMART and FHIR, against a served process.

https://github.com/smart-on-fhir/smart-fetch
https://github.com/beda-software/fhir-py
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from service.audit import prepare
from service.models.connections import Confidentiality
from service.models.patients import Patient
from service.smart.clients import Keys, NewClient, add_client
from tests import world
from tests.assertions import claims, form, jwk_set, rsa, signed
from tests.conftest import open_database
from tests.process import process

PEOPLE = 3
SCOPES = "system/*.cruds"
SIGNING = {"alg": "RS384", "key_ops": ["sign"]}


@dataclass
class Running:
    """A served process with two hospitals; the first one's client signs with `rsa()`."""

    base: str
    people: list[Patient]
    folder: Path

    def fetch(self, *arguments: str) -> None:
        """Run smart-fetch, and show what it said where it failed."""
        key = self.folder / "key.jwks"
        key.write_text(json.dumps({"keys": [{**rsa().as_dict(private=True), **SIGNING}]}))
        command = [str(Path(sys.executable).with_name("smart-fetch")), *arguments]
        proof = ["--smart-client-id", "fetch", "--smart-key", str(key)]
        where = ["--fhir-url", f"{self.base}/fhir", "--no-compression", str(self.folder)]
        done = subprocess.run(
            [*command, *proof, *where], check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def fetched(self, kind: str) -> list[dict]:
        file = self.folder / f"{kind}.ndjson"
        return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def running(database_url, tmp_path) -> Iterator[Running]:
    database = open_database(database_url)
    here, elsewhere = world.hospital(database, "Here"), world.hospital(database, "Elsewhere")
    people = [world.linked(database, here) for _ in range(PEOPLE)]
    group = world.group(database)
    for person in [*people, world.linked(database, elsewhere)]:
        world.enroll(database, person, group)
        world.respond(database, person)
    new = NewClient(
        name="fetch",
        scopes=tuple(SCOPES.split()),
        connection_id=here.id,
        ceiling=Confidentiality.VERY_RESTRICTED,
        keys=Keys(jwks=jwk_set(rsa())),
    )
    database.unit_of_work(lambda session: add_client(session, new))
    database.close()
    on_sqlite = database_url.startswith("sqlite")
    audit = f"sqlite:///{tmp_path / 'audit.db'}" if on_sqlite else database_url
    prepare(audit)
    folder = tmp_path / "fetched"
    folder.mkdir()
    with process(database_url, audit) as served:
        yield Running(str(served.http.base_url).rstrip("/"), people, folder)


def test_smart_fetch_crawls_what_is_the_hospitals(running):
    patients = fhirpy_client(running).resources("Patient").fetch_all()
    assert len(patients) == PEOPLE
    running.fetch("crawl", "--id-list", ",".join(each["id"] for each in patients))
    assert {each["id"] for each in running.fetched("Patient")} == {each["id"] for each in patients}
    assert len(running.fetched("EpisodeOfCare")) == PEOPLE
    totals = [one for one in running.fetched("Observation") if "derivedFrom" in one]
    assert {one["subject"]["reference"] for one in totals} == {
        f"Patient/{each['id']}" for each in patients
    }


def test_fhirpy_reads_searches_writes_and_is_refused(running):
    ehr = fhirpy_client(running)
    person = ehr.resources("Patient").first()
    assert ehr.reference("Patient", person["id"]).to_resource()["id"] == person["id"]
    bundle = ehr.resources("EpisodeOfCare").search(patient=person["id"]).include(
        "EpisodeOfCare", "patient"
    )  # fmt: skip
    kinds = {entry["resource"]["resourceType"] for entry in bundle.fetch_raw()["entry"]}
    assert kinds == {"EpisodeOfCare", "Patient"}
    condition = ehr.resource("Condition", subject=person, code={"text": "low mood"})
    condition.save()
    condition["code"] = {"text": "low mood, better"}
    condition.save()
    assert condition["meta"]["versionId"] == "2"
    condition.delete()
    with pytest.raises((ResourceNotFound, OperationOutcome)):
        ehr.reference("Condition", condition["id"]).to_resource()
    with pytest.raises(OperationOutcome):
        ehr.resources("Condition").search(nonsense="x").fetch()


def fhirpy_client(running: Running) -> SyncFHIRClient:
    """A client with a token that the hospital's software got; it refuses what is not executed."""
    assertion = signed(rsa(), claims("fetch", f"{running.base}/oauth/token"))
    answer = httpx.post(f"{running.base}/oauth/token", data=form(assertion, SCOPES))
    return SyncFHIRClient(
        f"{running.base}/fhir",
        authorization=f"Bearer {answer.json()['access_token']}",
        extra_headers={"Prefer": "handling=strict"},
    )
