"""E-mail by SMTP, with TLS and a login where the operator says so.

https://docs.python.org/3/library/smtplib.html
"""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from service.clock import Clock, system_clock
from service.notifying.channel import Destination, Text, UndeliveredError

SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """The operator's mail server; `security` is starttls, tls or none."""

    host: str
    port: int
    security: str
    sender: str
    login: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class EmailChannel:
    smtp: Smtp | None
    clock: Clock = system_clock
    certificates: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def send(self, to: Destination, text: Text, key: str) -> None:
        if self.smtp is None:
            raise UndeliveredError("no mail server is set: ALONGSIDE_SMTP_HOST")
        message = self._message(self.smtp, to, text, key)
        try:
            self._deliver(self.smtp, to, message)
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(_why(error)) from error

    def _deliver(self, smtp: Smtp, to: Destination, message: EmailMessage) -> None:
        server = self._connected(smtp)
        try:
            if smtp.security == "starttls":
                server.starttls(context=self.certificates)
            if smtp.login is not None:
                server.login(*smtp.login)
            server.send_message(message, parseaddr(smtp.sender)[1], [to.address])
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _connected(self, smtp: Smtp) -> smtplib.SMTP:
        if smtp.security == "tls":
            return smtplib.SMTP_SSL(
                smtp.host, smtp.port, timeout=SECONDS, context=self.certificates
            )
        return smtplib.SMTP(smtp.host, smtp.port, timeout=SECONDS)

    def _message(self, smtp: Smtp, to: Destination, text: Text, key: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = smtp.sender, to.address
        message["Subject"] = text.subject
        message["Date"] = format_datetime(self.clock())
        message["Message-ID"] = f"<{key}@{parseaddr(smtp.sender)[1].rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # https://www.rfc-editor.org/rfc/rfc3834
        message.set_content(f"{text.instruction}\n\n{text.link or text.reference}\n")
        return message


def _why(error: Exception) -> str:
    """Return what the server said, as a number: its words may repeat the address."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"the mail server answers {code}"
