"""An export as files: one page to read, a FHIR Bundle for each audience, and both in a zip.

Who received what of the person is in it, from the audit rows.
https://www.w3.org/TR/WCAG22/
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlmodel import Session

from api.accounted import bundle_of
from api.context import Context
from service.audit.accounting import Accounting, account
from service.audit.people import names_in_rows
from service.clock import EPOCH
from service.subjects.record import Export, Section, export
from service.subjects.words import said

README = (
    "record.html is to be read, and to be printed. The files in fhir/ are for programs: every\n"
    "document about the person for each reader of it, FHIR R4, with the versions before it,\n"
    "and an AuditEvent for each answer by which a hospital received something.\n"
)


RECEIVED = "Who received what"
COLUMNS = ("Hospital", "When", "By", "On behalf of", "How", "What", "For what purpose")


def exported(context: Context, session: Session, patient_id: UUID) -> Export:
    """Return all that is held about a person, and which hospital received what of it.

    Raises:
        NotFoundError: there is no such patient.
    """
    base = f"{context.settings.public_base_url}/fhir"
    found = export(session, patient_id, context.clock(), base)
    names = names_in_rows(session, found.family)
    told = account(session, context.audit_reader.engine, names)
    title = RECEIVED if told.complete else f"{RECEIVED}: the newest {len(told.rows)}"
    section = Section(title, COLUMNS, tuple(_received(told)))
    events = {RECEIVED: bundle_of(context, session, told.rows, found.family)} if told.rows else {}
    return replace(found, sections=(*found.sections, section), bundles={**found.bundles, **events})


def _received(told: Accounting) -> Iterator[tuple[str, ...]]:
    for hospital in told.recipients:
        for row in hospital.rows:
            who = (row.client or "", row.person or "")
            what = (row.method, row.path, row.purpose or "not said")
            yield hospital.name, said(EPOCH + timedelta(microseconds=row.at)), *who, *what


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(export: Export, programme: str) -> bytes:
    """Return the page, which needs no other file."""
    template = _environment().get_template("subject.html")
    return template.render(export=export, programme=programme).encode()


def bundle(export: Export) -> bytes:
    """Return one Bundle with the Bundle of each audience in it."""
    entries = b",".join(b'{"resource":%b}' % each for each in export.bundles.values())
    opening = b'{"resourceType":"Bundle","type":"collection"'
    return opening + (b',"entry":[%b]}' % entries if entries else b"}")


def archive(export: Export, programme: str) -> bytes:
    """Return a zip of everything."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("README.txt", README)
        files.writestr("record.html", page(export, programme))
        for number, (name, content) in enumerate(export.bundles.items(), 1):
            files.writestr(f"fhir/{number}-{_file_name(name)}.json", content)
    return packed.getvalue()


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "hospital"
