"""Are the stored documents what a fresh rendering says?"""

from service.database import Database
from service.fhir.projection import DocumentProjector
from service.fhir.sources import Sources
from service.fhir.verification import differences


def wrong_documents(database: Database, sources: Sources | None = None) -> list[str]:
    projector = database.projector
    assert isinstance(projector, DocumentProjector)
    return database.read(lambda session: list(differences(session, projector, sources)))
