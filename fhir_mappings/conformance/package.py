"""Our definitions as a FHIR package, the same bytes for the same definitions.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import gzip
import io
import json
import tarfile
from functools import cache
from typing import Any

from fhir_mappings.codes import OURS
from fhir_mappings.conformance.canonical import VERSION, Resource
from fhir_mappings.conformance.definitions import definitions

NAME = "alongside.fhir"
MANIFEST: dict[str, Any] = {
    "name": NAME,
    "version": VERSION,
    "type": "fhir.ig",
    "canonical": OURS,
    "title": "Alongside",
    "description": "Code systems, extensions, identifier systems and operations of Alongside.",
    "author": "Alongside",
    "license": "Apache-2.0",
    "fhirVersions": ["4.0.1"],
    "dependencies": {"hl7.fhir.r4.core": "4.0.1"},
}
INDEXED = ("resourceType", "id", "url", "version", "kind", "type")


@cache
def package() -> bytes:
    """Return package.tgz."""
    found = {_file(each): each for each in definitions()}
    index = {"index-version": 1, "files": [_entry(name, each) for name, each in found.items()]}
    files: dict[str, Any] = {"package.json": MANIFEST, ".index.json": index, **found}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            text = json.dumps(content, indent=2, ensure_ascii=False).encode()
            about = tarfile.TarInfo(f"package/{name}")
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), mtime=0)


def _file(resource: Resource) -> str:
    return f"{resource['resourceType']}-{resource['id']}.json"


def _entry(name: str, resource: Resource) -> dict[str, str]:
    plain = {key: resource[key] for key in INDEXED if isinstance(resource.get(key), str)}
    return {"filename": name, **plain}
