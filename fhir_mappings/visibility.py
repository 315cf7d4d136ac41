"""What an audience may have, and for which purposes: consent, policy, and who sent it.

https://hl7.org/fhir/R4/consent.html
"""

from fhir_mappings import labels
from service.fhir.mapping import Labels, View
from service.instruments import instrument
from service.models.consents import Category
from service.models.facts import PatientFacts, ResponseFacts, SafetyFacts
from service.models.purposes import EVERY_PURPOSE


def sent(facts: ResponseFacts | SafetyFacts, view: View) -> bool:
    """Tell whether the view is that of the hospital that sent the response."""
    return facts.connection_id is not None and facts.connection_id == view.audience.connection_id


def purposes(
    facts: ResponseFacts | SafetyFacts, view: View, category: Category, labelled: Labels
) -> int:
    """Return for which purposes the view may have this part of a response.

    What one hospital sent goes back to it and to the programme, and to no other hospital: a
    consent names its recipient, and none names the hospital that a response came from.
    """
    if sent(facts, view) or view.audience.is_programme:
        return EVERY_PURPOSE
    return view.purposes(category, labelled) if facts.connection_id is None else 0


def may_have(facts: ResponseFacts, view: View, category: Category) -> bool:
    """Tell whether the view may have this part of a response, for whatever purpose."""
    return bool(purposes(facts, view, category, labels_of(facts, category)))


def labels_of(facts: ResponseFacts, category: Category) -> Labels:
    """Return the labels of that part of a response as a whole."""
    if category is Category.ALERTS:
        return labels.alert(part2=facts.part2)
    form = instrument(facts.instrument, facts.instrument_version)
    if category is Category.ANSWERS:
        return labels.answers(form, part2=facts.part2)
    return labels.total(form, part2=facts.part2)


def knowing(facts: PatientFacts, view: View) -> int:
    """Return for which purposes the view may have the Patient that its documents are about."""
    hospital = view.audience.connection_id
    if hospital in facts.sent_by or hospital in facts.received:
        return EVERY_PURPOSE
    return view.anything()


def only_sent(view: View) -> bool:
    """Tell whether a view that has the Patient has it for what it sent alone.

    It then knows whom that is about by its own record number, and not what the programme says.
    """
    return not view.anything()
