"""What can be said without the database: settings, public address, audit file, disk space."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

from api.doctor.findings import Finding, error, ok, warning
from service.engine import sqlite_file
from service.settings import DEFAULT_CANONICAL_BASE, Settings

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
GIB = 1024**3
LITTLE, TOO_LITTLE = 5 * GIB, GIB // 4


def findings(settings: Settings) -> Iterator[Finding]:
    yield ok("settings", "Every setting has a value that is allowed.")
    yield _public_address(settings.public_base_url)
    yield _canonical(settings.canonical_base)
    yield _proxies(settings.trusted_proxies)
    yield from _audit_file(settings.audit_url)
    yield _disk(settings.database_url)


def _public_address(url: str) -> Finding:
    parts = urlsplit(url)
    if parts.path.endswith("/fhir"):
        return error(
            "public-address",
            f"ALONGSIDE_PUBLIC_BASE_URL is {url}: leave /fhir out, which is put after it.",
        )
    if parts.scheme == "https":
        return ok("public-address", f"Links are made from {url}.")
    if parts.hostname in LOOPBACK:
        return warning(
            "public-address",
            f"Links are made from {url}, which only this machine reaches: set"
            " ALONGSIDE_PUBLIC_BASE_URL to the proxy's https address before others use it.",
        )
    return error(
        "public-address",
        f"ALONGSIDE_PUBLIC_BASE_URL is {url}: it must begin with https, or no token is issued.",
    )


def _canonical(base: str) -> Finding:
    if base != DEFAULT_CANONICAL_BASE:
        return ok("canonical-base", f"Definitions are named under {base}.")
    return warning(
        "canonical-base",
        f"Definitions are named under {base}, which is nobody's: choose"
        " ALONGSIDE_CANONICAL_BASE before the first document is sent.",
    )


def _proxies(trusted: str) -> Finding:
    if "*" in trusted:
        return error(
            "trusted-proxies",
            "ALONGSIDE_TRUSTED_PROXIES believes everybody, so that a caller chooses its address in"
            " the audit rows: name the proxy.",
        )
    return ok("trusted-proxies", f"Forwarded addresses are believed from {trusted}.")


def _audit_file(url: str) -> Iterator[Finding]:
    if not url.startswith("sqlite"):
        return
    path = sqlite_file(url)
    if not path.is_file():
        yield error("audit-file", f"There is no audit file at {path}: run `alongside migrate`.")
    elif not os.access(path, os.W_OK):
        yield error("audit-file", f"{path} cannot be written, so nothing is answered: chmod it.")
    else:
        yield ok("audit-file", f"Audit rows go to {path}.")


def _disk(url: str) -> Finding:
    if not url.startswith("sqlite"):
        return ok("disk", "The database server's disk is not seen from here: watch it there.")
    folder = sqlite_file(url).resolve().parent
    if not folder.is_dir():
        return error("disk", f"There is no folder {folder}: create it, or check DATABASE_URL.")
    free = shutil.disk_usage(folder).free
    said = f"{free / GIB:.1f} GiB are free in {folder}"
    if free < TOO_LITTLE:
        return error("disk", f"{said}: free some at once, or writing stops.")
    if free < LITTLE:
        return warning("disk", f"{said}: nothing is deleted by itself, so make room.")
    return ok("disk", f"{said}.")
