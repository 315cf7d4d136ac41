"""Rows and seals reach a collector over real sockets, at least once and naming nobody."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from service.audit import open_audit
from service.audit.export import collector, export, read_cursor
from service.audit.export.records import Record
from service.audit.export.syslog import message
from service.engine import create_engine
from tests.service.audit.test_writers import entry

LATER = 10**15


@pytest.fixture
def audited(database, database_url, tmp_path) -> Iterator[Any]:
    on_sqlite = database_url.startswith("sqlite")
    url = f"sqlite:///{tmp_path / 'x-audit.db'}" if on_sqlite else database_url
    writer = open_audit(url)

    async def work() -> None:
        for number in range(1, 4):
            await writer.write(entry(number)._replace(detail="c2VjcmV0", query="name=Rivera"))

    asyncio.run(work())
    writer.seal()
    engine = create_engine(url)
    yield lambda to: export(database, engine, to, now=LATER)
    engine.dispose()
    writer.close()


@contextmanager
def tcp() -> Iterator[tuple[str, list[bytes]]]:
    """A collector on a port; what it read when the sender hung up."""
    read: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            connection, _ = server.accept()
            with connection:
                while found := connection.recv(65536):
                    read.append(found)

        thread = threading.Thread(target=work)
        thread.start()
        yield f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}", read
        thread.join(timeout=10)


def test_rows_and_seals_go_to_syslog_once(audited, database):
    with tcp() as (address, read):
        to = collector(address)
        assert audited(to) == 4
        assert audited(to) == 0
        to.close()
    said = b"".join(read).decode()
    assert said.count("audit.row") == 3
    assert said.count("audit.seal") == 1
    assert 'seal="' in said
    assert "<110>1 1970-01-01T00:00:00.000001Z" in said
    assert "Rivera" not in said
    assert "c2VjcmV0" not in said
    size, _, rest = said.partition(" ")
    assert rest[: int(size)].endswith("]")
    assert database.read(read_cursor).seal == 1


def test_what_a_collector_did_not_take_is_told_again(audited):
    class Refusing:
        def send(self, _records) -> None:
            raise OSError("gone")

        def close(self) -> None: ...

    with pytest.raises(OSError, match="gone"):
        audited(Refusing())
    with tcp() as (address, read):
        to = collector(address)
        assert audited(to) == 4
        to.close()
    assert b"audit.seal" in b"".join(read)


def test_datagrams_go_to_a_socket_of_this_machine_and_to_a_port(tmp_path):
    record = Record(1, "audit.row", {"client": 'a"b]c'})
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        to = collector(f"syslog+unix://{path}")
        to.send([record])
        assert b'client="a\\"b\\]c"' in server.recv(4096)
        to.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        to = collector(f"syslog://127.0.0.1:{server.getsockname()[1]}")
        to.send([record])
        assert server.recv(4096).startswith(b"<110>1 ")
        to.close()


def test_a_refusal_is_more_severe():
    assert message(Record(1, "audit.row", {}, refused=True), "here").startswith("<109>1 ")


class Taking(BaseHTTPRequestHandler):
    taken: list[Any] = []  # noqa: RUF012 - of the test
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.taken.append((self.path, json.loads(body)))
        self.send_response(self.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: Any) -> None: ...


@contextmanager
def http(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    taken: list[Any] = []
    handler = type("Handler", (Taking,), {"taken": taken, "status": status})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_rows_and_seals_go_to_opentelemetry(audited):
    with http() as (address, taken):
        to = collector(address)
        assert audited(to) == 4
        to.close()
    ((path, body),) = taken
    assert path == "/v1/logs"
    logs = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert [each["body"]["stringValue"] for each in logs] == ["audit.row"] * 3 + ["audit.seal"]
    assert logs[0]["timeUnixNano"] == "1000"
    assert "Rivera" not in json.dumps(body)


def test_a_collector_that_refuses_gets_it_again(audited):
    with http(503) as (address, _):
        to = collector(address)
        with pytest.raises(OSError, match="did not take"):
            audited(to)
        to.close()
    with http() as (address, taken):
        to = collector(address)
        assert audited(to) == 4
        to.close()
    assert len(taken) == 1


def test_another_kind_of_address_is_refused():
    with pytest.raises(ValueError, match="must begin with"):
        collector("ftp://example")
