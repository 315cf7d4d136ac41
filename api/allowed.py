"""Which methods an address takes, for `Allow` beside a 405.

https://www.rfc-editor.org/rfc/rfc9110#name-allow
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Match

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SEGMENT = "[^/$_][^/]*"  # $ and _ begin the names of operations and interactions


class Addresses:
    """The addresses that the OpenAPI document has, the particular ones before the general."""

    def __init__(self, paths: Mapping[str, Mapping[str, Any]]) -> None:
        known = sorted(paths, key=lambda path: path.count("{"))
        self._known = [(_pattern(path), _methods(paths[path])) for path in known]

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods of this address; none where it is not documented."""
        return next((found for pattern, found in self._known if pattern.fullmatch(path)), ())


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", path)
    return re.compile(SEGMENT.join(map(re.escape, parts)))


def _methods(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(method for method in METHODS if method.lower() in item)


def routed(request: Request, routes: Iterable[BaseRoute]) -> tuple[str, ...]:
    """Return the methods for which a route takes this address; none where one takes the request."""
    known = list(routes)

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in known)

    return () if takes(request.method) else tuple(filter(takes, METHODS))


def header(methods: Iterable[str]) -> str:
    """Return the field's value: who takes GET takes HEAD."""
    listed = list(methods)
    return ", ".join([*listed, "HEAD"] if "GET" in listed else listed)
