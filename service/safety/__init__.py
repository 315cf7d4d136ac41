"""Safety: alerts that reach a person (ADR 0042)."""

from service.safety.contacts import create_contact, test_contact, update_contact
from service.safety.coverage import ON_CALL, require_on_call
from service.safety.crisis import CRISIS_COUNTRY, resources_of
from service.safety.evaluation import may_alert, unknown
from service.safety.policy import POLICY, Policy, load, policy_of
from service.safety.raising import (
    CRISIS_RESOURCES,
    Circumstances,
    alerts_of,
    first_alert,
    raise_alert,
    report_danger,
    worsened,
)
from service.safety.working import acknowledge, escalate, resolve

__all__ = [
    "CRISIS_COUNTRY",
    "CRISIS_RESOURCES",
    "ON_CALL",
    "POLICY",
    "Circumstances",
    "Policy",
    "acknowledge",
    "alerts_of",
    "create_contact",
    "escalate",
    "first_alert",
    "load",
    "may_alert",
    "policy_of",
    "raise_alert",
    "report_danger",
    "require_on_call",
    "resolve",
    "resources_of",
    "test_contact",
    "unknown",
    "update_contact",
    "worsened",
]
