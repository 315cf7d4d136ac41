"""A served process does what the OpenAPI document that it serves says (schemathesis).

Every day a few examples of each operation; with ALONGSIDE_NIGHTLY three seeds, a hundred examples
of each operation, and every phase. What is excluded, and why, stands in schemathesis.toml. Nothing
here names an operation: a new one is asked from the day it is described.
https://schemathesis.readthedocs.io/en/stable/
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import Session, select

from api.demo.load import load
from api.demo.scenario import make_plan
from service.access import V1_SCOPES
from service.models.connections import Confidentiality, Connection
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.conftest import open_database
from tests.process import process
from tests.world import now

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LONG = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
SEEDS = (1, 2, 3) if LONG else (1,)
ASKED = ("--max-examples=100",) if LONG else ("--max-examples=3", "--phases=examples,fuzzing")
OF_FHIR = "--include-path-regex=^/fhir"
OF_OTHERS = "--exclude-path-regex=^/fhir"
TOKEN_SECONDS = 7 * 24 * 3600
SAID = 20_000  # characters of what it says in the end


@dataclass(frozen=True)
class Target:
    """A served process, with a token for what the programme and one for what a hospital asks."""

    url: str
    programme: str
    hospital: str


@pytest.fixture(scope="module")
def target(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The demo, served."""
    folder = tmp_path_factory.mktemp("contract")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    database = open_database(f"sqlite:///{file}")
    load(database, make_plan(now().date()))
    tokens = database.unit_of_work(_tokens)
    database.close()
    rates = dict.fromkeys(("oauth_address_rate", "oauth_failure_rate"), "1000000/minute")
    with process(f"sqlite:///{file}", f"sqlite:///{folder}/audit.db", **rates) as running:
        yield Target(str(running.http.base_url), *tokens)


def _tokens(session: Session) -> tuple[str, str]:
    hospital = session.exec(select(Connection)).first()
    assert hospital is not None
    programme = _token(session, "contract", " ".join(sorted(V1_SCOPES)))
    return programme, _token(session, "contract-fhir", "system/*.cruds", hospital)


def _token(session: Session, name: str, scope: str, of: Connection | None = None) -> str:
    new = NewClient(
        name=name,
        scopes=tuple(scope.split()),
        connection_id=of.id if of else None,
        ceiling=Confidentiality.VERY_RESTRICTED,
        roster_role=True,
    )
    client, _ = add_client(session, new)
    return issue(session, client, Grant(scope=scope, seconds=TOKEN_SECONDS), now())


def ask(target: Target, seed: int, token: str, which: str, folder: Path) -> None:
    """Let schemathesis ask, in a folder of the test's own, where it keeps what it found."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        f"{target.url}/openapi.json",
        f"--header=Authorization: Bearer {token}",
        which,
        f"--seed={seed}",
        "--continue-on-failure",
        "--generation-database=none",
        *ASKED,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-SAID:] + done.stderr[-SAID:]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_programmes_api_does_what_its_description_says(target, seed, tmp_path):
    ask(target, seed, target.programme, OF_OTHERS, tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fhir_endpoint_does_what_its_description_says(target, seed, tmp_path):
    ask(target, seed, target.hospital, OF_FHIR, tmp_path)
