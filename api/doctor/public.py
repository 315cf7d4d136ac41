"""Whether the public address leads to this installation, and it knows itself by that address."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from api.doctor.findings import Finding, error, ok, warning
from api.doctor.machine import LOOPBACK
from service.settings import Settings
from service.smart.discovery import CONFIGURATION, INSTALLATION, TOKEN, installation_mark

SECONDS = 5.0
CHECK = "public-answer"


def findings(settings: Settings, key: bytes) -> Iterator[Finding]:
    """Ask the public address, as a hospital would; what is refused elsewhere is not asked."""
    base = settings.public_base_url
    parts = urlsplit(base)
    if parts.scheme == "https" or parts.hostname in LOOPBACK:
        yield _answer(base, key)


def _answer(base: str, key: bytes) -> Finding:
    url = base + CONFIGURATION
    try:
        found = httpx.get(url, timeout=SECONDS, follow_redirects=False, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
        return warning(
            CHECK,
            f"{url} does not answer from here ({type(failure).__name__}): start the service and the"
            " proxy; where this machine may not call out, ask from elsewhere.",
        )
    return _judged(base, found, installation_mark(key))


def _judged(base: str, found: httpx.Response, mark: str) -> Finding:
    if found.status_code != httpx.codes.OK:
        return error(
            CHECK,
            f"{base}{CONFIGURATION} answers {found.status_code}: the proxy must forward every path"
            " unchanged, and redirect none.",
        )
    if found.headers.get(INSTALLATION) != mark:
        return error(
            CHECK, f"Another installation, or none of ours, answers at {base}: look at the proxy."
        )
    if _token_endpoint(found) != base + TOKEN:
        return error(
            CHECK,
            f"The process behind {base} has another ALONGSIDE_PUBLIC_BASE_URL: give all the same.",
        )
    return ok(CHECK, f"{base} leads to this installation.")


def _token_endpoint(found: httpx.Response) -> object:
    try:
        content = found.json()
    except ValueError:
        return None
    return content.get("token_endpoint") if isinstance(content, dict) else None
