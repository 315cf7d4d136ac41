"""An export as files: one page to read, a FHIR Bundle for each audience, and both in a zip.

https://www.w3.org/TR/WCAG22/
"""

import io
import re
import zipfile
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from service.subjects.record import Export

README = (
    "record.html is to be read, and to be printed. The files in fhir/ are for programs: every\n"
    "document about the person for each reader of it, FHIR R4, with the versions before it.\n"
)


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
