"""The doctor asks the public address, and says whose answer it is."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from api.doctor import examine
from api.doctor.public import findings
from service.settings import Settings
from service.smart.discovery import CONFIGURATION, INSTALLATION, installation_mark
from tests.process import process

KEY = b"k" * 32


@contextmanager
def address(status=200, mark=None, content=None):
    """Something that answers, and notes nothing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content if content is not None else orjson.dumps(said)
            self.send_response(status)
            self.send_header(INSTALLATION, mark or installation_mark(KEY))
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", f"{base}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    said = {"token_endpoint": f"{base}/oauth/token"}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said_of(base):
    (found,) = findings(Settings(public_base_url=base), KEY)
    return found.level.value, found.sentence


def test_this_installation_is_known_by_its_mark():
    with address() as base:
        assert said_of(base) == ("ok", f"{base} leads to this installation.")


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"status": 404}, "answers 404"),
        ({"status": 301}, "redirect none"),
        ({"mark": "f" * 32}, "Another installation"),
        ({"content": b"{}"}, "another ALONGSIDE_PUBLIC_BASE_URL"),
        ({"content": b"[1]"}, "another ALONGSIDE_PUBLIC_BASE_URL"),
        ({"content": b"<html>"}, "another ALONGSIDE_PUBLIC_BASE_URL"),
    ],
)
def test_what_answers_something_else_is_an_error(answers, part):
    with address(**answers) as base:
        level, sentence = said_of(base)
    assert level == "error"
    assert part in sentence


def test_an_address_that_does_not_answer_is_a_warning():
    with address() as base:
        pass
    level, sentence = said_of(base)
    assert level == "warning"
    assert "does not answer from here" in sentence


def test_what_no_token_is_issued_for_is_not_asked():
    assert list(findings(Settings(public_base_url="http://groups.example.org"), KEY)) == []


def test_a_served_process_is_found_behind_its_address(sqlite_url, tmp_path):
    audit = f"sqlite:///{tmp_path / 'audit.db'}"
    with process(sqlite_url, audit) as running:
        base = str(running.http.base_url).rstrip("/")
        settings = Settings(database_url=sqlite_url, public_base_url=base)
        said = {each.check: each for each in examine(settings, asks=True)}
        assert said["public-answer"].level.value == "ok", said
        mark = running.http.get(CONFIGURATION).headers[INSTALLATION]
    assert len(mark) == 32
    assert "public-answer" not in {each.check for each in examine(settings)}
