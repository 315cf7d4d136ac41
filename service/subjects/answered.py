"""What a person answered, and the safety alerts that it raised, in the words of the page."""

from service.models.safety import AlertEvent
from service.models.screening import Alert, Response, ResponseChange
from service.subjects.holding import Holding, Kind

RESPONSES = Holding(
    table=Response,
    kind=Kind.RESPONSES,
    title="Questionnaires, answers and scores",
    shows={
        "authored": "Filled in",
        "instrument": "Questionnaire",
        "instrument_version": "Version",
        "status": "State",
        "answers": "Answers",
        "total": "Total",
        "scores": "Further scores",
        "group_id": "In the group",
        "connection_id": "Sent by",
        "received": "As it was sent",
    },
    hides={
        "missing": "follows from the answers",
        "received_answers": "the answers as they were sent",
        "received_status": "the state as it was sent",
    },
)
ANSWERS_BEFORE = Holding(
    table=ResponseChange,
    kind=Kind.RESPONSES,
    title="What answers said before they were corrected",
    shows={
        "replaced_at": "Replaced",
        "replaced_by": "By",
        "status": "State",
        "answers": "Answers",
        "total": "Total",
        "scores": "Further scores",
        "received": "As it was sent",
    },
    on=("response_id", RESPONSES),
)
ALERTS = Holding(
    table=Alert,
    kind=Kind.ALERTS,
    title="Safety alerts",
    shows={
        "raised_at": "Raised",
        "rule": "Rule that was met",
        "instrument": "Questionnaire",
        "authored": "Filled in",
        "group_id": "In the group",
        "connection_id": "Sent by",
        "tier": "How urgent",
        "priority": "Priority",
        "crisis_resources": "Help that was named",
        "state": "State",
        "escalation_contact": "Who was to be told",
        "due_at": "To be acknowledged by",
        "close_by": "To be resolved by",
        "nobody_left_at": "Nobody was left to tell",
        "acknowledged_at": "Acknowledged",
        "acknowledged_by": "Acknowledged by",
        "resolved_at": "Resolved",
        "resolved_by": "Resolved by",
        "disposition": "What was done",
        "stepped_up_at": "Your hospitals were asked to take you back",
    },
    hides={
        "response_id": "is a questionnaire on this page",
        "step": "counts what is told one by one",
        "round_began_at": "is told one by one",
    },
)
ALERT_EVENTS = Holding(
    table=AlertEvent,
    kind=Kind.ALERTS,
    title="What happened to each safety alert",
    shows={
        "at": "When",
        "kind": "What",
        "contact_id": "Who was told, or was to be",
        "by": "By",
        "state": "State then",
        "tier": "How urgent then",
        "detail": "More",
    },
    on=("alert_id", ALERTS),
)
