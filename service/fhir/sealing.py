"""Whose documents' past is sealed when consents, links, restrictions or labels change (ADR 0007).

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.fhir.measured_sources import LABELLING
from service.fhir.seals import Seal
from service.fhir.sources import linked_to, merged_patients
from service.guard import Touched
from service.models.connections import Connection
from service.models.consents import Consent, Decision, Standing
from service.models.documents import PROGRAMME, PUBLIC
from service.models.groups import Facilitator, SupportGroup
from service.models.patients import Link
from service.models.subjects import Restriction
from service.restrictions import is_in_force


def seals_of(session: DbSession, touched: Touched, now: datetime) -> dict[int, Seal]:
    """Return what to seal for each hospital whose consents or links changed.

    Nothing of another's: that would tell it of the person's other hospital. Of everybody's, the
    past of a facilitator who is no longer named.
    """
    unnamed = any(_is_unnamed(row, touched) for row in touched.of(Facilitator))
    seals = {PUBLIC: Seal.ALL} if unnamed else {}
    given = {row.connection_id for row in [*touched.of(Consent), *touched.of(Link)]}
    taken = {row.connection_id for row in touched.of(Consent) if _refuses(row, now)}
    taken |= {row.connection_id for row in touched.of(Link) if _is_undone(row, touched)}
    restrictions = touched.of(Restriction)
    taken |= linked_to(session, {row.patient_id for row in restrictions if is_in_force(row, now)})
    # What a merge gives or takes is a link's, too.
    given |= linked_to(session, merged_patients(touched) | {row.patient_id for row in restrictions})
    if not given:
        return seals
    where = col(Connection.id).in_(given)
    numbers = session.exec(select(Connection.id, Connection.number).where(where))
    return seals | {number: Seal.ALL if one in taken else Seal.REPLACED for one, number in numbers}


def relabelled(touched: Touched, holding: Iterable[int]) -> dict[int, Seal]:
    """Return what to seal where a group's records get other labels: of hospitals `holding` some.

    Their past has the old labels and not the notice of Part 2; and what another label keeps from a
    hospital is taken from it.
    """
    if not any(map(partial(_is_relabelled, touched), touched.of(SupportGroup))):
        return {}
    return {number: Seal.ALL for number in holding if number not in {PUBLIC, PROGRAMME}}


def taken_from(seals: Mapping[int, Seal], *, is_merge: bool) -> list[int]:
    """Return whom something is taken from; what a merge takes from one it may give as another's."""
    return [number for number, seal in seals.items() if is_merge or seal is Seal.ALL]


def _is_relabelled(touched: Touched, row: SupportGroup) -> bool:
    """Tell whether the labels change of what may have been shown with others."""
    return row.row_version > 1 and bool(touched.changed[row.id] & LABELLING)


def _is_unnamed(row: Facilitator, touched: Touched) -> bool:
    """Tell whether hospitals may no longer see this facilitator's name."""
    return not row.name_is_public and "name_is_public" in touched.changed[row.id]


def _is_undone(row: Link, touched: Touched) -> bool:
    """Tell whether the link is undone now; one that was undone before may move with a merge."""
    return row.undone_at is not None and "undone_at" in touched.changed[row.id]


def _refuses(row: Consent, now: datetime) -> bool:
    """Tell whether this decision takes something away, rather than giving it.

    What was said anew, or has exceptions, may do both.
    """
    if row.version > 1 or row.provisions or row.standing is not Standing.CONFIRMED:
        return True
    if row.decision is Decision.PERMIT:
        return row.withdrawn_at is not None or (row.end is not None and row.end <= now)
    return row.withdrawn_at is None and row.start <= now
