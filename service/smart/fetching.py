"""What is asked of an address that a client or an issuer chose, so that it harms nobody.

https only; what the name resolves to is looked at before, and connected to as it was looked at;
no redirects, no proxy, little time and few bytes.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlencode

import httpx

from service.errors import InvalidError

LONGEST_URL = 2000
LARGEST = 65_536
SECONDS = 5.0
ADDRESSES = 4
MAPPED = ip_network("64:ff9b::/96")  # IPv4 within IPv6, https://www.rfc-editor.org/rfc/rfc6052
# Site-local, documentation, and the relays of 6to4: not public, though Python takes them so.
NOWHERE_PUBLIC = tuple(map(ip_network, ("fec0::/10", "3fff::/20", "192.88.99.0/24")))
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "alongside"}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Trace = Callable[[str, Mapping[str, Any]], None]

# It would write the address of every request into the log.
logging.getLogger("httpx").setLevel(logging.WARNING)


class FetchError(Exception):
    """The address could not be fetched; the text says why, for our own record."""


@dataclass(frozen=True)
class Fetched:
    """What was answered, and for how long it may be relied on, as its headers say."""

    content: bytes
    cache_control: str | None
    age: str | None


@dataclass(frozen=True)
class Question:
    """What an address is asked."""

    method: str = "GET"
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    any_success: bool = False


@dataclass(frozen=True)
class Fetcher:
    """Fetches from public addresses, and from the private `networks` that an operator allows."""

    networks: Sequence[Network] = ()
    seconds: float = SECONDS

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """The system's certificates, to which an operator adds a hospital's own."""
        return ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raise InvalidError where this is no address that keys are fetched from."""
        try:
            self._parsed(url)
        except FetchError as error:
            raise InvalidError(f"the JWKS URL {error}", element="jwks_url") from error

    def get(self, url: str) -> Fetched:
        """Return what is at this address now.

        Raises:
            FetchError: there is nothing to be had, or it must not be asked for.
        """
        return self._fetch(url, Question())

    def post(self, url: str, form: Mapping[str, str], authorization: str | None) -> Fetched:
        """Return what is answered to a form.

        Raises:
            FetchError: nothing is, or it must not be asked for.
        """
        said = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization is not None:
            said["Authorization"] = authorization
        return self._fetch(url, Question("POST", urlencode(form).encode(), said))

    def deliver(self, url: str, content: bytes, headers: Mapping[str, str]) -> None:
        """Post this content; any answer of success will do.

        Raises:
            FetchError: it was not taken, or must not be sent there.
        """
        self._fetch(url, Question("POST", content, headers, any_success=True))

    def _fetch(self, url: str, question: Question) -> Fetched:
        parsed = self._parsed(url)
        until = time.monotonic() + self.seconds
        failed = FetchError("has no address")
        for address in self._addresses(parsed):
            try:
                return self._ask(parsed, address, until, question)
            except httpx.ConnectError as error:
                failed = FetchError(f"refuses the connection: {type(error).__name__}")
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
                is_late = time.monotonic() >= until
                said = "takes too long" if is_late else f"does not answer: {type(error).__name__}"
                raise FetchError(said) from error
        raise failed

    def _parsed(self, url: str) -> httpx.URL:
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
            raise FetchError(f"has other than {LONGEST_URL} printable ASCII characters at most")
        try:
            parsed = httpx.URL(url)
            host = parsed.host
        except (httpx.InvalidURL, ValueError) as error:
            raise FetchError("is not a URL") from error
        if parsed.scheme not in {"https", "http"} or not host:
            raise FetchError("does not begin with https://")
        if parsed.scheme == "http" and not self._is_allowed_loopback(host):
            raise FetchError("must be https")
        if parsed.userinfo or parsed.fragment:
            raise FetchError("has a user or a fragment")
        return parsed

    def _is_allowed_loopback(self, host: str) -> bool:
        with suppress(ValueError):
            address = ip_address("127.0.0.1" if host == "localhost" else host)
            return address.is_loopback and self._is_allowed(address)
        return False

    def _addresses(self, url: httpx.URL) -> list[Address]:
        """Return what the name stands for; one that must not be asked spoils them all."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise FetchError("has a name that does not resolve") from error
        addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        if not all(self._is_allowed(each) for each in addresses):
            raise FetchError("leads to an address that is not public")
        if url.scheme == "http" and not all(each.is_loopback for each in addresses):
            raise FetchError("must be https")
        return list(dict.fromkeys(addresses))[:ADDRESSES]

    def _is_allowed(self, address: Address) -> bool:
        plain = _inner(address)
        if any(plain in network for network in self.networks):
            return True
        if any(plain in network for network in NOWHERE_PUBLIC):
            return False
        return plain.is_global and not plain.is_multicast and not plain.is_reserved

    def _ask(self, url: httpx.URL, address: Address, until: float, question: Question) -> Fetched:
        left = until - time.monotonic()
        if left <= 0:
            raise FetchError("takes too long")
        with (
            _deadline(left) as trace,
            httpx.Client(verify=self._certificates, trust_env=False, timeout=left) as client,
        ):
            headers = {**HEADERS, **question.headers, "Host": url.netloc.decode("ascii")}
            pinned = url.copy_with(host=str(address))
            request = client.build_request(
                question.method, pinned, headers=headers, content=question.content
            )
            request.extensions |= {"sni_hostname": url.host, "trace": trace}
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                return _read(response, until, any_success=question.any_success)
            finally:
                response.close()


@contextmanager
def _deadline(seconds: float) -> Iterator[Trace]:
    """End the connection after this time, whatever it is doing; httpx's limits are for each read.

    The handle is a copy, because TLS takes the socket itself away.
    """
    held: list[socket.socket] = []
    over = threading.Event()

    def end() -> None:
        over.set()
        for each in held:
            with suppress(OSError):  # it has ended by itself
                each.shutdown(socket.SHUT_RDWR)

    def trace(name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            held.append(info["return_value"].get_extra_info("socket").dup())
            if over.is_set():
                end()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield trace
    finally:
        timer.cancel()
        for each in held:
            each.close()


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in MAPPED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _read(response: httpx.Response, until: float, *, any_success: bool) -> Fetched:
    if any_success and response.is_success:
        return Fetched(b"", None, None)
    if response.status_code != httpx.codes.OK:
        raise FetchError(f"answers {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchError("answers in an encoding that was not asked for")
    content = b""
    for part in response.iter_raw():
        content += part
        if len(content) > LARGEST:
            raise FetchError(f"answers with more than {LARGEST} bytes")
        if time.monotonic() > until:
            raise FetchError("takes too long")
    headers = response.headers
    return Fetched(content, headers.get("cache-control"), headers.get("age"))


def networks_of(text: str | None) -> tuple[Network, ...]:
    """Return the networks that a setting names, separated by commas; ValueError if one is none."""
    return tuple(ip_network(each.strip()) for each in (text or "").split(",") if each.strip())
