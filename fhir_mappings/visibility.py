"""What an audience may have: consent, policy, and who sent it.

https://hl7.org/fhir/R4/consent.html
"""

from service.fhir.mapping import View
from service.models.consents import Category
from service.models.facts import PatientFacts, ResponseFacts, SafetyFacts


def sent(facts: ResponseFacts | SafetyFacts, view: View) -> bool:
    """Tell whether the view is that of the hospital that sent the response."""
    return facts.connection_id is not None and facts.connection_id == view.audience.connection_id


def may_have(facts: ResponseFacts | SafetyFacts, view: View, category: Category) -> bool:
    """Tell whether the view may have this part of a response.

    What one hospital sent goes back to it and to the programme, and to no other hospital: a
    consent names its recipient, and none names the hospital that a response came from.
    """
    if sent(facts, view) or view.audience.is_programme:
        return True
    own = facts.connection_id is None
    return own and view.disclosure.permits(category, part2=facts.part2)


def any_category(view: View) -> bool:
    """Tell whether the view may have anything of the patient by consent or policy."""
    return bool(view.disclosure.categories | view.disclosure.part2_categories)


def may_know(facts: PatientFacts, view: View) -> bool:
    """Tell whether the view may have the Patient that its other documents are about."""
    hospital = view.audience.connection_id
    return any_category(view) or hospital in facts.sent_by or hospital in facts.received
