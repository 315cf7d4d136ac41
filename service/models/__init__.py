"""Tables and their enums, and nothing else."""

from service.models import (
    audit,
    concerns,
    connections,
    consents,
    documents,
    enrollments,
    facilitation,
    groups,
    idempotency,
    imports,
    merges,
    patients,
    rules,
    screening,
    series,
    upkeep,
)

__all__ = [
    "audit",
    "concerns",
    "connections",
    "consents",
    "documents",
    "enrollments",
    "facilitation",
    "groups",
    "idempotency",
    "imports",
    "merges",
    "patients",
    "rules",
    "screening",
    "series",
    "upkeep",
]
