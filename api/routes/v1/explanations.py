"""Why a hospital may have something of a person, or not.

https://www.rfc-editor.org/rfc/rfc9110
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.routes.v1.calls import Reading, answer_plain
from api.routes.v1.consent_schemas import NAMED, PART2
from api.routes.v1.schema import Moment, Schema
from service.explanations import ORDER, Explanation, Question, Rule, Weighed, explain
from service.models.consents import Category, Decision, Label, Purpose
from service.models.provisions import CONFIDENTIALITY
from service.weighing import Content, Reason

router = APIRouter(tags=["consents"])

ID = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
LABELS = "Its labels: of confidentiality and of sensitivity"


class WeighedOut(Schema):
    consent_id: UUID = Field(description="Which consent", examples=ID)
    path: str = Field(
        description="Which of its provisions, as FHIRPath; `versions` is what it said before",
        examples=["provision.provision[0]"],
    )
    decision: Decision = Field(description="What it says", examples=["deny"])
    reason: Reason | None = Field(description="Why it did not decide", examples=["other-label"])


class ExplanationOut(Schema):
    given: bool = Field(description="Whether the hospital may have it", examples=[False])
    rule: Rule = Field(description="The rule that decided", examples=["denied"])
    place: int = Field(description="Its place in the order of rules, from 1", examples=[2])
    sentence: str = Field(
        description="The same in words",
        examples=["Not given: a denial in force is about scores for TREAT, and a denial wins."],
    )
    decided_by: list[WeighedOut] = Field(description="The provisions that decided", examples=[[]])
    considered: list[WeighedOut] = Field(description="Those that did not, and why", examples=[[]])


@router.get("/consents/explain", response_model=ExplanationOut)
def explain_consent(  # noqa: PLR0913 - a question has its parts as parameters
    call: Reading,
    patient_id: Annotated[UUID, Query(description="Of whom", examples=ID)],
    connection_id: Annotated[UUID, Query(description="For which hospital", examples=ID)],
    category: Annotated[Category, Query(description="Which kind of fact")],
    *,
    purpose: Annotated[Purpose, Query(description="For what")] = Purpose.TREATMENT,
    part2: Annotated[bool, Query(description=PART2)] = False,
    group_name: Annotated[bool, Query(description=NAMED)] = False,
    label: Annotated[list[Label] | None, Query(description=LABELS, max_length=2)] = None,
    at: Annotated[Moment | None, Query(description="When; now when left out")] = None,
) -> Response:
    """The decision as disclosure makes it; scopes and the client's ceiling come on top."""
    question = Question(
        patient_id=patient_id,
        connection_id=connection_id,
        content=_content(category, label or [], part2=part2, group_name=group_name),
        purpose=purpose,
        at=at or call.context.clock(),
    )
    call.about([patient_id])
    found = call.read(lambda session: explain(session, question))
    return answer_plain(_out(found))


def _content(category: Category, labels: list[Label], *, part2: bool, group_name: bool) -> Content:
    level = next((one for one in labels if one in CONFIDENTIALITY), None)
    kinds = (one for one in labels if one not in {*CONFIDENTIALITY, Label.PART_2})
    protected = part2 or Label.PART_2 in labels
    named = group_name and category is Category.ENROLLMENT
    return Content(category, protected, level, next(kinds, None), named)


def _out(found: Explanation) -> ExplanationOut:
    return ExplanationOut(
        given=found.given,
        rule=found.rule,
        place=ORDER[found.rule],
        sentence=found.sentence,
        decided_by=[_weighed(each) for each in found.decided_by],
        considered=[_weighed(each) for each in found.considered],
    )


def _weighed(each: Weighed) -> WeighedOut:
    return WeighedOut.model_validate(each)
