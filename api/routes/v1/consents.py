"""Consents: what a person permits or denies one hospital, by category, purpose and period.

https://www.rfc-editor.org/rfc/rfc9110
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import select

from api.routes.v1.calls import Call, Reading, Writing, show, show_rows
from api.routes.v1.consent_schemas import (
    ConsentAmendment,
    ConsentOut,
    Consents,
    ConsentSettling,
    ConsentVersionOut,
    ConsentVersions,
    ConsentWithdrawal,
    NewConsent,
)
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from service.commands import AmendConsent, RecordConsent, SettleConsent, WithdrawConsent
from service.models.consents import Consent, ConsentVersion, Standing
from service.models.patients import Patient

router = APIRouter(tags=["consents"])

Standings = Annotated[
    Standing | None,
    Query(description="Only those of this standing; pending ones wait to be confirmed"),
]


@router.get("/patients/{patient_id}/consents", response_model=Consents)
def list_consents(call: Reading, page: Paged, patient_id: UUID) -> Response:
    """All decisions of a person, those that were withdrawn too."""
    found = select(Consent).where(Consent.patient_id == patient_id)
    person = (Patient, patient_id)
    return show_rows(call, Consents, ConsentOut, (found, Consent, page), within=person)


@router.post("/patients/{patient_id}/consents", status_code=201, response_model=ConsentOut)
def record_consent(call: Writing, patient_id: UUID, body: NewConsent) -> Response:
    by = call.by(body.recorded_by)
    row = call.execute(
        RecordConsent(
            patient_id=patient_id,
            connection_id=body.connection_id,
            recorded_by=by,
            **body.terms(),
        )
    )
    return show(call, ConsentOut, Consent, row.id, created="consents")


@router.get("/consents", response_model=Consents)
def list_all_consents(call: Reading, page: Paged, standing: Standings = None) -> Response:
    """Decisions of everybody; `standing=pending` are those that wait for your word."""
    found = select(Consent)
    if standing is not None:
        found = found.where(Consent.standing == standing)
    if standing is Standing.PENDING:
        found = found.where(Consent.withdrawn_at == None)  # noqa: E711 - SQL's IS NULL
    return show_rows(call, Consents, ConsentOut, (found, Consent, page))


@router.get("/consents/{consent_id}", response_model=ConsentOut)
def read_consent(call: Reading, consent_id: UUID) -> Response:
    return show(call, ConsentOut, Consent, consent_id)


@router.get("/consents/{consent_id}/versions", response_model=ConsentVersions)
def list_consent_versions(call: Reading, page: Paged, consent_id: UUID) -> Response:
    """What it said before, oldest first; what it says now is at the consent itself."""
    found = select(ConsentVersion).where(ConsentVersion.consent_id == consent_id)
    select_page = (found, ConsentVersion, page)
    return show_rows(
        call, ConsentVersions, ConsentVersionOut, select_page, within=(Consent, consent_id)
    )


@router.post("/consents/{consent_id}/amend", response_model=ConsentOut)
def amend_consent(
    call: Writing, seen: SeenVersion, consent_id: UUID, body: ConsentAmendment
) -> Response:
    """Say it anew, in force for the next request; what it said is kept as a version."""
    by = call.by(body.amended_by)
    call.execute(AmendConsent(consent_id=consent_id, amended_by=by, if_match=seen, **body.terms()))
    return show(call, ConsentOut, Consent, consent_id)


@router.post("/consents/{consent_id}/withdraw", response_model=ConsentOut)
def withdraw_consent(
    call: Writing, seen: SeenVersion, consent_id: UUID, body: ConsentWithdrawal | None = None
) -> Response:
    """Withdraw it: in force for the next request."""
    by = call.by(body.withdrawn_by if body else None)
    call.execute(WithdrawConsent(consent_id=consent_id, withdrawn_by=by, if_match=seen))
    return show(call, ConsentOut, Consent, consent_id)


@router.post("/consents/{consent_id}/confirm", response_model=ConsentOut)
def confirm_consent(
    call: Writing, seen: SeenVersion, consent_id: UUID, body: ConsentSettling | None = None
) -> Response:
    """Let the permits count that a hospital sent."""
    return _settle(call, Standing.CONFIRMED, consent_id, seen, body)


@router.post("/consents/{consent_id}/refuse", response_model=ConsentOut)
def refuse_consent(
    call: Writing, seen: SeenVersion, consent_id: UUID, body: ConsentSettling | None = None
) -> Response:
    """Let the permits not count that a hospital sent; what it denies stays denied."""
    return _settle(call, Standing.REFUSED, consent_id, seen, body)


def _settle(
    call: Call, standing: Standing, consent_id: UUID, seen: int | None, body: ConsentSettling | None
) -> Response:
    by = call.by(body.settled_by if body else None)
    command = SettleConsent(consent_id=consent_id, standing=standing, settled_by=by, if_match=seen)
    call.execute(command)
    return show(call, ConsentOut, Consent, consent_id)
