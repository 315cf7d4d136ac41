"""Bodies of support groups.

https://docs.pydantic.dev/latest/concepts/models/
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StringConstraints

from api.routes.v1.schema import Body, Count, LongText, Page, RowOut, Text, unset
from service.commands import UNSET, MeasurementPlan
from service.groups import LONGEST_OFFER_HOURS
from service.models.groups import Facilitation, GroupStatus, Modality, Promotion, Sensitivity

# https://www.rfc-editor.org/rfc/rfc5646#section-2.1
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
# The column holds them in one text, with spaces between.
Instrument = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
Instruments = Annotated[tuple[Instrument, ...], Field(max_length=20)]
Hours = Annotated[StrictInt, Field(ge=1, le=LONGEST_OFFER_HOURS)]

PUBLIC_NAME = "The name that says what the group is about; shown only where a consent allows it"
NEUTRAL_NAME = "The name that gives nothing away; shown everywhere else"
PART2 = "42 CFR Part 2; when left out, true for substance use"
CONTACT = "Who is told of a safety alert; needed before a group with safety items is active"
RULES = "Whether an enrolment becomes active only with agreement to the rules in force"
PROMOTION = "Whether free seats are offered to the waitlist by themselves, or by hand"
OFFER_HOURS = "How long an offer of a seat stands; null: as the installation has it"
PLACE = ["0199b7c2-7d10-7c11-8a9f-1f4be2a9c001"]
FACILITATOR = ["0199b7c2-7d11-7f02-b1c4-77ab0e5d1002"]

PLAN = {
    "instrument": "phq-9", "baseline": True, "every_weeks": 2, "every_sessions": None,
    "end_after_weeks": 26, "end_after_sessions": None, "overdue_days": 7,
}  # fmt: skip
MEASUREMENT = "When questionnaires are due, counted from when each member joined; one plan for each"


class PlanBody(Body):
    instrument: Instrument = Field(description="One of the group's", examples=["phq-9"])
    baseline: StrictBool = Field(
        default=True, description="Whether it is due when a person joins", examples=[True]
    )
    every_weeks: Count | None = Field(
        default=None, description="Due again every so many weeks", examples=[2]
    )
    every_sessions: Count | None = Field(
        default=None, description="Due again after every so many sessions held", examples=[None]
    )
    end_after_weeks: Count | None = Field(
        default=None, description="Due for the last time after so many weeks", examples=[26]
    )
    end_after_sessions: Count | None = Field(
        default=None,
        description="Due for the last time after so many sessions held",
        examples=[None],
    )
    overdue_days: Count = Field(
        default=7, description="Overdue so many days after it was due", examples=[7]
    )


Plans = Annotated[tuple[PlanBody, ...], Field(max_length=20)]


class GroupBody(Body):
    """What creates a group and what changes one: plans become the commands' own."""

    def values(self) -> dict[str, Any]:
        found = super().values()
        if found["measurement"] is not UNSET:
            plans = (MeasurementPlan(**each.values()) for each in found["measurement"])
            found["measurement"] = tuple(plans)
        return found


class NewGroup(GroupBody):
    public_name: Text = Field(description=PUBLIC_NAME, examples=["Living with bipolar disorder"])
    neutral_name: Text = Field(description=NEUTRAL_NAME, examples=["Tuesday circle"])
    purpose: Text = Field(description="What it is for", examples=["Mutual support, weekly"])
    topic: Text = Field(description="What it is about", examples=["bipolar disorder"])
    facilitation: Facilitation = Field(description="Who leads it", examples=["co-led"])
    modality: Modality = Field(description="How it meets", examples=["in-person"])
    capacity: Count = Field(description="Seats", examples=[12])
    promotion: Promotion = Field(
        default=Promotion.AUTOMATIC, description=PROMOTION, examples=["automatic"]
    )
    offer_hours: Hours | None = Field(default=None, description=OFFER_HOURS, examples=[72])
    language: Language = Field(default="en", description="BCP 47", examples=["en"])
    eligibility: LongText = Field(default="", description="Who may join", examples=["Adults"])
    sensitivity: Sensitivity = Field(
        default=Sensitivity.MENTAL_HEALTH, description="Label", examples=["mental-health"]
    )
    part2: StrictBool | None = Field(default=None, description=PART2, examples=[False])
    instruments: Instruments = Field(
        default=("phq-9", "gad-7"), description="Questionnaires", examples=[["phq-9", "gad-7"]]
    )
    measurement: Plans = Field(default=(), description=MEASUREMENT, examples=[[PLAN]])
    escalation_contact: Text | None = Field(
        default=None, description=CONTACT, examples=["On-call coordinator, 555-0100"]
    )
    rules_required: StrictBool = Field(default=False, description=RULES, examples=[False])
    status: GroupStatus = Field(
        default=GroupStatus.DRAFT, description="Only an active group enrols", examples=["active"]
    )
    place_id: UUID | None = Field(default=None, description="Where it meets", examples=PLACE)
    facilitator_id: UUID | None = Field(
        default=None, description="Who leads it", examples=FACILITATOR
    )


class GroupUpdate(GroupBody):
    """What is left out stays as it is."""

    public_name: Text = Field(
        default_factory=unset, description=PUBLIC_NAME, examples=["Living with bipolar disorder"]
    )
    neutral_name: Text = Field(
        default_factory=unset, description=NEUTRAL_NAME, examples=["Wednesday circle"]
    )
    purpose: Text = Field(
        default_factory=unset, description="What it is for", examples=["Mutual support, weekly"]
    )
    topic: Text = Field(
        default_factory=unset, description="What it is about", examples=["bipolar disorder"]
    )
    facilitation: Facilitation = Field(
        default_factory=unset, description="Who leads it", examples=["co-led"]
    )
    modality: Modality = Field(
        default_factory=unset, description="How it meets", examples=["virtual"]
    )
    capacity: Count = Field(default_factory=unset, description="Seats", examples=[14])
    promotion: Promotion = Field(default_factory=unset, description=PROMOTION, examples=["manual"])
    offer_hours: Hours | None = Field(default_factory=unset, description=OFFER_HOURS, examples=[48])
    language: Language = Field(default_factory=unset, description="BCP 47", examples=["en"])
    eligibility: LongText = Field(
        default_factory=unset, description="Who may join", examples=["Adults"]
    )
    sensitivity: Sensitivity = Field(
        default_factory=unset, description="Label", examples=["mental-health"]
    )
    part2: StrictBool = Field(default_factory=unset, description="42 CFR Part 2", examples=[False])
    instruments: Instruments = Field(
        default_factory=unset, description="Questionnaires", examples=[["phq-9", "gad-7"]]
    )
    measurement: Plans = Field(default_factory=unset, description=MEASUREMENT, examples=[[PLAN]])
    escalation_contact: Text | None = Field(
        default_factory=unset, description=CONTACT, examples=["On-call coordinator, 555-0100"]
    )
    rules_required: StrictBool = Field(default_factory=unset, description=RULES, examples=[True])
    status: GroupStatus = Field(
        default_factory=unset, description="Only an active group enrols", examples=["active"]
    )
    place_id: UUID | None = Field(
        default_factory=unset, description="Where it meets", examples=PLACE
    )
    facilitator_id: UUID | None = Field(
        default_factory=unset, description="Who leads it", examples=FACILITATOR
    )


def _separated(value: Any) -> Any:  # noqa: ANN401 - the column's text, or a list
    return value.split() if isinstance(value, str) else value


class GroupOut(RowOut):
    public_name: str = Field(description=PUBLIC_NAME, examples=["Living with bipolar disorder"])
    neutral_name: str = Field(description=NEUTRAL_NAME, examples=["Tuesday circle"])
    purpose: str = Field(description="What it is for", examples=["Mutual support, weekly"])
    topic: str = Field(description="What it is about", examples=["bipolar disorder"])
    facilitation: Facilitation = Field(description="Who leads it", examples=["co-led"])
    modality: Modality = Field(description="How it meets", examples=["in-person"])
    capacity: int = Field(description="Seats", examples=[12])
    promotion: Promotion = Field(description=PROMOTION, examples=["automatic"])
    offer_hours: int | None = Field(description=OFFER_HOURS, examples=[72])
    language: str = Field(description="BCP 47", examples=["en"])
    eligibility: str = Field(description="Who may join", examples=["Adults"])
    sensitivity: Sensitivity = Field(description="Label", examples=["mental-health"])
    part2: bool = Field(description="42 CFR Part 2", examples=[False])
    instruments: Annotated[list[str], BeforeValidator(_separated)] = Field(
        description="Questionnaires", examples=[["phq-9", "gad-7"]]
    )
    measurement: list[PlanBody] = Field(description=MEASUREMENT, examples=[[PLAN]])
    escalation_contact: str | None = Field(
        description=CONTACT, examples=["On-call coordinator, 555-0100"]
    )
    rules_required: bool = Field(description=RULES, examples=[False])
    status: GroupStatus = Field(description="Only an active group enrols", examples=["active"])
    place_id: UUID | None = Field(description="Where it meets", examples=PLACE)
    facilitator_id: UUID | None = Field(description="Who leads it", examples=FACILITATOR)


class Groups(Page):
    items: list[GroupOut]
