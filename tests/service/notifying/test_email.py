"""E-mail to a real mail server on a loopback port, with TLS and a login."""

import socket
import ssl
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from service.notifying import Destination, EmailChannel, Smtp, Text, UndeliveredError
from tests.postgres import free_port
from tests.service.notifying.certificates import localhost

TO = Destination(address="on-call@programme.example")
KEY = "0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"
TEXT = Text(
    kind="safety-alert",
    subject="Safety alert: Red: act now",
    instruction="Read it now, acknowledge it.",
    reference="r",
    link="https://alongside.example/v1/alerts/r",
)
LOGIN = ("alongside", "a password of this test")


class Mailbox:
    """What the server was given."""

    def __init__(self) -> None:
        self.messages, self.refuses = [], False

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.refuses:
            return "550 no such mailbox on-call@programme.example"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        secure = session.ssl is not None
        self.messages.append((envelope.rcpt_tos, envelope.content.decode(), secure))
        return "250 OK"


def authenticated(_server, _session, _envelope, _mechanism, data):
    given = (data.login.decode(), data.password.decode())
    return AuthResult(success=given == LOGIN, handled=given == LOGIN)


class TlsServer(Controller):
    """It asks itself whether it serves, as one that trusts its certificate."""

    def __init__(self, *args, trusting: ssl.SSLContext, **more) -> None:
        super().__init__(*args, **more)
        self.trusting = trusting

    def _trigger_server(self):
        with (
            socket.create_connection((self.hostname, self.port)) as plain,
            self.trusting.wrap_socket(plain, server_hostname=self.hostname) as secure,
        ):
            secure.recv(1024)


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def tls(tmp_path):
    return localhost(tmp_path)


@pytest.fixture
def starttls(mailbox, tls):
    server = Controller(
        mailbox,
        hostname="localhost",
        port=free_port(),
        tls_context=tls[0],
        require_starttls=True,
        auth_required=True,
        authenticator=authenticated,
    )
    server.start()
    yield server
    server.stop()


def channel(server, certificates=None, **more):
    values = {"security": "starttls", "login": LOGIN, "sender": "Alongside <a@programme.example>"}
    smtp = Smtp(host="localhost", port=server.port, **{**values, **more})
    return EmailChannel(smtp, certificates=certificates or ssl.create_default_context())


def test_a_mail_is_sent_with_tls_and_a_login(starttls, tls, mailbox):
    channel(starttls, tls[1]).send(TO, TEXT, KEY)
    ((to, content, secure),) = mailbox.messages
    assert (to, secure) == ([TO.address], True)
    assert f"Message-ID: <{KEY}@programme.example>" in content
    assert "Auto-Submitted: auto-generated" in content
    assert "Subject: Safety alert: Red: act now" in content
    assert TEXT.instruction in content
    assert TEXT.link in content


def test_a_mail_without_a_link_names_the_alert(starttls, tls, mailbox):
    channel(starttls, tls[1]).send(TO, replace(TEXT, link=None, reference="b6c2"), KEY)
    ((_, content, _),) = mailbox.messages
    assert "\nb6c2\n" in content.replace("\r", "")
    assert "http" not in content


def test_a_server_of_another_certificate_gets_nothing(starttls, mailbox):
    with pytest.raises(UndeliveredError, match="SSLCertVerificationError"):
        channel(starttls).send(TO, TEXT, KEY)
    assert mailbox.messages == []


def test_a_wrong_password_is_told_as_a_number(starttls, tls):
    wrong = channel(starttls, tls[1], login=("alongside", "other"))
    with pytest.raises(UndeliveredError, match="the mail server answers 535"):
        wrong.send(TO, TEXT, KEY)


def test_what_the_server_says_of_the_address_is_not_repeated(starttls, tls, mailbox):
    mailbox.refuses = True
    with pytest.raises(UndeliveredError) as caught:
        channel(starttls, tls[1]).send(TO, TEXT, KEY)
    assert TO.address not in str(caught.value)


def test_tls_from_the_first_byte(mailbox, tls):
    server = TlsServer(
        mailbox, hostname="localhost", port=free_port(), ssl_context=tls[0], trusting=tls[1]
    )
    server.start()
    try:
        channel(server, tls[1], security="tls", login=None).send(TO, TEXT, KEY)
    finally:
        server.stop()
    assert len(mailbox.messages) == 1


def test_a_server_that_is_not_there_and_one_that_is_not_set():
    class Nowhere:
        port = free_port()

    with pytest.raises(UndeliveredError, match="ConnectionRefusedError"):
        channel(Nowhere).send(TO, TEXT, KEY)
    with pytest.raises(UndeliveredError, match="no mail server is set"):
        EmailChannel(None).send(TO, TEXT, KEY)
