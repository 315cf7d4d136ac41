"""What a copy must be before it is taken back."""

from service import migrations
from service.errors import BackupError


def checked_revision(revision: str | None) -> str:
    """Return the revision of a copy.

    Raises:
        BackupError: it is none of ours, or of a newer version of the service.
    """
    if revision is None:
        raise BackupError("this is no copy of an installation: name what `alongside backup` wrote")
    if not migrations.is_known(revision):
        raise BackupError(
            f"the copy is at revision {revision}, which this version of the service does not know:"
            " restore it with the version that made it, or a newer one"
        )
    return revision
