"""Headers that every answer has.

https://owasp.org/www-project-secure-headers/
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_REFERRER = (b"referrer-policy", b"no-referrer")
NO_STORE = (b"cache-control", b"no-store")
CACHE_CONTROL = b"cache-control"


class SecurityHeaders:
    """Adds them; what a route said about caching stays, and where it said nothing: no-store."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                cached = any(name == CACHE_CONTROL for name, _ in headers)
                added = [NOSNIFF, NO_REFERRER] if cached else [NOSNIFF, NO_REFERRER, NO_STORE]
                message["headers"] = [*headers, *added]
            await send(message)

        await self.app(scope, receive, secured)
