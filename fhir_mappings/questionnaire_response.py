"""QuestionnaireResponse: from rows, or to its sender as it was sent; and back into commands.

The sender reads its own bytes, offset of `authored` included; what was corrected here is
laid over them. Others read what the rows say.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from fhir_mappings import labels, references
from fhir_mappings.answers import TYPE, moment, understand
from fhir_mappings.codes import US_CORE
from fhir_mappings.datatypes import Element, instant, present
from fhir_mappings.foreign_forms import form_of, is_relative
from fhir_mappings.instrument_codes import answer_coding
from fhir_mappings.visibility import purposes, sent
from service.commands import CorrectResponse, RecordResponse
from service.errors import BusinessRuleError
from service.fhir.lexical import Lexical, overlay, parse, said_in_meta
from service.fhir.mapping import Draft, Owner, View
from service.instruments import Instrument, Item, instrument
from service.models.consents import Category
from service.models.facts import ResponseFacts

PROFILE = f"{US_CORE}/us-core-questionnaireresponse"
# The id that we gave, in whichever form of address it stands.
PATIENT_HERE = re.compile(r"\bPatient/[0-9a-f]{32}\b")
DEMANDED = ("questionnaire", "subject", "authored")


def render(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    form = instrument(facts.instrument, facts.instrument_version)
    labelled = labels.answers(form, part2=facts.part2)
    if not (given := purposes(facts, view, Category.ANSWERS, labelled)):
        return
    plain = Draft(
        TYPE,
        references.source("response", facts.id),
        _from_rows(facts, view, form),
        labelled,
        (PROFILE,),
        facts.patient_id,
        purposes=given,
    )
    as_sent = facts.received is not None and sent(facts, view)
    yield _as_sent(plain, facts, form, view) if as_sent else plain


def _from_rows(facts: ResponseFacts, view: View, form: Instrument) -> Element:
    return present(
        {
            "questionnaire": form.canonical,
            "status": facts.status.value,
            "subject": references.patient(view.audience, facts.patient_id),
            "authored": instant(facts.authored),
            "item": _items(facts, form),
        }
    )


def _items(facts: ResponseFacts, form: Instrument) -> list[Element]:
    given = ((item, facts.answers.get(item.link_id)) for item in form.items)
    return [_item(form, item, value) for item, value in given if value is not None]


def _item(form: Instrument, item: Item, value: int) -> Element:
    chosen = item.chosen(value)
    answers = [{"valueCoding": answer_coding(form, item, chosen)}] if chosen else None
    return present({"linkId": item.link_id, "text": item.text, "answer": answers})


def _as_sent(plain: Draft, facts: ResponseFacts, form: Instrument, view: View) -> Draft:
    lexical = parse(facts.received or b"")
    if corrections := {**_corrections(facts, form, lexical), **_subject(facts, lexical, view)}:
        lexical = overlay(lexical, corrections)
    return replace(
        plain,
        # Without `authored` it is found by the time of its arrival, though it does not say it.
        resource={"authored": instant(facts.authored), **lexical.value},
        profiles=_profiles(lexical.value),
        owner=Owner.SHARED,
        members=lexical.members,
        meta=said_in_meta(lexical.value),
    )


def _profiles(value: dict[str, Any]) -> tuple[str, ...]:
    """Return the profile that it has, unless its sender says it, perhaps of one version."""
    told = {str(each).partition("|")[0] for each in said_in_meta(value).get("profile") or ()}
    is_whole = all(value.get(name) for name in DEMANDED)
    return (PROFILE,) if is_whole and PROFILE not in told else ()


def _subject(facts: ResponseFacts, sent_: Lexical, view: View) -> dict[str, Any]:
    """Return whom it is about where the sender knows the person by another id since a merge."""
    said = sent_.value.get("subject", {})
    now = references.patient(view.audience, facts.patient_id)
    found = PATIENT_HERE.search(str(said.get("reference", "")))
    return {} if found is None or found[0] == now["reference"] else {"subject": {**said, **now}}


def _corrections(facts: ResponseFacts, form: Instrument, sent_: Lexical) -> dict[str, Any]:
    """Return the members that were corrected here; a narrative of old answers is removed."""
    found: dict[str, Any] = {}
    if facts.status is not facts.received_status:
        found["status"] = facts.status.value
    if facts.answers != facts.received_answers:
        found["item"] = _items(facts, form) or None
        found["questionnaire"], found["_questionnaire"] = form.canonical, None
    authored = moment(sent_.value.get("authored"))
    if authored is not None and authored != facts.authored:
        found["authored"], found["_authored"] = instant(facts.authored), None
    return {**found, "text": None} if found else {}


def is_known(resource: dict[str, Any]) -> bool:
    """Tell whether a response is for the domain: it answers a questionnaire that is scored here.

    One that names none is too: it is refused there, since it might be any; so might one that is
    named by what is no canonical. One whose form is said
    by an extension, as US Core says what is no Questionnaire, is not.
    """
    canonical = resource.get("questionnaire")
    if isinstance(canonical, str):
        return is_relative(canonical) or form_of(resource) is not None
    return "_questionnaire" not in resource


def to_command(
    resource: dict[str, Any],
    *,
    patient_id: UUID,
    connection_id: UUID | None,
    received: bytes,
    now: datetime,
) -> RecordResponse:
    """Return the command that records this response; the caller resolved its subject.

    Raises:
        InvalidError: an element is missing or not understood; each one is named.
    """
    said = understand(resource)
    return RecordResponse(
        patient_id=patient_id,
        instrument=said.form.id,
        instrument_version=said.form.version,
        answers=said.answers,
        authored=said.authored or now,
        status=said.status,
        connection_id=connection_id,
        received=received,
    )


def to_correction(
    resource: dict[str, Any],
    *,
    response_id: UUID,
    instrument: str,
    corrected_by: str,
    received: bytes,
    if_match: int | None = None,
) -> CorrectResponse:
    """Return the command that corrects a response to this instrument, named by id.

    Raises:
        InvalidError: an element is missing or not understood; each one is named.
        BusinessRuleError: it answers another questionnaire than the response did.
    """
    said = understand(resource)
    if said.form.id != instrument:
        rule = "a response cannot change to another questionnaire"
        raise BusinessRuleError(rule, element=f"{TYPE}.questionnaire")
    return CorrectResponse(
        response_id=response_id,
        answers=said.answers,
        status=said.status,
        authored=said.authored,
        corrected_by=corrected_by,
        received=received,
        if_match=if_match,
    )
