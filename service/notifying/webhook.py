"""A webhook: a signed POST to a contact's own system.

The address is judged as those of clients' keys are (`service.smart.fetching`): https, public or
allowed by the operator, no redirects. https://www.rfc-editor.org/rfc/rfc2104
"""

import hashlib
import hmac
from dataclasses import dataclass

import orjson

from service.clock import Clock, system_clock
from service.notifying.channel import Destination, Text, UndeliveredError
from service.smart.fetching import Fetcher, FetchError

SIGNATURE = "Alongside-Signature"
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class WebhookChannel:
    fetcher: Fetcher
    clock: Clock = system_clock

    def send(self, to: Destination, text: Text, key: str) -> None:
        body = {
            "id": key,
            "kind": text.kind,
            "subject": text.subject,
            "instruction": text.instruction,
            "reference": text.reference,
        }
        content = orjson.dumps(body if text.link is None else {**body, "link": text.link})
        headers = {
            "Content-Type": "application/json",
            KEY: key,
            SIGNATURE: signature(to.secret or b"", int(self.clock().timestamp()), content),
        }
        try:
            self.fetcher.deliver(to.address, content, headers)
        except FetchError as error:
            raise UndeliveredError(f"the webhook {error}") from error


def signature(secret: bytes, at: int, content: bytes) -> str:
    """Return what the receiver checks: when, and an HMAC of when and what, by its own secret."""
    signed = f"{at}.".encode() + content
    return f"t={at},v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}"
