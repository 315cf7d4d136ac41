"""A PostgreSQL cluster of the tests' own, on loopback, gone when they end.

The server's binaries refuse to run as root, so root lends them the user `postgres`.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 60
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=128MB",
    "timezone=UTC",
)


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, Debian's versioned one included."""
    folders = sorted(DEBIAN.glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    return next((f for f in folders if (f / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster(bin_folder: Path) -> Iterator[str]:
    """Start a cluster and yield the URL of its server, without a database."""
    folder = Path(tempfile.mkdtemp(prefix="alongside-pg-"))
    prefix = _as_ordinary_user(folder)
    data, port = folder / "data", free_port()
    try:
        create = [str(bin_folder / "initdb"), "-D", str(data), "-U", "alongside", "-A", "trust"]
        _run([*prefix, *create, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        listen = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        _run([*prefix, str(bin_folder / "pg_ctl"), "-D", str(data), "-w", "-t", str(START_SECONDS),
              "-l", str(folder / "log"), "-o", f"{listen} {options}", "start"])  # fmt: skip
        yield f"postgresql://alongside@127.0.0.1:{port}"
    finally:
        stop = [*prefix, str(bin_folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, capture_output=True, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


def _as_ordinary_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, user="postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")
