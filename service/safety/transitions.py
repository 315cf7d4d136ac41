"""Which move an alert allows in which state: one table. Only a person closes an alert."""

from enum import StrEnum

from service.errors import BusinessRuleError
from service.models.screening import Alert, AlertState


class Move(StrEnum):
    """`notify` and `worsen` are the service's own, `acknowledge` and `resolve` a person's."""

    NOTIFY = "notify"
    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    WORSEN = "worsen"


OPEN, NOTIFIED, ACKNOWLEDGED, ESCALATED, RESOLVED = AlertState
TABLE: dict[AlertState, dict[Move, AlertState]] = {
    OPEN: {
        Move.NOTIFY: NOTIFIED,
        Move.ACKNOWLEDGE: ACKNOWLEDGED,
        Move.ESCALATE: ESCALATED,
        Move.WORSEN: OPEN,
    },
    NOTIFIED: {
        Move.NOTIFY: NOTIFIED,
        Move.ACKNOWLEDGE: ACKNOWLEDGED,
        Move.ESCALATE: ESCALATED,
        Move.WORSEN: OPEN,
    },
    ESCALATED: {
        Move.NOTIFY: ESCALATED,
        Move.ACKNOWLEDGE: ACKNOWLEDGED,
        Move.ESCALATE: ESCALATED,
        Move.WORSEN: OPEN,
    },
    ACKNOWLEDGED: {
        Move.RESOLVE: RESOLVED,
        Move.ESCALATE: ESCALATED,
        Move.WORSEN: OPEN,
    },
    RESOLVED: {Move.WORSEN: OPEN},  # what became worse is not what was closed
}
OF_PEOPLE = (Move.ACKNOWLEDGE, Move.ESCALATE, Move.RESOLVE)
UNANSWERED = (OPEN, NOTIFIED, ESCALATED)  # nobody has taken it up yet


def allowed(state: AlertState) -> list[Move]:
    """Return what a person may do in this state."""
    return [move for move in OF_PEOPLE if move in TABLE[state]]


def moved(alert: Alert, move: Move) -> None:
    """Set the state that the move leads to.

    Raises:
        BusinessRuleError: it is not allowed in this state; those that are stand in the text.
    """
    found = TABLE[alert.state].get(move)
    if found is None:
        legal = ", ".join(allowed(alert.state)) or "nothing"
        rule = f"the alert is {alert.state.value}, which allows: {legal}; not {move.value}"
        raise BusinessRuleError(rule, element="state")
    alert.state = found
