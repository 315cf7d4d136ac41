"""How an error is answered where OAuth is spoken.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

import orjson
from starlette.responses import Response

from api.errors import HEADERS

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
JSON = "application/json"
# RFC 6749 has this name for the authorization endpoint, and none for the token endpoint.
UNAVAILABLE = "temporarily_unavailable"


def oauth_error(status: int, error: str, description: str) -> Response:
    """Answer with an OAuth error; it is never to be kept."""
    content = {"error": error, "error_description": description}
    headers = {**NO_STORE, **HEADERS.get(status, {})}
    return Response(orjson.dumps(content), status, headers, JSON)
