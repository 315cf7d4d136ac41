"""How long a body of /v1 may be; the FHIR and token endpoints count theirs themselves.

https://www.rfc-editor.org/rfc/rfc9110#name-413-content-too-large
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import LARGEST_BODY, unreadable

TOO_LONG = 413


class BodyLimit:
    """Refuses by the declared length, as a problem; FastAPI counts what comes without one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/") and _is_long(scope):
            await unreadable(TOO_LONG, scope["path"])(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_long(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return value.isdigit() and int(value) > LARGEST_BODY
    return False
