"""Documents of clients follow a person whose record was merged, or parted again (ADR 0028).

A hospital goes on knowing the person by the same Patient, so that nothing is rewritten but whose
its documents are. The programme knew both: what its own clients sent is made to refer to the one
that is left.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service import driver
from service.fhir.audiences import connection_audiences, programme_audience
from service.fhir.documents import Stored, Target, Writer, stored_by_id
from service.fhir.kept_drafts import indexed, kept
from service.fhir.lexical import parse
from service.fhir.mapping import Audience, Registry
from service.fhir.sent_references import Addresses, Person, local_places
from service.fhir.sources import OF_ROWS
from service.models.documents import PROGRAMME
from service.models.merges import Merge, MergeMove, Moving
from service.models.patients import Patient

BELONGS = (
    "UPDATE documents SET patient_key = ? WHERE audience = ? AND subject = ? AND owner = 'client'"
    " AND type IN (TYPES)"
)
REFERRING = (
    f"SELECT id FROM documents WHERE audience = {PROGRAMME} AND subject = ? AND type IN (TYPES)"  # noqa: S608
    " AND owner = 'client' AND NOT deleted"
    " UNION SELECT d.id FROM document_references r JOIN documents d ON d.number = r.document"
    f" WHERE r.audience = {PROGRAMME} AND r.target = ? AND d.owner = 'client' AND NOT d.deleted"
)
SUBJECT = "UPDATE documents SET subject = ?, patient_key = ? WHERE id = ?"
BEFORE = "SELECT content FROM document_versions WHERE id = ? AND version = ?"
DOCUMENTS = "documents"


@dataclass(frozen=True)
class Following:
    """What is needed to let documents follow; `base` is the address that references may begin with.

    `merge` is what has just been done, or undone.
    """

    session: DbSession
    writer: Writer
    registry: Registry
    key: bytes
    base: str
    merge: Merge

    @cached_property
    def programme(self) -> Audience:
        return programme_audience(self.key)

    @cached_property
    def audiences(self) -> dict[int, Audience]:
        hospitals = connection_audiences(self.session, self.key).values()
        return {each.number: each for each in (self.programme, *hospitals)}

    @cached_property
    def family(self) -> set[UUID]:
        """The source, and those that were merged into it."""
        return _family(self.session, self.merge.source_id)

    @cached_property
    def types(self) -> str:
        names = (each.name for each in self.registry.types if each.writable)
        return ", ".join(f"'{name}'" for name in names)

    def patient(self, patient_id: UUID, audience: Audience | None = None) -> Person:
        """Return a record as this audience, or the programme, refers to it."""
        source = f"patient:{patient_id.hex}"
        return Person(patient_id.hex, (audience or self.programme).id("Patient", source))


def follow(following: Following, stored: Mapping[str, Stored]) -> None:
    """Let documents be those of whom they are about now; `stored` are those made from rows."""
    merge = following.merge
    owner = merge.target_id if merge.undone_at is None else merge.source_id
    _rehome(following, stored.values(), owner)
    _belong(following, owner)
    if merge.undone_at is None:
        _rewrite(following)
    else:
        _restore(following)


def last_merge(session: DbSession, source_id: UUID) -> Merge:
    """Return the merge of this record that was done, or undone, last."""
    found = select(Merge).where(Merge.source_id == source_id).order_by(col(Merge.id).desc())
    return session.exec(found.limit(1)).one()


def _rehome(following: Following, stored: Iterable[Stored], owner: UUID) -> None:
    """Note from whose rows the documents with the source's ids are made now; tombstones too.

    The Patient that the programme has of the source goes on being made from the source.
    """
    theirs = _made_from_rows_of(following.session, owner)
    for row in stored:
        if row.source in theirs:
            following.writer.move(row, row.source, owner.hex)
        kind, *ids = row.source.split(":")
        audience = following.audiences.get(row.audience)
        programmes = kind == "patient" and row.audience == PROGRAMME
        if kind not in {"patient", "visit"} or audience is None or programmes:
            continue
        begun = ":".join((kind, *ids[:-1]))
        if row.id in {audience.id(row.type, f"{begun}:{one.hex}") for one in following.family}:
            following.writer.move(row, f"{begun}:{owner.hex}", owner.hex)


def _made_from_rows_of(session: DbSession, owner: UUID) -> set[str]:
    return {
        f"{kind}:{one.hex}"
        for kind, table in OF_ROWS
        for one in session.exec(select(table.id).where(col(table.patient_id) == owner))
    }


def _belong(following: Following, owner: UUID) -> None:
    """Note whose the documents about the source's Patients are now; their bytes stay."""
    sql = BELONGS.replace("TYPES", following.types)
    for record in following.family:
        for audience in following.audiences.values():
            about = following.patient(record, audience).subject
            driver.execute(following.session, sql, (owner.hex, audience.number, about))


def _family(session: DbSession, patient_id: UUID) -> set[UUID]:
    """Return the record and those that were merged into it, each by way of others too."""
    found, pending = set[UUID](), {patient_id}
    while pending:
        found |= pending
        into = select(Patient.id).where(col(Patient.merged_into_id).in_(pending))
        pending = set(session.exec(into)) - found
    return found


def _rewrite(following: Following) -> None:
    """Make what refers to the retired Patient refer to the other one, as new versions."""
    merge = following.merge
    old, new = following.patient(merge.source_id), following.patient(merge.target_id)
    sql = REFERRING.replace("TYPES", following.types)
    found = driver.fetched(following.session, sql, (old.subject, old.subject))
    for stored in stored_by_id(following.session, [one for (one,) in found]).values():
        is_about = stored.subject == old.subject
        who = new if is_about else _whom(stored)
        version = _put(following, stored, _referring(stored.content, old, new), who)
        detail = {"version": version, "about": is_about}
        _remember(following, stored, detail)


def _referring(content: bytes, old: Person, new: Person) -> bytes:
    """Replace references; one to a version of the Patient leads to that version still."""
    reference = re.compile(rb"(\bPatient\\?/)" + old.subject.encode() + rb'(?=")')
    return reference.sub(rb"\g<1>" + new.subject.encode(), content)


def _whom(stored: Stored) -> Person | None:
    if stored.patient_key is None or stored.subject is None:
        return None
    return Person(stored.patient_key, stored.subject)


def _put(following: Following, stored: Stored, content: bytes, who: Person | None) -> int:
    """Write the content as the document's, and return its version."""
    lexical = parse(content)
    kind = following.registry.by_type[stored.type]
    draft = replace(kept(stored.type, stored.source, lexical, who), chosen_id=stored.chosen_id)
    audience = following.programme
    addresses = Addresses(following.base, audience)
    places = local_places(lexical.value, addresses).values()
    rows = indexed(draft, kind, who, addresses, places)
    target = Target(draft, audience, stored.source, stored.revision, rows)
    put = following.writer.put(target, stored)
    if put.version == stored.version and who is not None:  # it names the person by an identifier
        driver.execute(following.session, SUBJECT, (who.subject, who.key, stored.id))
    return put.version


def _remember(following: Following, stored: Stored, detail: dict[str, int]) -> None:
    row = MergeMove(
        merge_id=following.merge.id,
        table_name=DOCUMENTS,
        row_id=UUID(stored.id),
        moving=Moving.REWRITTEN,
        detail={**detail, "was": stored.version},
    )
    driver.insert(following.session, row)


def _restore(following: Following) -> None:
    """Give the documents that were rewritten, and not changed since, what they said before."""
    moves = {move.row_id.hex: move.detail or {} for move in _rewritten(following)}
    for stored in stored_by_id(following.session, moves).values():
        detail = moves[stored.id]
        if stored.deleted or stored.version != detail["version"]:
            continue
        source = following.patient(following.merge.source_id)
        who = source if detail["about"] else _whom(stored)
        _put(following, stored, _before(following.session, stored, detail["was"]), who)


def _rewritten(following: Following) -> Iterable[MergeMove]:
    where = (MergeMove.merge_id == following.merge.id, MergeMove.table_name == DOCUMENTS)
    return following.session.exec(select(MergeMove).where(*where))


def _before(session: DbSession, stored: Stored, version: int) -> bytes:
    if version == stored.version:
        return stored.content
    ((packed,),) = driver.fetched(session, BEFORE, (stored.id, version))
    return zlib.decompress(packed)
