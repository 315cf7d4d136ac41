"""References between the entries of a transaction: replaced, token by token, by new addresses.

https://hl7.org/fhir/R4/http.html#trules
https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson

from service.fhir.bundle_entries import Entry
from service.fhir.lexical import Lexical, with_texts
from service.fhir.sent_references import LOCAL, references

# The elements of type Reference, uri, url, oid and uuid that what clients send may have. Those of
# type canonical, and strings such as the value of an identifier, stay as they were sent.
ADDRESSES = frozenset(
    {"reference", "url", "uri", "system", "source", "authority", "policy", "definition",
     "instantiatesUri", "valueUri", "valueUrl", "valueOid", "valueUuid"}
)  # fmt: skip
CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(\S+)")
_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?')
_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])([^"']*)""")


@dataclass(frozen=True)
class Links:
    """What the addresses within a Bundle stand for, such as {"urn:uuid:...": "Patient/1"}."""

    targets: Mapping[str, str]

    @cached_property
    def _marks(self) -> re.Pattern[str] | None:
        """What a text has that may have one of the addresses in it."""
        starts = {re.escape(url.partition(":")[0]) for url in self.targets if "?" not in url}
        marks = [*sorted(starts), r"\?"] if any("?" in url for url in self.targets) else starts
        return re.compile("|".join([*marks, r"\\"])) if self.targets else None

    def may_be_in(self, text: str, root: str) -> bool:
        return self._marks is not None and bool(root or self._marks.search(text))

    def of(self, address: str, root: str) -> str | None:
        """Return what an address in an entry under this root stands for."""
        found = self.targets.get(address)
        if found is None and root and LOCAL.fullmatch(address):
            return self.targets.get(root + address)
        return found


def linked(entry: Entry, links: Links) -> Lexical | None:
    """Return the entry's resource with its links replaced; what is replaced only has new text."""
    if entry.resource is None:
        return None
    texts = {}
    for name, text in entry.resource.members.items():
        if links.may_be_in(text, entry.root):
            changed = _Rewriting(links, entry.root, name).of(text)
            if changed != text:
                texts[name] = changed
    return with_texts(entry.resource, texts) if texts else entry.resource


@dataclass
class _Rewriting:
    """A walk over the strings of one member; `name` is the element that was named last."""

    links: Links
    root: str
    name: str

    def of(self, text: str) -> str:
        return _STRING.sub(self._token, text)

    def _token(self, token: re.Match[str]) -> str:
        if token[2] is not None:
            self.name = _said(token[1])
            return token[0]
        if self.name in ADDRESSES:
            found = self.links.of(_said(token[1]), self.root)
            return token[0] if found is None else orjson.dumps(found).decode()
        return self._narrative(token) if self.name == "div" else token[0]

    def _narrative(self, token: re.Match[str]) -> str:
        text = _said(token[1])
        changed = _LINK.sub(lambda found: found[1] + self._target(found[2]), text)
        return token[0] if changed == text else orjson.dumps(changed).decode()

    def _target(self, address: str) -> str:
        found = self.links.of(address, self.root)
        return address if found is None else found


def _said(text: str) -> str:
    """Return what the inside of a JSON string says."""
    if "\\" not in text:
        return text
    said: str = orjson.loads(f'"{text}"')
    return said


def conditional(entry: Entry) -> dict[str, str]:
    """Return the references by a search, such as Patient?identifier=x|1, by where they stand."""
    if entry.resource is None or "?" not in entry.text:
        return {}
    name = str(entry.resource.value.get("resourceType", "Resource"))
    return {
        expression: reference["reference"]
        for expression, reference in references(entry.resource.value, name)
        if CONDITIONAL.fullmatch(reference["reference"])
    }
