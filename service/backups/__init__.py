"""Copies of an installation that are true to one moment, and how they are taken back.

The main database comes first and the audit rows after it: a change in the copy then has its row
there too. The identifier key, which every FHIR id is made with, is a row of the main database.
"""

from pathlib import Path

from service.backups import postgresql, sqlite
from service.backups.checks import checked_revision
from service.backups.copying import Copying
from service.errors import BackupError
from service.settings import Settings, audit_url_beside

UNFINISHED = ".part"


def backup(settings: Settings, file: Path) -> list[Path]:
    """Copy the installation to this file, and the audit rows beside it where they are apart.

    Raises:
        BackupError: there is something at the file already, or the copy failed.
    """
    made: list[tuple[Path, Path]] = []
    for url, path in _parts(settings, file):
        if path.exists():
            raise BackupError(f"{path} exists: name another file, or move it away first")
        unfinished = path.with_name(path.name + UNFINISHED)
        unfinished.unlink(missing_ok=True)
        _copying(url).save(url, unfinished)
        made.append((unfinished, path))
    for unfinished, path in made:
        unfinished.rename(path)
    return [path for _, path in made]


def restore(settings: Settings, file: Path, *, replace: bool = False) -> str:
    """Take a copy back and return the revision it is at; `replace` lets it replace what is there.

    Everything is checked before anything is written.

    Raises:
        BackupError: the copy is damaged, of a newer version, or there is something already.
    """
    parts = _parts(settings, file)
    for url, path in parts:
        if not path.is_file():
            raise BackupError(f"there is no {path}: name the file that `alongside backup` wrote")
        _copying(url).check(path)
    revision = checked_revision(_copying(settings.database_url).revision(file))
    for url, _ in parts:
        _copying(url).require_free(url, replace=replace)
    for url, path in parts:
        _copying(url).load(url, path)
    return revision


def named(settings: Settings, folder: Path, moment: str) -> Path:
    """Return the name of a copy of this moment in a folder."""
    return folder / f"alongside-{moment}{_copying(settings.database_url).ENDING}"


def _parts(settings: Settings, file: Path) -> list[tuple[str, Path]]:
    """Return each database with its file, the main one first."""
    main, audit = settings.database_url, settings.audit_url
    if audit == main:
        return [(main, file)]
    beside = file.with_name(audit_url_beside("sqlite:///" + file.name).removeprefix("sqlite:///"))
    return [(main, file), (audit, beside)]


def _copying(url: str) -> Copying:
    return sqlite if url.startswith("sqlite") else postgresql
