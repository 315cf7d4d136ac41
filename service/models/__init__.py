"""Tables and their enums, and nothing else."""

from service.models import (
    audit,
    connections,
    consents,
    documents,
    enrollments,
    groups,
    issuers,
    keys,
    patients,
    screening,
    upkeep,
)

__all__ = [
    "audit",
    "connections",
    "consents",
    "documents",
    "enrollments",
    "groups",
    "issuers",
    "keys",
    "patients",
    "screening",
    "upkeep",
]
