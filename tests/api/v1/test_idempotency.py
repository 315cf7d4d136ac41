"""A POST with an `Idempotency-Key` is executed once, and answered as it was (ADR 0024)."""

from tests.api.v1.programme import everything

PERSON = {"family": "Rivera", "given": "Lucia", "birth_date": "1988-04-17"}
KEY = {"Idempotency-Key": "5b6a2f0e-1f2d-4c3b-8a9d-0e1f2a3b4c5d"}
ANSWERED = ("etag", "location", "content-type", "cache-control")


def test_a_repeated_request_gets_the_answer_that_it_got(api):
    first = api.post("/v1/patients", PERSON, headers=KEY)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    again = api.post("/v1/patients", PERSON, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    for name in ANSWERED:
        assert again.headers[name] == first.headers[name]
    assert len(everything(api, "/v1/patients")) == 1
