"""People whom an issuer outside vouches for, by `user/` scopes (ADR 0035).

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from service.errors import BusinessRuleError, ValueSetError
from service.identifiers import keyed_id
from service.models.connections import Confidentiality
from service.scopes import SYSTEM, USER

LONGEST = 255  # of a sub, https://openid.net/specs/openid-connect-core-1_0.html#IDToken
PLAIN_URL = re.compile(r"[!-~]{1,500}")

Claims = Mapping[str, Any]


class Role(StrEnum):
    """What somebody is; each issuer has its own ceiling for those that it may name."""

    CLINICIAN = "clinician"
    COORDINATOR = "coordinator"
    FACILITATOR = "facilitator"
    INTEGRATION_ENGINEER = "integration-engineer"
    PRIVACY_OFFICER = "privacy-officer"
    ADMINISTRATOR = "administrator"
    PATIENT = "patient"


class RefusedPersonError(ValueError):
    """It does not say who is behind the token, or nobody who is let in."""


@dataclass(frozen=True, kw_only=True)
class Vouching:
    """That an issuer may vouch for people; a role in `role_claim` has its own ceiling."""

    role_claim: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """Who is behind a token: by a pseudonym, by FHIR, and as what."""

    name: str
    fhir_user: str | None
    role: str | None
    ceiling: str


def check_vouching(people: Vouching) -> None:
    """Raise where no person could be told by this, or a patient would be let in."""
    if (people.role_claim is None) != (not people.roles):
        raise BusinessRuleError("a role claim and roles with their ceilings go together")
    staff = sorted(set(Role) - {Role.PATIENT})
    for role, ceiling in people.roles.items():
        if role not in staff:
            raise ValueSetError(f"must be one of {', '.join(staff)}", element="role")
        if ceiling not in set(Confidentiality):
            raise ValueSetError("a role's ceiling is N, R or V", element="role")


def scopes_of_person(names: Sequence[str]) -> list[str]:
    """Return the `user/` scopes as those that they are compared with; nothing else counts."""
    opening = f"{USER}/"
    return [f"{SYSTEM}/{name.removeprefix(opening)}" for name in names if name.startswith(opening)]


def person_of(claims: Claims, issuer: str, people: Vouching, ceiling: str, key: bytes) -> Person:
    """Return who is behind the token; the ceiling is the lower of the role's and the issuer's.

    Raises:
        RefusedPersonError: it names nobody, or nobody with a role that is let in.
    """
    sub, client = claims.get("sub"), claims.get("client_id", claims.get("azp"))
    if not isinstance(sub, str) or not 0 < len(sub) <= LONGEST or sub == client:
        raise RefusedPersonError("its user/ scopes are nobody's: sub must name a person")
    user = claims.get("fhirUser")
    known = user if isinstance(user, str) and PLAIN_URL.fullmatch(user) else None
    role = None if people.role_claim is None else _role(claims.get(people.role_claim), people)
    allowed = [ceiling] if role is None else [ceiling, people.roles[role]]
    lowest = min(allowed, key=lambda each: Confidentiality(each).rank)
    return Person(keyed_id(key, "person", issuer, sub), known, role, lowest)


def _role(said: object, people: Vouching) -> str:
    """Return the role with the highest ceiling; a patient is none of the staff."""
    found = [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str)]
    known = [each for each in found if each in people.roles]
    if not known or Role.PATIENT in found:
        raise RefusedPersonError("it names no role that is let in")
    return max(known, key=lambda each: (Confidentiality(people.roles[each]).rank, each))
