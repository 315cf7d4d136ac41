"""The seven groups: what each is for, and when and where it meets."""

from dataclasses import dataclass
from datetime import time

from service.commands import CreateGroup
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity

ESCALATION = "On-call coordinator, 913-555-0100"
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)


@dataclass(frozen=True, kw_only=True)
class Circle:
    """A group to be; `facilitator` is a place in the list, even for peers, odd for the others."""

    command: CreateGroup
    members: int
    weekday: int
    begins: time
    facilitator: int
    place: int | None = None
    cancelled: tuple[int, str] | None = None  # which session, and why


def _group(name: str, neutral: str, topic: str, purpose: str, **more: object) -> CreateGroup:
    values: dict[str, object] = {
        "modality": Modality.IN_PERSON,
        "facilitation": Facilitation.PEER,
        "capacity": 20,
        "eligibility": "Adults; no referral needed.",
        "escalation_contact": ESCALATION,
        "status": GroupStatus.ACTIVE,
        **more,
    }
    return CreateGroup(
        public_name=name,
        neutral_name=neutral,
        topic=topic,
        purpose=purpose,
        **values,  # type: ignore[arg-type]
    )


CIRCLES = (
    Circle(
        command=_group(
            "Depression and Anxiety Support Group",
            "Tuesday evening circle",
            "depression and anxiety",
            "Mutual support for people who live with depression or anxiety.",
            facilitation=Facilitation.CO_LED,
        ),
        members=19,
        weekday=TUESDAY,
        begins=time(18),
        facilitator=1,
        place=0,
    ),
    Circle(
        command=_group(
            "Bipolar Disorder Support Group",
            "Thursday evening circle",
            "bipolar disorder",
            "Peers with bipolar disorder share what helps them from day to day.",
        ),
        members=16,
        weekday=THURSDAY,
        begins=time(19),
        facilitator=20,
        place=1,
    ),
    Circle(
        command=_group(
            "Body Dysmorphic Disorder Support Group",
            "Monday online circle",
            "body dysmorphic disorder",
            "A led group for people with body dysmorphic disorder.",
            facilitation=Facilitation.PROFESSIONAL,
            modality=Modality.VIRTUAL,
            capacity=16,
        ),
        members=14,
        weekday=MONDAY,
        begins=time(17, 30),
        facilitator=3,
    ),
    Circle(
        command=_group(
            "Substance Use Recovery Support Group",
            "Wednesday evening circle",
            "substance-use recovery",
            "Peers in recovery from substance use support each other.",
            sensitivity=Sensitivity.SUBSTANCE_USE,
        ),
        members=18,
        weekday=WEDNESDAY,
        begins=time(18, 30),
        facilitator=2,
        place=2,
        cancelled=(5, "The building had no heating"),
    ),
    Circle(
        command=_group(
            "Grief Support Group",
            "Saturday morning circle",
            "grief",
            "For people who have lost someone close to them.",
        ),
        members=16,
        weekday=SATURDAY,
        begins=time(10),
        facilitator=22,
        place=3,
    ),
    Circle(
        command=_group(
            "Caregivers Support Group",
            "Sunday online circle",
            "caregivers",
            "For people who care for a relative with a mental or bodily illness.",
            modality=Modality.VIRTUAL,
        ),
        members=15,
        weekday=SUNDAY,
        begins=time(16),
        facilitator=4,
    ),
    Circle(
        command=_group(
            "Living with Cancer Support Group",
            "Friday afternoon circle",
            "cancer",
            "For people with cancer, in treatment or after it.",
            facilitation=Facilitation.CO_LED,
            modality=Modality.VIRTUAL,
        ),
        members=17,
        weekday=FRIDAY,
        begins=time(14),
        facilitator=5,
    ),
)
