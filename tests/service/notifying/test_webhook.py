"""A webhook is signed, goes to addresses that are allowed, and follows no redirect."""

import json
import re
from dataclasses import replace
from ipaddress import ip_network

import pytest

from service.notifying import Destination, UndeliveredError, WebhookChannel
from service.notifying.webhook import signature
from service.smart.fetching import Fetcher
from tests.postgres import free_port
from tests.service.notifying.test_email import KEY, TEXT
from tests.webhooks import LOOPBACK, webhook

SECRET = b"a secret of this test alone"
CHANNEL = WebhookChannel(Fetcher((ip_network(LOOPBACK),)))


@pytest.fixture
def receiver():
    with webhook() as found:
        yield found


def to(url: str) -> Destination:
    return Destination(address=url, secret=SECRET)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_success_will_do_and_the_receiver_can_check_who_sent_it(receiver, status):
    receiver.status = status
    CHANNEL.send(to(receiver.url), TEXT, KEY)
    ((headers, content),) = receiver.received
    at = int(re.fullmatch(r"t=(\d+),v1=[0-9a-f]{64}", headers["Alongside-Signature"])[1])
    assert headers["Alongside-Signature"] == signature(SECRET, at, content)
    assert headers["Alongside-Signature"] != signature(b"another secret", at, content)
    assert headers["Idempotency-Key"] == KEY
    assert json.loads(content) == {
        "id": KEY,
        "kind": "safety-alert",
        "subject": TEXT.subject,
        "instruction": TEXT.instruction,
        "reference": "r",
        "link": TEXT.link,
    }


def test_a_link_that_nobody_of_the_receiver_may_follow_is_left_out(receiver):
    CHANNEL.send(to(receiver.url), replace(TEXT, link=None), KEY)
    ((_, content),) = receiver.received
    assert "link" not in json.loads(content)
    assert json.loads(content)["reference"] == TEXT.reference


@pytest.mark.parametrize("status", [302, 400, 410, 500, 503])
def test_what_is_no_success_is_told_and_no_redirect_followed(receiver, status):
    with webhook() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        with pytest.raises(UndeliveredError, match=f"the webhook answers {status}"):
            CHANNEL.send(to(receiver.url), TEXT, KEY)
        assert elsewhere.received == []


def test_a_private_address_must_be_allowed(receiver):
    guarded = WebhookChannel(Fetcher())
    for url in (receiver.url, receiver.url.replace("http", "https", 1), "https://10.0.0.1/a"):
        with pytest.raises(UndeliveredError, match=r"https|not public"):
            guarded.send(to(url), TEXT, KEY)
    assert receiver.received == []


def test_one_that_is_dead_is_told():
    with pytest.raises(UndeliveredError, match="refuses the connection"):
        CHANNEL.send(to(f"http://127.0.0.1:{free_port()}/"), TEXT, KEY)
