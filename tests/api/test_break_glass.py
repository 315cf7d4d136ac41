"""Break-the-glass: one patient, one person with one client, an hour, and what consent gives."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from api import operators
from service.clock import system_clock
from service.commands import MergePatients, WithdrawConsent
from service.encryption import new_key
from service.handlers import execute
from service.models.connections import Confidentiality, Connection
from service.models.consents import Category
from service.smart.clients import NewClient
from service.smart.issuers import NewIssuer
from service.smart.people import Vouching
from tests import world
from tests.api.registering import bearer
from tests.api.served import BASE, Served, serve
from tests.assertions import jwk_set, rsa, signed
from tests.jwks_server import jwks_server

ISSUER = "https://login.harbor.example"
FHIR = f"{BASE}/fhir"
REASON = "Brought in unconscious, canary-4711"
GOOD = {"purpose": "ETREAT", "reason": REASON}
OPERATION = "$break-the-glass"


@dataclass
class Hospital:
    """Two patients of one hospital, as people with a ceiling of N see them."""

    served: Served
    connection: Connection
    other: Connection
    people: list[Any]
    later: list[timedelta]
    consents: list[Any] = field(default_factory=list)

    def token(self, sub: str = "dr-1", client: str = "ward", **changes: Any) -> str:
        said = {
            "iss": ISSUER, "aud": [FHIR], "exp": int(system_clock().timestamp()) + 30_000,
            "client_id": client, "scope": "user/*.rs", "sub": sub, **changes,
        }  # fmt: skip
        return signed(rsa(), said, typ="at+jwt")

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        headers = bearer(self.token() if token is None else token) | more.pop("headers", {})
        return self.served.client.request(
            method, f"{FHIR}/{path}".rstrip("/"), headers=headers, **more
        )

    def ids(self, path: str, token: str | None = None) -> set[str]:
        answer = self.ask("GET", path, token)
        assert answer.status_code == 200, answer.text
        found = [each["resource"] for each in answer.json().get("entry", [])]
        return {f"{each['resourceType']}/{each['id']}" for each in found}

    def shown(self, person: int, of: Connection | None = None) -> str:
        """The id of somebody's Patient, as the hospital knows it."""
        sql = "SELECT id FROM documents WHERE type = 'Patient' AND audience = ? AND patient_key = ?"
        number = (of or self.connection).number
        with self.served.context.database.engine.connect() as connection:
            text = sql.replace("?", "'{}'").format(number, self.people[person].id.hex)
            return str(connection.exec_driver_sql(text).scalar_one())

    def breaks(self, person: int = 0, token: str | None = None, **changes: Any) -> Any:
        said = {**GOOD, **changes}
        return self.ask(
            "POST", f"Patient/{self.shown(person)}/{OPERATION}", token, json=parameters(**said)
        )

    def privacy(self, method: str, path: str, body: Any = None) -> Any:
        return self.served.client.request(
            method, f"{BASE}/v1/break-glass{path}", headers=bearer(self.officer), json=body
        )

    @property
    def officer(self) -> str:
        if not hasattr(self, "_officer"):
            secret = self.served.secret("officer", "v1.privacy")
            self._officer = self.served.token("officer", secret, "v1.privacy")
        return self._officer


def parameters(**said: Any) -> dict[str, Any]:
    kinds = {"purpose": "valueCode"}
    listed = [
        {"name": name, kinds.get(name, "valueString"): value}
        for name, value in said.items()
        if value is not None
    ]
    return {"resourceType": "Parameters", "parameter": listed}


@contextmanager
def opened(url: str, folder: Any, later: list[timedelta], **more: Any) -> Iterator[Served]:
    settings = {"jwks_networks": "127.0.0.0/8,::1/128", "access_token_memory_seconds": 0.0, **more}
    with serve(url, folder, lambda: system_clock() + later[0], **settings) as served:
        yield served


def issuer(served: Served, keys: Any, hospital: Connection | None, **more: Any) -> None:
    rights = {"ceiling": Confidentiality.NORMAL, "roster_role": True, **more}
    client = NewClient(name="harbor-login", scopes=("system/*.cruds",), **rights)
    people = Vouching(role_claim=None)
    new = NewIssuer(client=client, issuer=ISSUER, jwks_url=keys.url, people=people)
    operators.add_issuer(served.context, new, hospital.name if hospital else None)


@pytest.fixture
def here(database_url: str, tmp_path: Any) -> Iterator[Hospital]:
    later, secrets = [timedelta(0)], new_key()
    with ExitStack() as stack:
        keys = stack.enter_context(jwks_server(jwk_set(rsa())))
        served = stack.enter_context(opened(database_url, tmp_path, later, secrets_keys=secrets))
        yield arranged(served, keys, later)


def arranged(served: Served, keys: Any, later: list[timedelta]) -> Hospital:
    database = served.context.database
    one, two = (world.hospital(database, name) for name in ("Harbor", "Quay"))
    issuer(served, keys, one)
    people, consents = [], []
    into = world.group(database)
    for hospitals in ((one, two), (one,), (two,)):
        person = world.patient(database)
        for each in hospitals:
            world.link(database, person, each)
            consents.append(world.consent(database, person, each))
        world.enroll(database, person, into)
        world.respond(database, person, world.phq9(item9=1))
        people.append(person)
    return Hospital(served, one, two, people, later, consents)


def test_it_opens_one_patient_to_one_person_with_one_client_for_an_hour(here: Hospital) -> None:
    assert here.ids("Patient") == here.ids("Observation") == set()
    answer = here.breaks()
    assert answer.status_code == 200, answer.text
    (until,) = answer.json()["parameter"]
    assert (until["name"], datetime.fromisoformat(until["valueInstant"]) - system_clock()) == (
        "until", pytest.approx(timedelta(hours=1), abs=timedelta(seconds=30)),
    )  # fmt: skip
    mine = f"Patient/{here.shown(0)}"
    assert here.ids("Patient") == {mine}
    for name in ("QuestionnaireResponse", "Flag", "Observation", "EpisodeOfCare"):
        found = here.ids(name)
        assert found
        for each in found:
            said = here.ask("GET", each)
            assert said.status_code == 200
            assert mine in said.text
    for token in (here.token("dr-2"), here.token(client="other")):
        assert here.ids("Patient", token) == here.ids("Observation", token) == set()
    here.later[0] += timedelta(minutes=60, seconds=1)
    assert here.ids("Patient") == here.ids("Observation") == set()


def test_it_holds_however_the_patient_is_read(here: Hospital) -> None:
    mine = f"Patient/{here.shown(0)}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reads: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", mine, {}),
        ("GET", f"{mine}/_history", {}),
        ("GET", f"{mine}/_history/1", {}),
        ("GET", f"{mine}/$everything", {}),
        ("GET", f"{mine}/Observation", {}),
        ("GET", "Patient/_history", {}),
        ("GET", "Observation?_include=Observation:subject", {}),
        ("GET", "Patient?_revinclude=Observation:subject", {}),
        ("GET", "Observation?subject:Patient._id=" + here.shown(0), {}),
        ("GET", "Patient?_has:Observation:subject:status=final", {}),
        ("POST", "Patient/_search", {"content": "_summary=data", "headers": form}),
    ]

    def seen() -> list[bool]:
        return [here.shown(0) in here.ask(m, p, **more).text.replace(p, "") for m, p, more in reads]

    batch = {"resourceType": "Bundle", "type": "batch",
             "entry": [{"request": {"method": "GET", "url": mine}}]}  # fmt: skip
    assert not any(seen())
    assert "404" in here.ask("POST", "", json=batch).text
    assert here.breaks().status_code == 200
    missed = [reads[at][1] for at, each in enumerate(seen()) if not each]
    assert missed == []
    assert "200" in here.ask("POST", "", json=batch).json()["entry"][0]["response"]["status"]
    whole = here.ids(f"{mine}/$everything")
    assert {each.split("/")[0] for each in whole} >= {"Patient", "Flag", "QuestionnaireResponse"}
    text = "".join(here.ask(m, p, **more).text for m, p, more in reads)
    assert here.shown(1) not in text
    assert here.shown(0, here.other) not in text


def test_a_link_of_what_was_opened_is_of_no_use_to_anybody_else(here: Hospital) -> None:
    mine = f"Patient/{here.shown(0)}"
    assert here.breaks().status_code == 200
    for path in (
        "Observation?_count=2&_total=accurate", f"{mine}/Observation?_count=2&_total=accurate",
        f"{mine}/$everything?_count=2", "?_type=Observation,Encounter&_count=2&_total=accurate",
        "Observation/_history?_count=2", "Observation?_count=2&_include=Observation:subject",
    ):  # fmt: skip
        first = here.ask("GET", path).json()
        (link,) = [each["url"] for each in first["link"] if each["relation"] == "next"]
        rest = link.removeprefix(FHIR).removeprefix("/")
        for token in (here.token("dr-2"), here.token("dr-1", "other")):
            refused = here.ask("GET", rest, token)
            assert refused.status_code == (404 if path.startswith(f"{mine}/Obs") else 400), path
            assert "total" not in refused.json()
        again = here.ask("GET", rest, here.token(exp=int(system_clock().timestamp()) + 29_000))
        assert (again.status_code, "total" in again.json()) == (200, False), path


def test_rosters_and_what_scopes_leave_out_stay_closed(here: Hospital) -> None:
    assert here.breaks().status_code == 200
    assert here.ids("Group") == set()
    whole = here.ids(f"Patient/{here.shown(0)}/$everything")
    assert not [each for each in whole if each.startswith("Group")]
    narrow = here.token(scope="user/Patient.rs")
    assert here.ask("GET", "Observation", narrow).status_code == 403
    assert len(here.ids("Patient", narrow)) == 1


def test_what_a_consent_withholds_does_not_appear(here: Hospital) -> None:
    assert here.breaks().status_code == 200
    assert here.ids("Observation")
    given = here.consents[0]
    withdraw = WithdrawConsent(consent_id=given[Category.SCORES].id, withdrawn_by="t")
    execute(here.served.context.database, withdraw)
    assert here.ids("Patient")
    assert not any("total" in each for each in here.ids("Observation?code=44261-6"))
    assert here.ids("Observation?code=44261-6") == set()


def test_who_may_not_and_what_must_be_said(here: Hospital) -> None:
    path = f"Patient/{here.shown(0)}/{OPERATION}"
    good = parameters(**GOOD)
    assert here.served.client.post(f"{FHIR}/{path}", json=good).status_code == 401
    secret = here.served.secret("program", "system/*.cruds", here.connection.id)
    system = here.served.token("program", secret, "system/*.cruds")
    for token in (system, here.token(scope="user/Observation.rs")):
        refused = here.ask("POST", path, token, json=good)
        assert (refused.status_code, refused.json()["resourceType"]) == (403, "OperationOutcome")
    assert "user/" in here.ask("POST", path, system, json=good).text
    assert here.ask("GET", f"{path}?purpose=ETREAT&reason=because+of+that").status_code == 405
    for changes, name in (
        ({"reason": None}, "reason"),
        ({"reason": "too short"}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"purpose": None}, "purpose"),
        ({"purpose": "TREAT"}, "purpose"),
        ({"minutes": "600"}, "minutes"),
    ):
        wrong = here.breaks(**changes)
        assert (wrong.status_code, name in wrong.text) == (400, True), wrong.text
    addressed = here.ask("POST", f"{path}?reason=in+the+address", json=good)
    assert (addressed.status_code, "body" in addressed.text) == (400, True)
    unknown = here.ask("POST", f"Patient/{'0' * 32}/{OPERATION}", json=good)
    foreign = here.ask("POST", f"Patient/{here.shown(2, here.other)}/{OPERATION}", json=good)
    assert unknown.status_code == foreign.status_code == 404
    assert unknown.json() == foreign.json()
    assert here.privacy("GET", "").json()["items"] == []
    assert here.ids("Patient") == set()


def test_a_patient_who_gives_the_hospital_nothing_is_unknown(here: Hospital) -> None:
    shown = here.shown(0)
    for each in here.consents[0].values():
        withdraw = WithdrawConsent(consent_id=each.id, withdrawn_by="t")
        execute(here.served.context.database, withdraw)
    answer = here.ask("POST", f"Patient/{shown}/{OPERATION}", json=parameters(**GOOD))
    assert answer.status_code == 404


def test_it_follows_the_person_when_two_records_become_one(here: Hospital) -> None:
    database = here.served.context.database
    other, shown = world.patient(database), here.shown(0)
    assert here.breaks().status_code == 200
    both = {"source_id": here.people[0].id, "target_id": other.id}
    execute(database, MergePatients(**both, merged_by="t", reason="the same person"))
    assert here.ids("Patient") == {f"Patient/{shown}"}
    assert here.ids("Observation")


def test_the_person_ends_it_before_its_time(here: Hospital) -> None:
    path = f"Patient/{here.shown(0)}/$end-break-the-glass"
    assert here.breaks().status_code == here.breaks(purpose="BTG").status_code == 200
    assert (
        here.ask("POST", path, here.token("dr-2")).json()["parameter"][0]["valueUnsignedInt"] == 0
    )
    assert here.ids("Patient")
    assert here.ask("POST", path).json()["parameter"] == [{"name": "ended", "valueUnsignedInt": 2}]
    assert here.ids("Patient") == set()


def test_each_has_its_audit_rows_and_no_log_or_row_has_the_reason(
    here: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert here.breaks().status_code == 200
    assert here.ids("Patient")
    assert here.ids("Flag")
    assert here.ids("Questionnaire") is not None
    rows = [each for each in here.served.rows() if each.person is not None]
    said = [(each.method, each.path, each.purpose) for each in rows]
    assert ("POST", f"/fhir/Patient/{here.shown(0)}/{OPERATION}", "ETREAT") in said
    assert ("GET", "/fhir/Patient", "ETREAT") in said
    assert ("GET", "/fhir/Flag", "ETREAT") in said
    assert ("GET", "/fhir/Questionnaire", "TREAT") in said
    act = next(each for each in rows if OPERATION in each.path)
    assert act.patients
    assert "canary-4711" not in str(here.served.rows()) + caplog.text
    with here.served.context.database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT reason FROM broken_glass").scalar_one()
    assert "canary" not in kept


def test_the_privacy_officer_reads_reviews_and_ends(here: Hospital) -> None:
    assert here.breaks().status_code == 200
    (one,) = here.privacy("GET", "?reviewed=false&open=true&notice_due=true").json()["items"]
    assert (one["reason"], one["purpose"], one["client"], one["outcome"]) == (
        REASON, "ETREAT", "harbor-login/ward", None,
    )  # fmt: skip
    assert one["patient_id"] == str(here.people[0].id)
    done = here.privacy("POST", f"/{one['id']}/review", {"outcome": "not-justified", "end": True})
    assert (done.status_code, done.json()["outcome"]) == (200, "not-justified")
    assert done.json()["ended_by"] == done.json()["reviewed_by"] == "officer"
    assert here.ids("Patient") == set()
    again = here.privacy("POST", f"/{one['id']}/review", {"outcome": "justified"})
    assert again.status_code == 422
    told = here.privacy("POST", f"/{one['id']}/notice", {"given_by": "Sam Ortiz"})
    assert (told.json()["notice_due"], told.json()["notice_given_by"]) == (False, "Sam Ortiz")
    assert here.privacy("GET", f"/{one['id']}").json() == told.json()
    assert here.privacy("GET", "?reviewed=false").json()["items"] == []
    assert here.privacy("GET", "?open=true").json()["items"] == []
    assert len(here.privacy("GET", "?reviewed=true&open=false").json()["items"]) == 1


def test_a_reason_whose_key_is_lost_stops_no_review(here: Hospital) -> None:
    for number in (0, 1):
        assert here.breaks(number).status_code == 200
    lost = {"kept": f"1:{'0' * 8}:lost"}
    with here.served.context.database.engine.begin() as connection:
        found = "SELECT id FROM broken_glass WHERE patient_id = :person"
        person = here.people[0].id.hex
        (glass,) = connection.execute(text(found), {"person": person}).scalars()
        changed = text("UPDATE broken_glass SET reason = :kept WHERE id = :glass")
        connection.execute(changed, {**lost, "glass": glass})
    items = here.privacy("GET", "").json()["items"]
    assert sorted(each["reason"] or "" for each in items) == ["", REASON]
    (without,) = [each for each in items if each["reason"] is None]
    done = here.privacy("POST", f"/{without['id']}/review", {"outcome": "justified"})
    assert done.json()["outcome"] == "justified"


def test_it_outlives_a_restart(sqlite_url: str, tmp_path: Any) -> None:
    later, secrets = [timedelta(0)], new_key()
    with jwks_server(jwk_set(rsa())) as keys:
        more = {"secrets_keys": secrets, "break_glass_minutes": 5, "break_glass_notice": "off"}
        with opened(sqlite_url, tmp_path, later, **more) as served:
            here = arranged(served, keys, later)
            assert here.breaks().status_code == 200
            (one,) = here.privacy("GET", "").json()["items"]
            assert one["notice_due"] is False
        with opened(sqlite_url, tmp_path, later, **more) as served:
            here.served = served
            assert len(here.ids("Patient")) == 1
            later[0] += timedelta(minutes=5, seconds=1)
            assert here.ids("Patient") == set()


def test_without_a_key_for_the_reason_it_is_refused(sqlite_url: str, tmp_path: Any) -> None:
    later = [timedelta(0)]
    with jwks_server(jwk_set(rsa())) as keys, opened(sqlite_url, tmp_path, later) as served:
        here = arranged(served, keys, later)
        refused = here.breaks()
        assert (refused.status_code, "no key" in refused.text) == (422, True)
        assert orjson.loads(refused.content)["resourceType"] == "OperationOutcome"


def test_it_is_not_for_people_of_the_programme(sqlite_url: str, tmp_path: Any) -> None:
    later = [timedelta(0)]
    more = {"secrets_keys": new_key()}
    with jwks_server(jwk_set(rsa())) as keys, opened(sqlite_url, tmp_path, later, **more) as served:
        issuer(served, keys, None)
        here = Hospital(served, None, None, [], later)  # type: ignore[arg-type]
        path = f"Patient/{'0' * 32}/{OPERATION}"
        assert here.ask("POST", path, json=parameters(**GOOD)).status_code == 403
