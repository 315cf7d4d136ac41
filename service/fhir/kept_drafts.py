"""Documents that are kept as they were sent: the draft and the index that their bytes make.

https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from service.fhir.document_bytes import meta
from service.fhir.lexical import Lexical, said_in_meta
from service.fhir.mapping import Draft, Labels, Owner, ResourceType
from service.fhir.search_index import IndexRows, index
from service.fhir.sent_references import Addresses, Person, Place, unsearched
from service.models.connections import Confidentiality
from service.models.purposes import EVERY_PURPOSE
from service.redisclosure import PART_2

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def kept(
    name: str,
    source: str,
    lexical: Lexical,
    who: Person | None,
    floor: Confidentiality = Confidentiality.NORMAL,
) -> Draft:
    """Return the draft of a document of a client, about this person; no label is below `floor`."""
    said = said_in_meta(lexical.value)
    return Draft(
        name,
        source,
        lexical.value,
        Labels(max(_confidentiality(said), floor, key=_rank), part2=PART_2 in _codes(said, ACT)),
        patient_id=UUID(who.key) if who else None,
        owner=Owner.CLIENT,
        purposes=EVERY_PURPOSE,
        members=lexical.members,
        meta=said,
    )


def indexed(
    draft: Draft,
    kind: ResourceType,
    who: Person | None,
    addresses: Addresses,
    places: Iterable[Place],
) -> IndexRows:
    """Return the index of a draft; `places` is what it refers to, by a parameter or not."""
    rows = index(
        draft.resource,
        kind,
        meta=meta(draft),
        subject=who.subject if who else None,
        locate=addresses.locate,
    )
    rows.references.update(unsearched(rows, places))
    return rows


def _confidentiality(said: Mapping[str, object]) -> Confidentiality:
    """Return the highest confidentiality that the sender's labels say; normal where none does."""
    codes = _codes(said, CONFIDENTIALITY)
    ranked = [each for each in Confidentiality if each.value in codes]
    return max(ranked, key=_rank, default=Confidentiality.NORMAL)


def _codes(said: Mapping[str, object], system: str) -> set[object]:
    labels = said.get("security", ())
    found = labels if isinstance(labels, list) else ()
    return {each.get("code") for each in found if each.get("system") == system}


def _rank(label: Confidentiality) -> int:
    return label.rank
