"""Pages for people: what this is, and the list of its operations; no script, no other host.

https://www.w3.org/TR/WCAG22/
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.context import Context
from api.demo.commands import commands

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
METHODS = ("get", "put", "post", "patch", "delete")
STYLESHEET = files("api").joinpath("static/alongside.css")


def routes(app: FastAPI, context: Context) -> list[Route]:
    """Return the routes of the pages."""
    environment = Environment(
        loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    settings = context.settings
    said = {
        "programme": settings.programme_name,
        "crisis_text": settings.crisis_text,
        "base": settings.public_base_url,
    }

    def page(template: str, values: Callable[[], dict[str, Any]]) -> Callable[[Request], Response]:
        def show(_request: Request) -> Response:
            html = environment.get_template(template).render(**said, **values())
            return Response(html, media_type="text/html", headers=_headers())

        return show

    def tour() -> dict[str, Any]:
        return {"commands": commands(context.database, settings.public_base_url)}

    return [
        Route("/", page("index.html", tour)),
        Route("/docs", page("docs.html", lambda: {"sections": sections(app.openapi())})),
        Route("/static/alongside.css", _stylesheet),
        Route("/favicon.ico", _no_icon),
    ]


def sections(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the document's operations by tag, in the order of the document."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if operation := item.get(method):
                tag = operation.get("tags", ["Other"])[0]
                found.setdefault(tag, []).append(_row(path, method, operation))
    return found


def _row(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path,
        "method": method.upper(),
        "summary": operation.get("summary", ""),
        "parameters": [each["name"] for each in operation.get("parameters", ()) if "name" in each],
    }


def _headers() -> dict[str, str]:
    return {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


def _stylesheet(_request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(STYLESHEET.read_bytes(), media_type="text/css", headers=headers)


def _no_icon(_request: Request) -> Response:
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})
