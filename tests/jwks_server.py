"""A hospital's JWK Set, or whatever it answers to a form, on a loopback port."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class JwksServer:
    """What is answered now, and how often it was asked."""

    url: str
    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    pause: float = 0.0  # between the bytes of the answer
    forms: list[str] = field(default_factory=list)  # what was posted


@contextmanager
def jwks_server(
    content: bytes = b"", context: ssl.SSLContext | None = None
) -> Iterator[JwksServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            found.forms.append(self.rfile.read(length).decode())
            self.do_GET()

        def do_GET(self) -> None:
            found.asked.append(dict(self.headers))
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            step = 1 if found.pause else max(1, len(found.content))
            for start in range(0, len(found.content), step):
                time.sleep(found.pause)
                try:
                    self.wfile.write(found.content[start : start + step])
                except OSError:
                    return

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if context is not None:
        scheme = "https"
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found = JwksServer(f"{scheme}://127.0.0.1:{server.server_address[1]}/jwks", content)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
