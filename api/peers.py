"""Who is at the other end: forwarded addresses, and certificates that a trusted proxy saw.

A header that a caller sends itself is not looked at. https://www.rfc-editor.org/rfc/rfc9440#section-4
"""

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.settings import Settings
from service.smart.certificates import of_header

CERTIFICATE = "certificate"


class Peers:
    """Outermost of all, while the address is still that of the connection."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._inner = ProxyHeadersMiddleware(app, trusted_hosts=settings.trusted_proxies)  # type: ignore[arg-type]
        named = settings.client_certificate_header
        self._header = named.lower().encode() if named else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._header is not None:
            client = scope.get("client")
            if client and client[0] in self._inner.trusted_hosts:
                scope.setdefault("state", {})[CERTIFICATE] = self._shown(scope)
        await self._inner(scope, receive, send)  # type: ignore[arg-type]

    def _shown(self, scope: Scope) -> str | None:
        """Return the thumbprint of the certificate; of two headers nobody knows which is true."""
        values = [value for name, value in scope["headers"] if name == self._header]
        return of_header(values[0]) if len(values) == 1 else None


def certificate_of(scope: Scope) -> str | None:
    """Return the thumbprint of the certificate that the caller showed the proxy."""
    found: str | None = scope.get("state", {}).get(CERTIFICATE)
    return found
