"""How often the authorization server may be asked: by an address, and by a client (ADR 0030).

Nobody locks a client out by its name: only who came from the same address has failed with it
there, and what counts for the client itself counts once it proved itself.
https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

import base64
import binascii
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem
from limits.strategies import FixedWindowRateLimiter

from service.smart import assertions
from service.smart.counters import Counters
from service.smart.messages import Form, TooManyRequestsError

LONGEST_NAME = 64
IPV6_NETWORK = 64  # what a household or a machine is given: https://www.rfc-editor.org/rfc/rfc6177


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What is allowed; None stands for as often as one likes."""

    address: RateLimitItem | None = None
    failures: RateLimitItem | None = None
    client: RateLimitItem | None = None


class Limiter:
    """Counts for one process."""

    def __init__(self, rates: Rates | None = None, now: Callable[[], float] = time.time) -> None:
        self._rates = rates or Rates()
        self._now = now
        self._counting = FixedWindowRateLimiter(Counters(now))

    def admit(self, address: str) -> None:
        """Count a request from this address.

        Raises:
            TooManyRequestsError: there were too many.
        """
        self._hit(self._rates.address, "address", address)

    def check(self, address: str, client: str) -> None:
        """Raise TooManyRequestsError where too many have failed with this client from there."""
        rate, key = self._rates.failures, ("failures", address, client)
        if rate is not None and not self._counting.test(rate, *key):
            raise self._refusal(rate, *key)

    def failed(self, address: str, client: str) -> None:
        """Count a failure to prove to be this client; who named none is counted by its address."""
        if self._rates.failures is not None and client:
            self._counting.hit(self._rates.failures, "failures", address, client)

    def proved(self, client: str) -> None:
        """Count a request of a client that has proved itself.

        Raises:
            TooManyRequestsError: there were too many.
        """
        self._hit(self._rates.client, "client", client)

    def check_outside(self, address: str) -> None:
        """Raise TooManyRequestsError where too many tokens from there were nobody's."""
        rate = self._rates.address
        if rate is not None and not self._counting.test(rate, "outside", address):
            raise self._refusal(rate, "outside", address)

    def failed_outside(self, address: str) -> None:
        """Count a token from this address that was nobody's."""
        if self._rates.address is not None:
            self._counting.hit(self._rates.address, "outside", address)

    def _hit(self, rate: RateLimitItem | None, *key: str) -> None:
        if rate is not None and not self._counting.hit(rate, *key):
            raise self._refusal(rate, *key)

    def _refusal(self, rate: RateLimitItem, *key: str) -> TooManyRequestsError:
        ends = self._counting.get_window_stats(rate, *key).reset_time
        return TooManyRequestsError(max(1, math.ceil(ends - self._now())))


def counted(address: str | None) -> str:
    """Return what an address is counted as: in IPv6 its network."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return (address or "")[:LONGEST_NAME]
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, IPV6_NETWORK), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def claimed(form: Form, authorization: str | None) -> str:
    """Return the name of the client that the caller says it is, in the order it is looked at."""
    scheme, *proofs = (authorization or "").split(None, 1) or [""]
    proof = "".join(proofs)
    if scheme.lower() == "basic":
        name = _of_basic(proof)
    elif "client_assertion" in form:
        name = assertions.claimed(form["client_assertion"])
    else:
        name = form.get("client_id", "")
    return name[:LONGEST_NAME]


def _of_basic(proof: str) -> str:
    try:
        return base64.b64decode(proof).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
