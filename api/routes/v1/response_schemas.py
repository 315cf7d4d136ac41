"""Bodies of questionnaire responses; the warning that goes with an alert.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, WithJsonSchema
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.routes.v1.schema import Body, Moment, Page, RowOut, Schema, Text
from fhir_mappings.operation_outcome import warning
from service.instruments import instrument
from service.models.base import Row
from service.models.screening import Alert, ResponseStatus

PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
AUTHORED = ["2026-01-06T23:10:00Z"]
SCORES = {
    "/44250-9": 2, "/44255-8": 2, "/44259-0": 1, "/44254-1": 2, "/44251-7": 0,
    "/44258-2": 1, "/44252-5": 1, "/44253-3": 0, "/44260-8": 1,
}  # fmt: skip
MIXED = {**SCORES, "/44250-9": "LA6570-1", "/44255-8": "LA6570-1"}
CRISIS = "This service is not an emergency system and nobody watches it. ..."
RULE = "phq-9 /44260-8"

LinkId = Annotated[str, StringConstraints(max_length=64)]
# Checked by `score_values`, whose rules name the item.
Answer = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})]
Answers = Annotated[dict[LinkId, Answer], Field(max_length=200)]
ANSWERS = "By linkId: the number of the chosen answer as printed, or its LOINC code (LA...)"


class NewResponse(Body):
    instrument: Text = Field(description="Which questionnaire", examples=["phq-9"])
    instrument_version: Text | None = Field(
        default=None, description="The newest when left out", examples=["1.0.0"]
    )
    answers: Answers = Field(description=ANSWERS, examples=[MIXED])
    authored: Moment = Field(description="When it was filled in", examples=AUTHORED)
    status: ResponseStatus = Field(
        default=ResponseStatus.COMPLETED, description="FHIR status", examples=["completed"]
    )
    group_id: UUID | None = Field(
        default=None, description="In which group it was filled in", examples=GROUP
    )


class ResponseCorrection(Body):
    """The whole of the answers, as they should have been."""

    answers: Answers = Field(description=ANSWERS, examples=[SCORES])
    authored: Moment | None = Field(
        default=None, description="As before when left out", examples=AUTHORED
    )
    status: ResponseStatus = Field(
        default=ResponseStatus.AMENDED, description="FHIR status", examples=["amended"]
    )
    corrected_by: Text | None = Field(
        default=None,
        description="On whose behalf; the client's name when left out",
        examples=["Sam Ortiz"],
    )


class AlertNotice(Schema):
    id: UUID = Field(description="The alert", examples=["0199b7c2-af10-7b21-8c3d-4e5f60718293"])
    rule: str = Field(description="The safety rule that was met", examples=[RULE])
    raised_at: datetime = Field(description="When it was raised", examples=["2026-01-06T23:10:04Z"])
    escalation_contact: str | None = Field(
        description="Who is to be told", examples=["On-call coordinator, 555-0100"]
    )
    crisis_text: str = Field(default="", description="To be shown at once", examples=[CRISIS])


class ResponseOut(RowOut):
    patient_id: UUID = Field(description="Whose answers", examples=PERSON)
    group_id: UUID | None = Field(description="In which group", examples=GROUP)
    connection_id: UUID | None = Field(
        description="The hospital that sent it; null when recorded here", examples=HOSPITAL
    )
    instrument: str = Field(description="Which questionnaire", examples=["phq-9"])
    instrument_version: str = Field(description="Which version of it", examples=["1.0.0"])
    status: ResponseStatus = Field(description="FHIR status", examples=["completed"])
    authored: datetime = Field(description="When it was filled in", examples=AUTHORED)
    answers: dict[str, int] = Field(
        description="Values by linkId, as printed on the form", examples=[SCORES]
    )
    total: int | None = Field(
        description="Total score; null where an item is missing", examples=[10]
    )
    scores: dict[str, float | None] | None = Field(
        description="What is scored beside the total, by id; null where that is nothing",
        examples=[None],
    )
    band: str | None = Field(default=None, description="Severity band", examples=["moderate"])
    missing: list[str] = Field(description="Scored items not answered", examples=[[]])
    alert: AlertNotice | None = Field(
        default=None,
        description="The safety alert that it has raised; never to be passed over",
        examples=[AlertNotice.example()],
    )
    operation_outcome: dict[str, Any] | None = Field(
        default=None,
        serialization_alias="operationOutcome",
        description="The same as a FHIR OperationOutcome",
        examples=[
            {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "warning", "code": "informational", "diagnostics": CRISIS}],
            }
        ],
    )

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        alerts = _alerts(session, [row.id for row in rows])
        for item in found:
            item.band = band(item.instrument, item.instrument_version, item.total)
            item.alert = alerts.get(item.id)
        return found

    def warn(self, crisis_text: str) -> Self:
        """Put the crisis text beside an alert, in words and as an OperationOutcome."""
        if self.alert is not None:
            self.alert.crisis_text = crisis_text
            self.operation_outcome = warning(f"Safety alert: {self.alert.rule}", crisis_text)
        return self


class Responses(Page):
    items: list[ResponseOut]


def band(name: str, version: str, total: int | None) -> str | None:
    """Return the severity band of a total, by the version that was filled in."""
    if total is None:
        return None
    found = instrument(name, version).band(total)
    return found.label if found else None


def _alerts(session: DbSession, ids: Sequence[UUID]) -> dict[UUID, AlertNotice]:
    rows = session.exec(select(Alert).where(col(Alert.response_id).in_(ids)))
    return {row.response_id: AlertNotice.model_validate(row) for row in rows}
