"""What an Appointment and an Encounter of one visit share: person, place, session, leader.

One session's documents share an identifier within an audience, and with no other audience.

https://hl7.org/fhir/R4/appointment.html
"""

from fhir_mappings import labels, references
from fhir_mappings.codes import IDENTIFIERS
from fhir_mappings.datatypes import Element, identifier
from service.fhir.mapping import View
from service.models.consents import Category
from service.models.facts import VisitFacts


def purposes(facts: VisitFacts, view: View) -> int:
    """Return for which purposes the view may have the visit."""
    return view.purposes(Category.ATTENDANCE, labels.membership(facts.group))


def source(facts: VisitFacts) -> str:
    """Name the visit as it was named first: a merge changes whose it is, and no id."""
    person = facts.made_for_id or facts.patient_id
    return f"visit:{facts.session_id.hex}:{person.hex}"


def session_identifier(facts: VisitFacts, view: View) -> Element:
    keyed = view.audience.keyed("session", facts.session_id.hex)
    return identifier(f"{IDENTIFIERS}/session", keyed)


def leader(facts: VisitFacts, view: View) -> Element | None:
    """Return the facilitator's role, which may tell the group, where the group may be told."""
    if facts.group.facilitator_id is None or not _tells_group(facts, view):
        return None
    return references.facilitator(view.audience, facts.group.facilitator_id)


def place(facts: VisitFacts, view: View) -> Element | None:
    """Return the place, where the group may be told: the catalogue says which group meets there."""
    if facts.place_id is None or not _tells_group(facts, view):
        return None
    return references.location(view.audience, facts.place_id)


def _tells_group(facts: VisitFacts, view: View) -> bool:
    return view.names_group(labels.membership(facts.group), purposes(facts, view))
