"""Whether a narrative holds only the formatting that FHIR allows.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import re
from html.entities import html5
from xml.etree import ElementTree as ET

XHTML = "{http://www.w3.org/1999/xhtml}"
_TAGS = (
    "a abbr acronym address b big blockquote br caption cite code col colgroup dd dfn div dl dt em"
    " h1 h2 h3 h4 h5 h6 hr i img ins del kbd li ol p pre q s samp small span strike strong sub sup"
    " table tbody td tfoot th thead tr tt u ul var"
)
_ATTRIBUTES = (
    "abbr align alt axis border cellhalign cellpadding cellspacing cellvalign char charoff charset"
    " cite class color colspan coords dir frame headers height href hreflang id lang longdesc name"
    " nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type"
    " valign value width xml:lang {http://www.w3.org/XML/1998/namespace}lang"
)
TAGS = frozenset(_TAGS.split())
# A tag without the namespace is taken for XHTML as well.
_ALLOWED = TAGS | {f"{XHTML}{tag}" for tag in TAGS}
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_entity = re.compile(r"&(\w+);")
# Words between two tags, of a kind that no attribute or entity is taken for.
_plain_words = re.compile(r">\s*[^<>\s\"'&][^<>\"']*<").search
_script = re.compile(r"\s*(?:javascript|vbscript|data\s*:\s*text)", re.IGNORECASE)


def allowed(div: str) -> bool:
    """Tell whether txt-1 holds; without a DTD, which it refuses, XML has nothing to expand."""
    root = _parsed(div)
    return root is not None and root.tag == f"{XHTML}div" and all(map(_plain, root.iter()))


def speaks(div: str) -> bool:
    """Tell whether txt-2 holds: some text, or an image."""
    if "<!" not in div and _plain_words(div):
        return True
    root = _parsed(div)
    if root is None:
        return False
    return any(text.strip() for text in root.itertext()) or root.find(f".//{XHTML}img") is not None


def _parsed(div: str) -> "ET.Element | None":
    if "<!DOCTYPE" in div or "<!ENTITY" in div or "<?" in div:
        return None
    try:
        return ET.fromstring(_entity.sub(_character, div))  # noqa: S314 - no DTD, see above
    except (ET.ParseError, ValueError):
        return None


def _character(found: re.Match[str]) -> str:
    name = found[1]
    return found[0] if name in _XML else html5.get(f"{name};", found[0])


def _plain(element: "ET.Element") -> bool:
    if element.tag not in _ALLOWED:
        return False
    if not element.attrib:
        return True
    links = (element.get("href"), element.get("src"))
    return ATTRIBUTES.issuperset(element.keys()) and not any(
        link and _script.match(link) for link in links
    )
