"""What is told of a row and of a seal: names and texts, the same for each collector."""

from typing import Any, NamedTuple

TOLD = (
    "request_id", "client", "audience", "address", "method", "path", "status", "patients",
    "caller_id", "person", "purpose", "decision", "kind", "writer", "seq",
)  # fmt: skip


class Record(NamedTuple):
    """One thing to tell: when it was, what it is, and its fields."""

    at: int  # microseconds since 1970
    event: str
    fields: dict[str, str]
    refused: bool = False


def record_of(row: Any) -> Record:  # noqa: ANN401 - a row of the table
    """Return what is told of a row: not its detail, nor the text of a command."""
    fields = {name: str(getattr(row, name)) for name in TOLD if getattr(row, name) is not None}
    if row.writer is None:  # from before there were pseudonyms and chains
        fields.pop("patients", None)
        fields["path"] = "(before)"
    else:
        fields["hash"] = bytes(row.hash).hex()
    return Record(row.at, "audit.row", fields, refused=row.status in {401, 403})


def record_of_seal(row: Any) -> Record:  # noqa: ANN401 - a row of the table
    fields = {"number": str(row.number), "writer": row.writer, "seq": str(row.seq)}
    fields |= {"hash": bytes(row.hash).hex(), "seal": bytes(row.seal).hex()}
    return Record(row.at, "audit.seal", fields)
