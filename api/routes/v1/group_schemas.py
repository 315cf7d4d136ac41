"""Bodies of support groups.

https://docs.pydantic.dev/latest/concepts/models/
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StringConstraints

from api.routes.v1.schema import Body, Count, LongText, Page, RowOut, Text, unset
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


class NewGroup(Body):
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


class GroupUpdate(Body):
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
    escalation_contact: str | None = Field(
        description=CONTACT, examples=["On-call coordinator, 555-0100"]
    )
    rules_required: bool = Field(description=RULES, examples=[False])
    status: GroupStatus = Field(description="Only an active group enrols", examples=["active"])
    place_id: UUID | None = Field(description="Where it meets", examples=PLACE)
    facilitator_id: UUID | None = Field(description="Who leads it", examples=FACILITATOR)


class Groups(Page):
    items: list[GroupOut]
