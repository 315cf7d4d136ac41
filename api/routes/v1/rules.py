"""The rules that members agree to, version by version; a version never changes.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, answer, show, show_list, show_rows
from api.routes.v1.paging import Paged, rows_after
from api.routes.v1.preconditions import content_version
from api.routes.v1.schema import Body, LongText, Moment, Page, RowOut, Schema, Text
from service.commands import PublishRules
from service.errors import NotFoundError
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import SupportGroup
from service.models.rules import RulesVersion
from service.rows import get
from service.rules import in_force, yet_to_agree

router = APIRouter(tags=["rules"])

GROUP = "Whose they are; null for the programme's, which groups without their own follow"
GROUPS = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
RULES = ["What is said in the circle stays in the circle. Come sober."]
FROM = ["2031-02-01T00:00:00Z"]


class NewRules(Body):
    text: LongText = Field(description="The rules, in full", examples=RULES)
    group_id: UUID | None = Field(default=None, description=GROUP, examples=[None])
    in_force_from: Moment | None = Field(
        default=None,
        description="From when; now when left out, and never in the past",
        examples=FROM,
    )
    published_by: Text | None = Field(
        default=None,
        description="On whose behalf; the client's name when left out",
        examples=["Sam Ortiz"],
    )


class RulesOut(RowOut):
    group_id: UUID | None = Field(description=GROUP, examples=GROUPS)
    number: int = Field(description="1, 2, 3 and so on, for each group", examples=[2])
    text: str = Field(description="The rules, in full", examples=RULES)
    in_force_from: datetime = Field(
        description="From when, until a later version's time", examples=FROM
    )
    published_by: str = Field(description="Who published them", examples=["Sam Ortiz"])


class RulesVersions(Page):
    items: list[RulesOut]


class YetToAgree(Schema):
    enrollment_id: UUID = Field(
        validation_alias="id",
        description="The enrolment, not finished",
        examples=["0199b7c2-8a10-7d01-9b2c-3c4d5e6f7081"],
    )
    patient_id: UUID = Field(
        description="Who has not agreed", examples=["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
    )
    group_id: UUID = Field(description="In which group", examples=GROUPS)
    status: EnrollmentStatus = Field(description="The enrolment's status", examples=["active"])


class AllYetToAgree(Page):
    items: list[YetToAgree]


@router.get("/rules", response_model=RulesVersions)
def list_rules(
    call: Reading,
    page: Paged,
    group_id: Annotated[UUID | None, Query(description="Only this group's own")] = None,
) -> Response:
    """Every version of the programme's rules and of groups' own, oldest first."""
    found = select(RulesVersion)
    if group_id is not None:
        found = found.where(RulesVersion.group_id == group_id)
    return show_rows(call, RulesVersions, RulesOut, (found, RulesVersion, page))


@router.post("/rules", status_code=201, response_model=RulesOut)
def publish_rules(call: Writing, body: NewRules) -> Response:
    """Publish a version; those before it stay as they are."""
    given: dict[str, Any] = {**body.values(), "published_by": call.by(body.published_by)}
    row = call.execute(PublishRules(**given))
    return show(call, RulesOut, RulesVersion, row.id, created="rules")


@router.get("/rules/{rules_id}", response_model=RulesOut)
def read_rules(call: Reading, rules_id: UUID) -> Response:
    return show(call, RulesOut, RulesVersion, rules_id)


@router.get("/rules/{rules_id}/yet-to-agree", response_model=AllYetToAgree)
def list_yet_to_agree(call: Reading, page: Paged, rules_id: UUID) -> Response:
    """Enrolments under this version that have not finished and whose person has not agreed."""
    now = call.context.clock()

    def work(session: DbSession) -> tuple[list[YetToAgree], str | None]:
        found = yet_to_agree(get(session, RulesVersion, rules_id), now)
        rows, cursor = rows_after(session, found, Enrollment, page)
        return [YetToAgree.model_validate(row) for row in rows], cursor

    items, cursor = call.read(work)
    call.about(item.patient_id for item in items)
    return show_list(call, AllYetToAgree, (items, cursor))


@router.get("/groups/{group_id}/rules", response_model=RulesOut)
def read_rules_in_force(call: Reading, group_id: UUID) -> Response:
    """The version that the group's members are to agree to now; 404 while there is none."""
    now = call.context.clock()

    def work(session: DbSession) -> RulesOut:
        row = in_force(session, get(session, SupportGroup, group_id).id, now)
        if row is None:
            raise NotFoundError("no rules are in force for this group")
        return RulesOut.model_validate(row)

    found = call.read(work)
    return answer(call, found, content_version(found))
