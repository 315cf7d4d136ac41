"""What every channel does: bring a text to an address, or say why it could not."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Text:
    """What is told: no name and no answer, only what to do and where to read more.

    `link` is for who may follow it: at `/v1` that is nobody of a hospital.
    """

    kind: str
    subject: str
    instruction: str
    reference: str
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Destination:
    address: str
    secret: bytes | None = field(default=None, repr=False)


class UndeliveredError(Exception):
    """It did not arrive, as far as we know; the text says why, without the address."""


class Channel(Protocol):
    """E-mail, a webhook, or whatever an operator adds."""

    def send(self, to: Destination, text: Text, key: str) -> None:
        """Bring the text; `key` is the same however often it is sent.

        Raises:
            UndeliveredError: it did not arrive, as far as we know.
        """
