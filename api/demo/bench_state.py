"""What the load generator is told: which ids to read, and the PHQ-9 as this service knows it.

bench/README.md says what the two files are for.
"""

import json
from pathlib import Path
from typing import Any

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.demo.clients import BENCH
from service.database import Database
from service.errors import NotFoundError
from service.instruments import Instrument, instrument
from service.models.connections import Client, Connection
from service.models.documents import Document, DocumentToken

LOINC = "http://loinc.org"
SCORES_EACH = 4  # the generator checks that a search finds so many


def write(database: Database, directory: Path) -> None:
    """Write state.json and phq9.json into the directory.

    Raises:
        NotFoundError: the demo is not loaded.
    """
    state = database.read(_state)
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (("state", state), ("phq9", form(instrument("phq-9")))):
        (directory / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def form(definition: Instrument) -> dict[str, Any]:
    """Return the scored items, each with its codes in order of score."""
    return {
        "questionnaire": definition.canonical,
        "items": [
            {
                "linkId": item.link_id,
                "codes": [
                    {"system": LOINC, "code": answer.code, "display": answer.display}
                    for answer in sorted(item.answers, key=lambda answer: answer.score)
                ],
            }
            for item in definition.scored_items
        ],
    }


def _state(session: DbSession) -> dict[str, list[str]]:
    audience = _audience(session)
    scores: dict[str, list[str]] = {}
    for score_id, subject in session.exec(_totals(audience)):
        scores.setdefault(subject or "", []).append(score_id)
    complete = {subject: ids for subject, ids in scores.items() if len(ids) == SCORES_EACH}
    rosters = select(Document.id).where(
        Document.audience == audience, Document.type == "Group", col(Document.deleted).is_(False)
    )
    return {
        "patients": [f"Patient/{subject}" for subject in complete],
        "observations": [f"Observation/{one}" for ids in complete.values() for one in ids],
        "groups": [f"Group/{one}" for one in session.exec(rosters.order_by(Document.id))],
    }


def _audience(session: DbSession) -> int:
    number = session.exec(
        select(Connection.number)
        .join(Client, col(Client.connection_id) == col(Connection.id))
        .where(Client.name == BENCH)
    ).first()
    if number is None:
        raise NotFoundError(f"there is no client named {BENCH}: load the demo first")
    return number


def _totals(audience: int) -> Any:  # noqa: ANN401 - a statement of ids and subjects
    return (
        select(Document.id, Document.subject)
        .join(DocumentToken, col(DocumentToken.id) == col(Document.id))
        .where(
            Document.audience == audience,
            Document.type == "Observation",
            col(Document.deleted).is_(False),
            DocumentToken.param == "code",
            DocumentToken.system == LOINC,
            DocumentToken.code == instrument("phq-9").total,
        )
        .order_by(col(Document.subject), col(Document.date_low))
    )
