"""The programme's REST API, one file for each thing that is served."""

from fastapi import APIRouter

from api.routes.v1 import (
    agreements,
    alerts,
    attendance,
    audit,
    break_glass,
    bulk,
    calendars,
    clients,
    concerns,
    connections,
    consents,
    contacts,
    corrections,
    credentials,
    disclosures,
    due,
    enrollments,
    erasures,
    explanations,
    exports,
    facilitators,
    groups,
    instruments,
    links,
    load,
    merges,
    patients,
    progress,
    responses,
    restrictions,
    rules,
    series,
    sessions,
    supervision,
    timeline,
    waitlist,
    walk_ins,
)
from api.routes.v1.described import described

__all__ = ["router"]

ROUTERS = (
    patients.router,
    links.router,
    merges.router,
    explanations.router,  # before the consents, whose ids it might be
    consents.router,
    responses.router,
    progress.router,
    due.router,
    alerts.router,
    contacts.router,
    timeline.router,
    groups.router,
    series.router,
    sessions.router,
    enrollments.router,
    waitlist.router,
    attendance.router,
    rules.router,
    agreements.router,
    concerns.router,
    load.router,  # before facilitators: `load` is no id
    walk_ins.router,
    bulk.router,
    facilitators.router,
    calendars.router,
    credentials.router,
    supervision.router,
    connections.router,
    clients.router,
    instruments.router,
    exports.router,
    corrections.router,
    restrictions.router,
    break_glass.router,
    erasures.router,
    audit.router,
    disclosures.router,
)

router = APIRouter(prefix="/v1", generate_unique_id_function=lambda route: route.name)
for each in ROUTERS:
    router.include_router(described(each))
