"""Settings are read from the environment and each is documented."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import CRISIS_TEXT, Settings, audit_url_beside

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ALONGSIDE_{name.upper()}", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_a_row_in_the_documentation(name):
    assert f"| `ALONGSIDE_{name.upper()}`" in DOCUMENT.read_text()


def test_every_row_of_the_documentation_is_a_setting():
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `ALONGSIDE_")]
    assert len(rows) == len(Settings.model_fields)


def test_the_documentation_states_the_defaults():
    text = DOCUMENT.read_text()
    for name, field in Settings.model_fields.items():
        if field.default is not None and field.default != CRISIS_TEXT:
            (row,) = [x for x in text.splitlines() if x.startswith(f"| `ALONGSIDE_{name.upper()}`")]
            assert f"| `{field.default}` |" in row


def test_a_settings_own_name_wins_over_database_url(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///plain.db")
    assert Settings().database_url == "sqlite:///plain.db"
    monkeypatch.setenv("ALONGSIDE_DATABASE_URL", "sqlite:///ours.db")
    assert Settings().database_url == "sqlite:///ours.db"


@pytest.mark.parametrize(
    ("url", "audit"),
    [
        ("sqlite:///alongside.db", "sqlite:///alongside-audit.db"),
        ("sqlite:////var/lib/a.b/data", "sqlite:////var/lib/a.b/data-audit.db"),
        ("postgresql://u@h/name", "postgresql://u@h/name"),
    ],
)
def test_audit_rows_go_beside_the_database(url, audit):
    assert audit_url_beside(url) == audit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_token_seconds", 3601),
        ("access_token_seconds", 0),
        ("public_base_url", "example.org"),
        ("log_level", "loud"),
        ("page_size", 0),
        ("jwks_networks", "everywhere"),
        ("jwks_networks", "10.0.0.1/8"),
        ("programme_name", ""),
        ("crisis_country", "usa"),
        ("crisis_country", "DE"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(name, value):
    with pytest.raises(ValidationError):
        Settings(**{name: value})


def test_the_default_crisis_text_says_whom_to_call_and_what_this_is_not():
    for part in ("not an emergency system", "988", "741741"):
        assert part in Settings().crisis_text


def test_the_public_address_has_no_slash_at_the_end():
    assert Settings(public_base_url="https://a.example/x/").public_base_url == "https://a.example/x"
