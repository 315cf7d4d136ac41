"""Whether names and identifiers lie on an encrypted volume, as far as that can be seen from here.

https://docs.kernel.org/admin-guide/device-mapper/dm-crypt.html
https://docs.kernel.org/filesystems/fscrypt.html
"""

import errno
import fcntl
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

from api.doctor.findings import Finding, ok, warning
from service.engine import conninfo, libpq, sqlite_file
from service.settings import Settings

CHECK = "volume-encryption"
CONNECT_SECONDS = 5
LOCAL = {"", "localhost", "127.0.0.1", "::1"}
STACKED = {"ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs"}
IN_MEMORY = {"tmpfs", "ramfs"}
UNSEEN = {"zfs", "overlay", "nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse"}
ESCAPED = re.compile(r"\\(\d{3})")
# _IOWR('f', 22, __u8[9]): a size, then the policy.
GET_POLICY = 0xC0096616
POLICY_BYTES = 24
ASSERT = "see to it, then set ALONGSIDE_VOLUME_ENCRYPTION=asserted"


class Mount(NamedTuple):
    point: str
    device: str
    kind: str
    source: str


def findings(settings: Settings, root: Path = Path("/")) -> Iterator[Finding]:
    """Yield one finding for each place; `root` is where the system's own files are."""
    for what, folder in _folders(settings):
        yield _judged(settings, what, folder, root)


def _judged(settings: Settings, what: str, folder: Path | None, root: Path) -> Finding:
    encrypted, said = (None, "") if folder is None else encryption_of(folder, root)
    place = what if folder is None else f"{what}, in {folder},"
    seen = f": {said}" if said else ""
    if encrypted:
        return ok(CHECK, f"{place} is encrypted{seen}.")
    if settings.volume_encryption is None:
        found = "is not encrypted by this system" if encrypted is False else "may be encrypted"
        told = "Names and record numbers are in it as they are"
        return warning(CHECK, f"{place} {found}{seen}. {told}: {ASSERT}.")
    # A provider's disk, or one that encrypts itself, looks like any other from here.
    return ok(CHECK, f"The operator asserts that {place} is encrypted{seen}.")


def _folders(settings: Settings) -> Iterator[tuple[str, Path | None]]:
    """Yield what is kept and the folder it is in, None where that is not on this machine."""
    seen = set()
    named = (("The database", settings.database_url), ("The audit database", settings.audit_url))
    for what, url in named:
        folder = sqlite_file(url).resolve().parent if url.startswith("sqlite") else _server(url)
        if (folder, url.startswith("sqlite")) not in seen:
            seen.add((folder, url.startswith("sqlite")))
            yield what, folder


def _server(url: str) -> Path | None:
    """Return the folder of a server on this machine, where it tells us."""
    host = libpq(url).host or ""
    if host not in LOCAL and not host.startswith("/"):
        return None
    sql = "SELECT setting FROM pg_settings WHERE name = 'data_directory'"
    try:
        with psycopg.connect(conninfo(url), connect_timeout=CONNECT_SECONDS) as connection:
            row = connection.execute(sql).fetchone()
    except psycopg.Error:
        return None
    folder = Path(row[0]) if row and row[0] else None
    return folder if folder is not None and folder.is_dir() else None


def encryption_of(folder: Path, root: Path = Path("/")) -> tuple[bool | None, str]:
    """Return whether a folder is encrypted, None where nobody can tell, and why one thinks so."""
    if _has_policy(folder):
        return True, "the folder has an fscrypt policy"
    mount = _mount_of(folder, root)
    if mount is None:
        return None, "this system does not say on which device it is"
    if mount.kind in STACKED:
        return True, f"its file system is {mount.kind}"
    return _of_device(mount, root)


def _of_device(mount: Mount, root: Path) -> tuple[bool | None, str]:
    if mount.kind in IN_MEMORY:
        return None, f"its file system is {mount.kind}, in memory and in swap"
    device = None if mount.kind in UNSEEN else _device(mount, root)
    if device is None:
        return None, f"its file system is {mount.kind}, of which nothing can be seen from here"
    if _is_crypt(device, set()):
        return True, f"its device {mount.source} is under dm-crypt"
    return False, f"its device {mount.source} is not under dm-crypt, and the folder has no policy"


def _has_policy(folder: Path) -> bool:
    """Tell whether fscrypt encrypts what is in a folder."""
    asked = bytearray(struct.pack("=Q", POLICY_BYTES) + bytes(POLICY_BYTES))
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.ioctl(opened, GET_POLICY, asked)
    except OSError as refused:
        return refused.errno == errno.EOVERFLOW  # a policy that is longer than those we know
    finally:
        os.close(opened)
    return True


def _mount_of(folder: Path, root: Path) -> Mount | None:
    """Return the mount that a folder is on: https://man7.org/linux/man-pages/man5/proc.5.html ."""
    try:
        lines = (root / "proc/self/mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = [mount for line in lines if (mount := _mount(line)) and _holds(mount.point, folder)]
    # Of two at one place the later one is on top.
    return max(found, key=lambda mount: len(mount.point), default=None) if found else None


def _mount(line: str) -> Mount | None:
    fields, _, rest = line.partition(" - ")
    parts, more = fields.split(" "), rest.split(" ")
    if len(parts) < 5 or len(more) < 2:  # noqa: PLR2004 - fields of the format
        return None
    point = ESCAPED.sub(lambda found: chr(int(found[1], 8)), parts[4])
    return Mount(point, parts[2], more[0], more[1])


def _holds(point: str, folder: Path) -> bool:
    return folder.is_relative_to(point)


def _device(mount: Mount, root: Path) -> Path | None:
    """Return the device in /sys; btrfs has one of its own that is in no device."""
    found = root / "sys/dev/block" / mount.device
    if found.exists():
        return found
    named = root / "sys/class/block" / Path(os.path.realpath(mount.source)).name
    return named if mount.source.startswith("/dev/") and named.exists() else None


def _is_crypt(device: Path, seen: set[Path]) -> bool:
    """Tell whether dm-crypt is anywhere below: each device under it, such as a volume group's."""
    here = device.resolve()
    if here in seen:
        return False
    seen.add(here)
    try:
        if (here / "dm/uuid").read_text("ascii").startswith("CRYPT-"):
            return True
    except OSError:
        pass
    below = here / "slaves"
    slaves = list(below.iterdir()) if below.is_dir() else []
    return bool(slaves) and all(_is_crypt(each, seen) for each in slaves)
