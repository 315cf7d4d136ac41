"""What every definition of ours says of itself.

https://hl7.org/fhir/R4/metadataresource.html
"""

from typing import Any

VERSION = "1.0.0"  # raised by hand, with DATE, when a definition changes
DATE = "2026-11-23"
PUBLISHER = "Alongside"

Resource = dict[str, Any]


def definition(kind: str, url: str, name: str, title: str, description: str) -> Resource:
    """Return the elements that every definition begins with."""
    return {
        "resourceType": kind,
        "id": url.rpartition("/")[2],
        "url": url,
        "version": VERSION,
        "name": name,
        "title": title,
        "status": "active",
        "experimental": False,
        "date": DATE,
        "publisher": PUBLISHER,
        "description": description,
    }


def computable(text: str) -> str:
    """Return a name that programs can use, such as SeverityBand of severity-band."""
    return "".join(part[:1].upper() + part[1:] for part in text.replace("_", "-").split("-"))
