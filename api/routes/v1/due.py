"""What is due: which questionnaires, of a person and in a group.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.routes.v1.calls import Call, Reading, show_list
from api.routes.v1.progress_schemas import OccasionOut, Occasions
from service.models.measurement import OccasionState
from service.progress.occasions import Occasion
from service.progress.reading import due_of_group, due_of_patient

router = APIRouter(tags=["progress"])

OPEN = frozenset({OccasionState.DUE, OccasionState.OVERDUE})
State = Annotated[
    OccasionState | None,
    Query(description="Only these; what is due and overdue when left out", examples=["overdue"]),
]


@router.get("/patients/{patient_id}/due", response_model=Occasions)
def list_due_of_patient(call: Reading, patient_id: UUID, state: State = None) -> Response:
    """What a person is asked for by the plans of their groups."""
    now = call.context.clock()
    return _show(call, call.read(lambda s: due_of_patient(s, patient_id, now)), state)


@router.get("/groups/{group_id}/due", response_model=Occasions)
def list_due_of_group(call: Reading, group_id: UUID, state: State = None) -> Response:
    """What the members of a group are asked for by its plans."""
    now = call.context.clock()
    return _show(call, call.read(lambda s: due_of_group(s, group_id, now)), state)


def _show(call: Call, found: Iterable[Occasion], state: OccasionState | None) -> Response:
    wanted = OPEN if state is None else {state}
    shown = sorted(
        (each for each in found if each.state in wanted),
        key=lambda each: (each.begins, each.membership.enrollment_id, each.plan.instrument),
    )
    call.about(each.membership.patient_id for each in shown)
    return show_list(call, Occasions, ([OccasionOut.of(each) for each in shown], None))
