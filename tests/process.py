"""`alongside serve` as a process of its own, without the tests' tracing, whose CPU can be read."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.postgres import free_port

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60


@dataclass
class Process:
    http: httpx.Client
    pid: int

    def cpu(self) -> float:
        """Seconds that the process has computed so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def process(
    database_url: str, audit_url: str, *, said: Path | None = None, **settings: str
) -> Iterator[Process]:
    """Serve a migrated database until the block ends; what the process says goes to `said`."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "ALONGSIDE_DATABASE_URL": database_url}
    environment |= {"ALONGSIDE_AUDIT_DATABASE_URL": audit_url, "ALONGSIDE_PUBLIC_BASE_URL": base}
    environment |= {f"ALONGSIDE_{name.upper()}": value for name, value in settings.items()}
    environment.pop("DATABASE_URL", None)
    command = [str(Path(sys.executable).with_name("alongside")), "serve", "--port", str(port)]
    with (
        Path(said or os.devnull).open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdout=output, stderr=output if said else None
        ) as running,
        httpx.Client(base_url=base, timeout=60) as http,
    ):
        try:
            _until_ready(running, http)
            yield Process(http, running.pid)
        finally:
            running.terminate()


def _until_ready(running: "subprocess.Popen[bytes]", http: httpx.Client) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert running.poll() is None, "the service did not start"
        try:
            if http.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the service was not ready in time")


@contextmanager
def worker(
    database_url: str, audit_url: str, **settings: str
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run `alongside work` until the block ends."""
    environment = {**os.environ, "ALONGSIDE_DATABASE_URL": database_url}
    environment |= {"ALONGSIDE_AUDIT_DATABASE_URL": audit_url}
    environment |= {f"ALONGSIDE_{name.upper()}": value for name, value in settings.items()}
    environment.pop("DATABASE_URL", None)
    command = [str(Path(sys.executable).with_name("alongside")), "work"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"Alongside works"), "it did not start"
        try:
            yield running
        finally:
            running.terminate()
