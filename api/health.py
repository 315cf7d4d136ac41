"""Liveness and readiness, for whoever runs the service; no token is needed.

/health and /ready are older names of /livez and /readyz.
https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from api.context import Context
from service import migrations
from service.errors import BusyError

router = APIRouter(tags=["Operation of the service"])
NOT_YET: dict[int | str, dict[str, Any]] = {503: {"description": "Not yet"}}
REVISION = "SELECT version_num FROM alembic_version"


class Health(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The database answers and has the tables that this version needs."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"status": "ready", "revision": "0003_documents"}}
    )

    status: Literal["ready"] = "ready"
    revision: str


@router.get("/livez", operation_id="livez")
@router.get("/health", operation_id="health")
async def health() -> Health:
    """Whether the process lives."""
    return Health()


@router.get("/readyz", operation_id="readyz", responses=NOT_YET)
@router.get("/ready", operation_id="ready", responses=NOT_YET)
async def ready(request: Request) -> Ready:
    """Whether requests can be answered now."""
    context: Context = request.app.state.context
    try:
        rows = await context.reader.rows(REVISION, ())
    except Exception as error:  # whatever the driver says: nothing can be answered
        raise BusyError("the database cannot be reached") from error
    if rows != [(migrations.newest(),)]:
        raise BusyError("the database is not at the revision that is needed: alongside migrate")
    return Ready(revision=rows[0][0])
