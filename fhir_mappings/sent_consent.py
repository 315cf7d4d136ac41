"""Consent as a hospital sends it: into the provision that is executed, or why it cannot be.

What is not executed is refused by name: a rule that was kept and not followed would be a promise
that nobody holds. https://hl7.org/fhir/R4/consent.html
"""

import calendar
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from fhir_mappings.codes import (
    ACCESS,
    CATEGORY,
    DISCLOSE,
    GROUP_NAME,
    LABEL,
    PRIVACY,
    PURPOSE,
    Code,
)
from service.errors import InvalidElementsError, Problem
from service.models.consents import Category, Decision, Label
from service.models.evidence import ESignature, Evidence, SignedForm
from service.models.provisions import Provision

CONSENT = "Consent"
IN_FORCE = "active"
ENDED = {"inactive", "entered-in-error"}
UNEXECUTED = ("class", "data", "dataPeriod", "modifierExtension")
ACTIONS = {ACCESS.code, DISCLOSE.code}
PRECISE = len("2026-01-05T")

Element = Mapping[str, Any]
IsHospital = Callable[[str], bool]
E = TypeVar("E", bound=StrEnum)


def to_provision(resource: Element, is_hospital: IsHospital) -> Provision | None:
    """Return what the hospital says, or None where it is not in force any more.

    `is_hospital` tells of the FHIRPath of a reference whether it leads to the sender.

    Raises:
        InvalidElementsError: it says what is not executed; each element is named.
    """
    if resource.get("status") in ENDED:
        return None
    reading = _Reading(is_hospital)
    said = reading.consent(resource)
    if reading.problems or said is None:
        raise InvalidElementsError(tuple(reading.problems))
    return said


def to_evidence(resource: Element) -> Evidence | None:
    """Return what shows that the person said so: the form, or who verified it with them."""
    try:
        return next(_evidence(resource), None)
    except (ValueError, OverflowError):  # a leap second, or a year that no calendar has
        return None


def _evidence(resource: Element) -> Iterator[Evidence]:
    form = resource.get("sourceAttachment", {})
    if form.get("creation") and (form.get("title") or form.get("url")):
        document = form.get("title") or form["url"]
        yield SignedForm(document=document, signed_on=_first(form["creation"]).date())
    for each in resource.get("verification", ()):
        if each.get("verified") and each.get("verificationDate"):
            moment = _first(each["verificationDate"])
            yield ESignature(signer="the person", signed_at=moment, method="as the hospital sent")


class _Reading:
    """One reading of a Consent, with what is wrong with it."""

    def __init__(self, is_hospital: IsHospital) -> None:
        self.is_hospital = is_hospital
        self.problems: list[Problem] = []

    def refuse(self, path: str, rule: str, code: str = "not-supported") -> None:
        self.problems.append(Problem(path, rule, code))

    def consent(self, resource: Element) -> Provision | None:
        """Return the root provision; problems tell where there is none."""
        if resource.get("status") != IN_FORCE:
            self.refuse("Consent.status", "active, inactive and entered-in-error are executed")
        scopes = resource.get("scope", {}).get("coding", ())
        if not any(_is(each, PRIVACY) for each in scopes):
            self.refuse("Consent.scope", f"consents of {PRIVACY.code} are executed")
        if "modifierExtension" in resource:
            self.refuse("Consent.modifierExtension", "is not executed")
        root = resource.get("provision")
        if not isinstance(root, dict):
            self.refuse("Consent.provision", "must say what is permitted or denied", "required")
            return None
        if not root.get("actor"):
            self.refuse("Consent.provision.actor", "must name this hospital", "required")
        return self.rule(root, "Consent.provision")

    def rule(self, rule: Element, path: str) -> Provision | None:
        """Return one rule with its exceptions."""
        before = len(self.problems)
        for name in UNEXECUTED:
            if name in rule:
                self.refuse(f"{path}.{name}", "is not executed")
        if rule.get("type") not in set(Decision):
            self.refuse(f"{path}.type", "must be permit or deny", "required")
        self._actors(rule, path)
        self._actions(rule, path)
        kinds = set(self._kinds(rule, path))
        said = {
            "categories": frozenset(one for one in kinds if isinstance(one, Category)),
            "purposes": frozenset(self._codes(rule, path, "purpose", PURPOSE)),
            "labels": frozenset(self._codes(rule, path, "securityLabel", LABEL)),
            "shows_group_name": "group" in kinds if kinds else None,
            **self._period(rule, path),
        }
        nested = list(self._exceptions(rule, path))
        if len(self.problems) > before:
            return None
        return Provision(decision=Decision(rule["type"]), **_with_part_2(said, nested))

    def _exceptions(self, rule: Element, path: str) -> Iterator[Provision]:
        for place, nested in enumerate(rule.get("provision", ())):
            if (said := self.rule(nested, f"{path}.provision[{place}]")) is not None:
                yield said

    def _actors(self, rule: Element, path: str) -> None:
        for place, _ in enumerate(rule.get("actor", ())):
            where = f"{path}.actor[{place}].reference"
            if not self.is_hospital(where):
                self.refuse(where, "must be the Organization of this hospital", "business-rule")

    def _actions(self, rule: Element, path: str) -> None:
        for place, action in enumerate(rule.get("action", ())):
            known = {each.get("code") for each in action.get("coding", ())} & ACTIONS
            if not known:
                rule_ = f"{' and '.join(sorted(ACTIONS))} are executed"
                self.refuse(f"{path}.action[{place}]", rule_, "code-invalid")

    def _kinds(self, rule: Element, path: str) -> Iterator[Category | str]:
        for place, concept in enumerate(rule.get("code", ())):
            codings = concept.get("coding", ())
            found = [one for one, code in CATEGORY.items() if any(_is(c, code) for c in codings)]
            if any(_is(each, GROUP_NAME) for each in codings):
                yield "group"
            elif not found:
                known = f"must be a code of {GROUP_NAME.system}"
                self.refuse(f"{path}.code[{place}]", known, "code-invalid")
            yield from found

    def _codes(self, rule: Element, path: str, name: str, known: Mapping[E, Code]) -> Iterator[E]:
        for place, coding in enumerate(rule.get(name, ())):
            found = next((one for one, code in known.items() if _is(coding, code)), None)
            if found is None:
                codes = ", ".join(code.code for code in known.values())
                self.refuse(f"{path}.{name}[{place}]", f"must be one of {codes}", "code-invalid")
            else:
                yield found

    def _period(self, rule: Element, path: str) -> dict[str, datetime | None]:
        period = rule.get("period", {})
        start, end = period.get("start"), period.get("end")
        try:
            return {"start": start and _first(start), "end": end and _after(end)}
        except (ValueError, OverflowError):
            self.refuse(f"{path}.period", "must lie within the years 2 to 9998", "value")
            return {}


def _with_part_2(said: dict[str, Any], nested: list[Provision]) -> dict[str, Any]:
    """Return the fields; an exception of Part 2 alone, as it is written here, is one of them."""
    plain = [each for each in nested if not _is_part_2(each)]
    of_part_2 = {each.decision for each in nested if _is_part_2(each)}
    covers = None if not of_part_2 else of_part_2 == {Decision.PERMIT}
    return {**said, "covers_part2": covers, "provisions": tuple(plain)}


def _is_part_2(rule: Provision) -> bool:
    bare = Provision(decision=rule.decision, labels=frozenset({Label.PART_2}))
    return rule == bare


def _is(coding: Element, code: Code) -> bool:
    return (coding.get("system"), coding.get("code")) == (code.system, code.code)


def _first(text: str) -> datetime:
    """Return the first moment of a dateTime; a day is one of UTC."""
    if len(text) >= PRECISE:
        return datetime.fromisoformat(text).astimezone(UTC)
    year, month, day = [*map(int, text.split("-")), 1, 1][:3]
    return datetime(year, month, day, tzinfo=UTC)


def _after(text: str) -> datetime:
    """Return the moment at which what ends so has ended: a day that is named is within."""
    if len(text) >= PRECISE:
        return _first(text)
    year, *more = map(int, text.split("-"))
    month = more[0] if more else 12
    day = more[1] if len(more) > 1 else calendar.monthrange(year, month)[1]
    return datetime.combine(date(year, month, day), datetime.min.time(), UTC) + timedelta(days=1)
