"""Who asks: clients of the reader's hospital with wide, narrow and granular scopes; and others."""

from service.models.connections import Confidentiality
from tests.properties.roster.facts import OTHERS, READER, Chance, Plan
from tests.properties.roster.telling import Client

N, R = Confidentiality.NORMAL, Confidentiality.RESTRICTED
FULL = Client("full", "system/*.cruds", READER)
OTHER = Client("other", "system/*.cruds", READER)  # the same rights, but another's links
SOME = (
    Client("normal", "system/*.rs", READER, N),
    Client("restricted", "system/*.cruds", READER, R),
    Client("without-role", "system/*.cruds", READER, roster=False),
    Client("results", "system/Patient.r system/Observation.rs", READER),
    Client("rosters", "system/Group.rs system/Encounter.s system/Patient.s", READER, R),
    Client("writer", "system/Patient.cu system/*.cu system/Condition.cruds", READER),
    Client(
        "granular",
        "system/Patient.rs?gender=female system/Observation.rs?category=survey"
        " system/Encounter.rs?status=finished system/Group.rs?name=Circle"
        " system/EpisodeOfCare.rs",
        READER,
    ),
    Client(
        "by-label",
        "system/*.rs?_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
        READER,
    ),
    Client(
        "granular-writer",
        "system/Condition.cruds?_security=R system/Patient.rs?name=Rivera system/Task.cruds"
        " system/QuestionnaireResponse.crus?status=completed system/Observation.cruds",
        READER,
    ),
)
PROGRAMME = Client("programme", "system/*.cruds")
PLATFORM = Client("platform", "v1.read v1.write")


def asking(chance: Chance) -> list[Client]:
    """The clients of the reader that ask in one world."""
    first, second = chance.number(0, len(SOME) - 1), chance.number(0, len(SOME) - 1)
    return [FULL, OTHER, *(SOME[place] for place in sorted({first, second}))]


def others(plan: Plan) -> list[Client]:
    """Clients that are there in the full telling only."""
    return [
        *(Client(f"client-{name.lower()}", "system/*.cruds", name) for name in OTHERS
          if name in plan.policies),
    ]  # fmt: skip
