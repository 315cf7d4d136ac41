"""An erasure destroys what ties audit rows to the person; their chains stay whole."""

from uuid import UUID

import orjson
import pytest
from sqlmodel import select

from service.audit.details import installation_key
from service.audit.reading import Asked, opened, read
from service.audit.verification import verify
from service.models.audit import AuditChange, AuditKey
from service.models.patients import Patient
from tests import world
from tests.api.v1.programme import Api, open_api

RULES = '[[rule]]\nkinds = ["{}"]\nyears = {}\nfrom = "last-contact"\nsource = "ours"\n'
NOTHING_KEEPS = RULES.format("*", 0)


@pytest.fixture
def api(database_url, tmp_path):
    file = tmp_path / "retention.toml"
    file.write_text(NOTHING_KEEPS)
    with open_api(database_url, tmp_path, retention_file=str(file)) as found:
        yield found


def read_by_a_hospital(api: Api) -> tuple[Patient, Patient]:
    hospital = world.hospital(api.database, "A")
    person, other = world.linked(api.database, hospital), world.linked(api.database, hospital)
    token = api.new_token("ehr-a", "system/*.rs", hospital)
    for entry in api.get("/fhir/Patient", token=token).json()["entry"]:
        assert api.get(f"/fhir/Patient/{entry['resource']['id']}", token=token).is_success
    assert api.get("/v1/audit", params={"patient_id": str(person.id)}).is_success
    return person, other


def erase(api: Api, person: Patient) -> None:
    address = f"/v1/patients/{person.id}/erasure"
    digest = api.get(address).json()["digest"]
    answer = api.put(address, {"digest": digest, "basis": "request"})
    assert answer.status_code == 200, answer.text


def rows(api: Api):
    entries = read(api.context.audit_reader.engine, Asked(), 1000)
    key = installation_key(api.context.key)
    return api.database.read(lambda session: opened(session, key, entries))


def keys_of(api: Api) -> dict[UUID, str | None]:
    return api.database.read(
        lambda session: {each.patient_id: each.key for each in session.exec(select(AuditKey))}
    )


def changes_about(api: Api, person: Patient) -> list[AuditChange]:
    found = api.database.read(lambda session: session.exec(select(AuditChange)).all())
    return [each for each in found if person.id.hex in (each.patients or "")]


def test_no_audit_row_is_the_persons_any_more(api: Api):
    person, other = read_by_a_hospital(api)
    change = {"given": "Changed"}
    assert api.patch(f"/v1/patients/{person.id}", change).is_success
    assert changes_about(api, person)
    about = [row for row in rows(api) if person.id in row.patients]
    assert len(about) == 4
    assert not any(row.closed for row in about)
    erase(api, person)
    assert person.id not in keys_of(api)
    assert changes_about(api, person) == []
    assert api.context.pseudonyms.known([person.id.hex]) is None
    after = {row.entry.request_id: row for row in rows(api)}
    for row in about:
        now = after[row.entry.request_id]
        assert None in now.patients
        assert now.closed == (row.entry.detail is not None)
        assert now.entry.detail == row.entry.detail
    for spelt in (person.id.hex, str(person.id)):
        assert spelt not in str(list(after.values()))
    assert [row for row in after.values() if other.id in row.patients and not row.closed]
    api.context.audit.seal()
    assert verify(api.context.settings.audit_url).problems == []


def test_the_erasures_own_row_calls_the_person_as_they_were_called(api: Api):
    person, _ = read_by_a_hospital(api)
    erase(api, person)
    (own,) = [row for row in rows(api) if row.entry.method == "PUT"]
    named = orjson.loads(own.entry.patients)
    before = [row for row in rows(api) if named[0] in (row.entry.patients or "")]
    assert len(before) >= 4
    assert (own.entry.path, own.patients, own.closed) == (
        "/v1/patients/{patient_id}/erasure", (None,), True,
    )  # fmt: skip


def test_whose_record_the_law_keeps_is_still_known_in_audit_rows(sqlite_url, tmp_path):
    file = tmp_path / "retention.toml"
    file.write_text(NOTHING_KEEPS + RULES.format("links", 10))
    with open_api(sqlite_url, tmp_path, retention_file=str(file)) as api:
        person, _ = read_by_a_hospital(api)
        erase(api, person)
        assert keys_of(api)[person.id] is not None
        assert [row for row in rows(api) if person.id in row.patients and not row.closed]
