"""What the history interactions share: their parameters, and the entries of their Bundles.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.errors import InvalidElementsError, InvalidError, Problem
from service.fhir.bundle_bytes import bundle
from service.fhir.document_bytes import instant
from service.fhir.identity import is_given
from service.fhir.mapping import Registry
from service.fhir.presentation import shaped
from service.fhir.search_plan import WHOLE, Pairs, Rules, Shape
from service.fhir.search_results import CURSOR, summarised
from service.fhir.search_values import searched_moment

REPEATED = frozenset({"_count", "_since", "_sort", "_format", "_pretty", "_summary", "_elements"})
ORDERS = {"_lastUpdated": True, "-_lastUpdated": False}
LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Asked:
    """What a history was asked for; `used` are the parameters that links repeat."""

    count: int
    since: int = 0
    ascending: bool = False
    shape: Shape = WHOLE
    cursor: str | None = None
    used: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Version:
    """One version, as a history shows it; `content` is empty where it is a deletion."""

    type: str
    shown: str
    version: int
    at: int
    content: bytes
    deleted: bool


def read_history_query(pairs: Pairs, rules: Rules, *, strict: bool, sortable: bool) -> Asked:
    """Return what was asked for; what is not supported is refused when strict, else left aside.

    Raises:
        InvalidError: a value is wrong, or `_at` is asked for, which is not to be left aside.
    """
    found = dict(pairs)
    known = REPEATED if sortable else REPEATED - {"_sort"}
    other = [name for name in found if name not in known | {CURSOR}]
    if "_at" in found or (other and strict):
        problem = Problem("_at" if "_at" in found else "query", _REFUSED, "not-supported")
        raise InvalidElementsError((problem,))
    order = found.get("_sort", "-_lastUpdated") if sortable else "-_lastUpdated"
    if order not in ORDERS:
        raise InvalidError("must be _lastUpdated or -_lastUpdated", element="_sort")
    return Asked(
        count=_count(found.get("_count", str(rules.page_size)), rules),
        since=searched_moment("_since", found["_since"]).low if "_since" in found else 0,
        ascending=ORDERS[order],
        shape=read_shape(pairs),
        cursor=found.get(CURSOR),
        used=tuple(pair for pair in pairs if pair[0] in known),
    )


_REFUSED = "a history takes _count, _since and, of a type or all, _sort"


def _count(text: str, rules: Rules) -> int:
    good = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER and int(text) > 0
    if not good:
        raise InvalidError("must be a whole number, 1 or more", element="_count")
    return min(int(text), rules.page_limit)


def read_shape(pairs: Pairs) -> Shape:
    """Return the shape that `_summary` and `_elements` ask for, of a read or a history.

    Raises:
        InvalidError: `_summary` is not one that a resource has.
    """
    shape = WHOLE
    for name, value in pairs:
        if name == "_summary":
            shape = summarised(shape, name, value)
        elif name == "_elements":
            shape = replace(shape, elements=frozenset(value.split(",")))
    return shape


def history_entry(base: str, version: Version, shape: Shape, registry: Registry) -> bytes:
    """Return one entry: what was asked for then, and how it was answered."""
    reference = f"{version.type}/{version.shown}"
    method, status, url = ("PUT", "200", reference)
    if version.version == 1:  # under an id that its client chose, it was made by an update
        method, url = ("POST", version.type) if is_given(version.shown) else ("PUT", reference)
        status = "201"
    if version.deleted:
        method, status, url = ("DELETE", "204", reference)
    resource = b""
    if not version.deleted:
        content = shaped(version.content, shape, registry.forms(version.type))
        resource = b'"resource":%b,' % content
    return b'{"fullUrl":"%b",%b"request":{"method":"%b","url":"%b"},"response":%b}' % (
        f"{base}/{reference}".encode(),
        resource,
        method.encode(),
        url.encode(),
        f'{{"status":"{status}","etag":"W/\\"{version.version}\\"",'
        f'"lastModified":"{instant(version.at)}"}}'.encode(),
    )


def history_bundle(
    base: str,
    links: Sequence[bytes],
    versions: Sequence[Version],
    asked: Asked,
    registry: Registry,
) -> bytes:
    """Return the Bundle of these versions, labelled by them."""
    told = [history_entry(base, version, asked.shape, registry) for version in versions]
    return bundle("history", links, told, shown=(each.content for each in versions))
