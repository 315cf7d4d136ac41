"""The programme's REST API, one file for each thing that is served."""

from fastapi import APIRouter

from api.routes.v1 import (
    alerts,
    attendance,
    clients,
    connections,
    consents,
    enrollments,
    facilitators,
    groups,
    instruments,
    links,
    patients,
    responses,
    sessions,
    timeline,
)
from api.routes.v1.described import described

__all__ = ["router"]

ROUTERS = (
    patients.router,
    links.router,
    consents.router,
    responses.router,
    alerts.router,
    timeline.router,
    groups.router,
    sessions.router,
    enrollments.router,
    attendance.router,
    facilitators.router,
    connections.router,
    clients.router,
    instruments.router,
)

router = APIRouter(prefix="/v1", generate_unique_id_function=lambda route: route.name)
for each in ROUTERS:
    router.include_router(described(each))
