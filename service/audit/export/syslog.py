"""Records as syslog messages: facility 13, log audit.

https://www.rfc-editor.org/rfc/rfc5424
https://www.rfc-editor.org/rfc/rfc6587#section-3.4.1
https://www.rfc-editor.org/rfc/rfc5425
"""

import os
import re
import socket
import ssl
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from service.audit.export.records import Record
from service.clock import EPOCH

AUDIT = 13
NOTICE, INFORMATIONAL = 5, 6
SECONDS = 10.0
PORTS = {"syslog": 514, "syslog+tcp": 601, "syslog+tls": 6514}
# For private use: https://www.rfc-editor.org/rfc/rfc5612 has 32473 for documentation.
ELEMENT = "audit@32473"
ESCAPED = re.compile(r'(["\\\]])')


class Syslog:
    """Sends over UDP, TCP, TLS or a socket of this machine."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self._host = socket.gethostname() or "-"
        self._socket: socket.socket | None = None

    def send(self, records: Sequence[Record]) -> None:
        """Send each record; a connection that was closed meanwhile is opened once more."""
        try:
            self._send(records)
        except OSError:
            self.close()
            self._send(records)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, records: Sequence[Record]) -> None:
        if self._socket is None:
            self._socket = _connected(self._address)
        framed = self._socket.type == socket.SOCK_STREAM
        for each in records:
            text = message(each, self._host).encode()
            self._socket.sendall(b"%d %b" % (len(text), text) if framed else text)


def message(record: Record, host: str) -> str:
    """Return the message of a record."""
    severity = NOTICE if record.refused else INFORMATIONAL
    moment = (EPOCH + timedelta(microseconds=record.at)).isoformat(timespec="microseconds")
    said = " ".join(f'{name}="{_escaped(value)}"' for name, value in record.fields.items())
    stamp = moment.replace("+00:00", "Z")
    head = f"<{AUDIT * 8 + severity}>1 {stamp} {host} alongside {os.getpid()} {record.event}"
    return f"{head} [{ELEMENT} {said}]"


def _escaped(value: str) -> str:
    return ESCAPED.sub(r"\\\1", value)


def _connected(address: SplitResult) -> socket.socket:
    if address.scheme == "syslog+unix":
        found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        found.connect(address.path)
        return found
    where = (address.hostname or "127.0.0.1", address.port or PORTS[address.scheme])
    if address.scheme == "syslog":
        family, kind, protocol, _, resolved = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind, protocol)
        found.connect(resolved)
        return found
    found = socket.create_connection(where, timeout=SECONDS)
    if address.scheme == "syslog+tls":
        return ssl.create_default_context().wrap_socket(found, server_hostname=where[0])
    return found
