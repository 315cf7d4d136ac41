"""Support groups.

https://www.rfc-editor.org/rfc/rfc9110
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.group_schemas import GroupOut, Groups, GroupUpdate, NewGroup
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from service.commands import CreateGroup, UpdateGroup
from service.models.groups import GroupStatus, SupportGroup

router = APIRouter(tags=["groups"])


@router.get("/groups", response_model=Groups)
def list_groups(
    call: Reading,
    page: Paged,
    status: Annotated[GroupStatus | None, Query(description="Only these")] = None,
) -> Response:
    found = select(SupportGroup)
    if status is not None:
        found = found.where(SupportGroup.status == status)
    return show_rows(call, Groups, GroupOut, (found, SupportGroup, page))


@router.post("/groups", status_code=201, response_model=GroupOut)
def create_group(call: Writing, body: NewGroup) -> Response:
    row = call.execute(CreateGroup(**body.values()))
    return show(call, GroupOut, SupportGroup, row.id, created="groups")


@router.get("/groups/{group_id}", response_model=GroupOut)
def read_group(call: Reading, group_id: UUID) -> Response:
    return show(call, GroupOut, SupportGroup, group_id)


@router.patch("/groups/{group_id}", response_model=GroupOut)
def update_group(call: Writing, seen: SeenVersion, group_id: UUID, body: GroupUpdate) -> Response:
    call.execute(UpdateGroup(group_id=group_id, **body.values(), if_match=seen))
    return show(call, GroupOut, SupportGroup, group_id)
