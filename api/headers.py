"""Headers that every answer has.

https://owasp.org/www-project-secure-headers/
"""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_REFERRER = (b"referrer-policy", b"no-referrer")
NO_STORE = (b"cache-control", b"no-store")
CACHE_CONTROL = b"cache-control"


def secured(headers: Iterable[Header]) -> list[Header]:
    """Return the headers with ours; what a route said about caching stays, else: no-store."""
    found = [*headers, NOSNIFF, NO_REFERRER]
    if all(name != CACHE_CONTROL for name, _ in found):
        found.append(NO_STORE)
    return found
