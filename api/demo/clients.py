"""The demo's clients: one for each hospital, one for the programme, one to measure with."""

from sqlmodel import Session as DbSession

from api.demo.load_people import Ids
from api.demo.surroundings import HOSPITAL_A, HOSPITAL_B
from service.database import Database
from service.models.connections import Confidentiality
from service.smart.clients import NewClient, add_client, find_client

BENCH = "bench"
OF_HOSPITAL = ("system/*.rs", "system/QuestionnaireResponse.cruds")
# Name, whose it is, and what it may ask for; the last one tells that the demo is complete.
CLIENTS: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("hospital-a", HOSPITAL_A, OF_HOSPITAL),
    ("hospital-b", HOSPITAL_B, OF_HOSPITAL),
    ("programme", None, ("v1.read", "v1.write", "v1.coordinate", "system/*.rs")),
    (BENCH, HOSPITAL_A, ("system/*.cruds",)),
)


def create_clients(database: Database, ids: Ids) -> None:
    """Create those that are not there yet; their secrets are shown to nobody."""

    def work(session: DbSession) -> None:
        for name, hospital, scopes in CLIENTS:
            if find_client(session, name) is None:
                add_client(session, _client(name, hospital, scopes, ids))

    database.unit_of_work(work)


def _client(name: str, hospital: str | None, scopes: tuple[str, ...], ids: Ids) -> NewClient:
    return NewClient(
        name=name,
        scopes=scopes,
        connection_id=ids.connections[hospital] if hospital else None,
        ceiling=Confidentiality.VERY_RESTRICTED,
        roster_role=True,
    )
