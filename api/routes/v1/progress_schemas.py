"""Bodies of progress and of what is due.

https://docs.pydantic.dev/latest/concepts/models/
"""

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field

from api.routes.v1.schema import Page, Schema
from service.instruments import ChangeKind, Direction
from service.models.measurement import OccasionKind, OccasionState
from service.progress.change import Finding, Result
from service.progress.occasions import Occasion
from service.progress.series import BaselineRule, Point, Progress
from service.progress.wording import said

RESPONSE = ["0199b7c2-ae00-7c31-9d4e-5f6071829304"]
PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
ENROLLMENT = ["0199b7c2-b001-7d41-8e5f-607182930415"]
BASELINE = (
    "`enrollment`: the first scorable response from a week before the person joined on;"
    " `first`: of a person who never joined, the first scorable one"
)

Figure = int | float


def figure(value: Decimal) -> Figure:
    """Return a number as JSON has it: 9 and not 9.0."""
    return int(value) if value == value.to_integral_value() else float(value)


def _figure(value: Decimal | None) -> Figure | None:
    return None if value is None else figure(value)


class PointOut(Schema):
    at: datetime = Field(description="When it was answered", examples=["2026-03-30T18:05:00Z"])
    response_id: UUID = Field(description="Which response", examples=RESPONSE)
    value: Figure | None = Field(
        description="The score; null where too little was answered for one", examples=[9]
    )
    band: str | None = Field(description="Severity band", examples=["mild"])
    from_baseline: Figure | None = Field(
        description="This less the baseline, in points of the score", examples=[-9]
    )
    from_last: Figure | None = Field(description="This less the scorable one before", examples=[-2])

    @classmethod
    def of(cls, point: Point) -> Self:
        return cls(
            at=point.at,
            response_id=UUID(point.key),
            value=_figure(point.value),
            band=point.band.label if point.band else None,
            from_baseline=_figure(point.from_baseline),
            from_last=_figure(point.from_last),
        )


class FindingOut(Schema):
    rule: str = Field(description="The rule's name", examples=["response-50-percent"])
    kind: ChangeKind = Field(description="What it is about", examples=["response"])
    says: str = Field(
        description="The rule",
        examples=["better by 50 % of the baseline, from a baseline of 10 or more"],
    )
    source: str = Field(
        description="Where it comes from",
        examples=["NCQA DRR-E and CMS159 CQL: 50 % or more below a baseline of 10 or more"],
    )
    confirmed: bool = Field(
        description="False: general knowledge, to be confirmed by a clinician before use",
        examples=[True],
    )
    result: Result = Field(description="Last against baseline", examples=["met"])
    reason: str | None = Field(description="Why it does not apply", examples=[None])

    @classmethod
    def of(cls, finding: Finding) -> Self:
        rule = finding.rule
        return cls(
            rule=rule.id,
            kind=rule.kind,
            says=said(rule),
            source=rule.source,
            confirmed=rule.confirmed,
            result=finding.result,
            reason=finding.reason,
        )


class AskedOut(Schema):
    due: int = Field(description="How often it has been due", examples=[7])
    answered: int = Field(description="How often it was answered then", examples=[5])
    overdue: int = Field(description="Overdue now", examples=[1])
    missed: int = Field(description="Never answered before it was due again", examples=[1])


class ProgressOut(Schema):
    instrument: str = Field(description="Which questionnaire", examples=["phq-9"])
    instrument_version: str = Field(description="Whose rules are used", examples=["1.0.0"])
    name: str = Field(description="What people call it", examples=["PHQ-9"])
    score: str = Field(description="Which score of it", examples=["total"])
    score_name: str = Field(
        description="What it is called",
        examples=["Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"],
    )
    code: str | None = Field(description="LOINC's code of it", examples=["44261-6"])
    direction: Direction | None = Field(
        description="What a higher value is; null where no source says", examples=["worse"]
    )
    minimum: Figure = Field(description="Lowest value", examples=[0])
    maximum: Figure = Field(description="Highest value", examples=[27])
    baseline_rule: BaselineRule = Field(description=BASELINE, examples=["enrollment"])
    baseline: PointOut | None = Field(description="By that rule", examples=[PointOut.example()])
    last: PointOut | None = Field(
        description="The newest scorable one", examples=[PointOut.example()]
    )
    findings: list[FindingOut] = Field(
        description="Each rule with its own result, none merged with another",
        examples=[[FindingOut.example()]],
    )
    without_rule: list[ChangeKind] = Field(
        description="Of what nothing is said, since no rule has a source", examples=[[]]
    )
    asked: AskedOut | None = Field(
        description="What was due; null where no measurement was planned",
        examples=[AskedOut.example()],
    )
    not_scorable: int = Field(description="Answered, and too little for a score", examples=[1])
    points: list[PointOut] = Field(
        description="Oldest first; since when, where that was asked",
        examples=[[PointOut.example()]],
    )

    @classmethod
    def of(cls, found: Progress, since: datetime | None = None) -> Self:
        score, shown = found.score, found.points
        if since is not None:
            shown = tuple(each for each in shown if each.at >= since)
        return cls(
            instrument=found.form.id,
            instrument_version=found.form.version,
            name=found.form.name,
            score=score.id,
            score_name=score.display,
            code=score.code,
            direction=score.direction,
            minimum=figure(Decimal(str(score.minimum))),
            maximum=figure(Decimal(str(score.maximum))),
            baseline_rule=found.rule,
            baseline=PointOut.of(found.baseline) if found.baseline else None,
            last=PointOut.of(found.last) if found.last else None,
            findings=[FindingOut.of(each) for each in found.findings],
            without_rule=list(found.silent),
            asked=AskedOut.model_validate(found.asked) if found.asked else None,
            not_scorable=found.not_scorable,
            points=[PointOut.of(each) for each in shown],
        )


class ProgressList(Page):
    items: list[ProgressOut]


class OccasionOut(Schema):
    patient_id: UUID = Field(description="Who is asked", examples=PERSON)
    group_id: UUID = Field(description="By whose plan", examples=GROUP)
    enrollment_id: UUID = Field(description="By which enrolment", examples=ENROLLMENT)
    instrument: str = Field(description="Which questionnaire", examples=["phq-9"])
    kind: OccasionKind = Field(description="Why now", examples=["follow-up"])
    due: datetime = Field(description="Since when", examples=["2026-03-16T18:00:00Z"])
    overdue_from: datetime = Field(description="When too late", examples=["2026-03-23T18:00:00Z"])
    state: OccasionState = Field(description="What became of it", examples=["due"])
    response_id: UUID | None = Field(description="What answered it", examples=[None])

    @classmethod
    def of(cls, found: Occasion) -> Self:
        member = found.membership
        return cls(
            patient_id=member.patient_id,
            group_id=member.group_id,
            enrollment_id=member.enrollment_id,
            instrument=found.plan.instrument,
            kind=found.kind,
            due=found.begins,
            overdue_from=found.overdue_from,
            state=found.state,
            response_id=found.response_id,
        )


class Occasions(Page):
    items: list[OccasionOut]
