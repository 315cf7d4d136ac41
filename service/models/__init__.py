"""Tables and their enums, and nothing else."""

from service.models import (
    audit,
    connections,
    consents,
    documents,
    enrollments,
    groups,
    imports,
    patients,
    screening,
    series,
    upkeep,
)

__all__ = [
    "audit",
    "connections",
    "consents",
    "documents",
    "enrollments",
    "groups",
    "imports",
    "patients",
    "screening",
    "series",
    "upkeep",
]
