"""Addresses that a page of any origin may read: what needs no token, or gives one.

No cookie is ever looked at, so that a page has nothing but what it brings.
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from collections.abc import Sequence
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route


def any_origin(*methods: str) -> Middleware:
    """Return what lets pages of every origin use these methods."""
    return Middleware(CORSMiddleware, **_options(methods))


def route(path: str, endpoint: Any, *methods: str) -> Route:  # noqa: ANN401 - as Starlette has it
    """Return a route of these methods whose preflight is answered, too."""
    inner = Route(path, endpoint, methods=list(methods))
    return Route(path, CORSMiddleware(inner.handle, **_options(methods)), name=inner.name)


def _options(methods: Sequence[str]) -> dict[str, Any]:
    return {"allow_origins": ("*",), "allow_methods": tuple(methods), "allow_headers": ("*",)}
