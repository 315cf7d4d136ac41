"""Secrets are encrypted again by the present key, and every column with a secret is known."""

import re

import pytest
from sqlmodel import SQLModel

import service.models  # noqa: F401 - fills the metadata
from service import rewrapping
from service.database import Database
from service.encryption import UNNAMED, Cipher, key_id, new_key
from service.errors import SecretsError
from service.models.connections import Client
from service.models.issuers import Issuer
from service.models.keys import SigningKey
from service.rewrapping import ENCRYPTED, keys_in_use, rewrap, unreadable

# A column that by its name may hold a secret is hashed, encrypted, or has its reason here.
SECRET = re.compile(r"secret|token|private|password|key|hash|certificate", re.IGNORECASE)
HASHED = {
    "access_tokens.token_hash",
    "calendars.token_hash",
    "clients.registration_hash",
    "clients.secret_hash",
    "invitations.token_hash",
    "kept_answers.key_hash",
    "used_assertions.jti_hash",
}
NO_SECRET = {
    "audit_keys.key": "makes names of whose ids are in the same row: ADR 0037",
    "access_tokens.certificate": "the thumbprint of a certificate, which is public",
    "clients.certificate": "the thumbprint of a certificate, which is public",
    "documents.patient_key": "a patient's id",
    "import_keys.key": "what a file calls a row",
    "projection_due.key": "the id of a patient or an enrolment",
    "installation.identifier_key": "makes ids of what is in the same database: ADR 0040",
}
IN_WORDS = {"broken_glass.reason"}  # encrypted, though its name does not say so


def test_every_column_that_may_hold_a_secret_is_hashed_or_encrypted():
    found = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if SECRET.search(column.name) and not column.foreign_keys
    }
    encrypted = {f"{each.table}.{each.column}" for each in ENCRYPTED}
    assert found | IN_WORDS == HASHED | encrypted | set(NO_SECRET)


def keep(database: Database, cipher: Cipher, count: int) -> None:
    def work(session) -> None:
        for number in range(count):
            secret = cipher.encrypt(f"private-{number}".encode())
            session.add(
                SigningKey(kid=f"k{number}", algorithm="RS384", public="{}", private=secret)
            )
        client = Client(name="issuer")
        session.add(client)
        session.flush()
        kept = cipher.encrypt(b"hush")
        session.add(Issuer(client_id=client.id, issuer="https://i", introspection_secret=kept))

    database.unit_of_work(work)


def secrets(database: Database, cipher: Cipher) -> set[bytes]:
    with database.engine.connect() as connection:
        return {
            cipher.decrypt(kept)
            for each in ENCRYPTED
            for (kept,) in connection.exec_driver_sql(f"SELECT {each.column} FROM {each.table}")
        }


def test_every_secret_is_encrypted_again_and_the_former_key_can_leave(database, monkeypatch):
    monkeypatch.setattr(rewrapping, "AT_ONCE", 3)
    former, present = new_key(), new_key()
    keep(database, Cipher(former), 7)
    both = Cipher(f"{present},{former}")
    assert database.read(keys_in_use) == {key_id(former): 8}
    seen: list[tuple[int, int]] = []
    assert rewrap(database, both, lambda *told: seen.append(told)) == 8
    assert seen[-1] == (8, 8)
    assert database.read(keys_in_use) == {key_id(present): 8}
    assert secrets(database, Cipher(present)) == {f"private-{n}".encode() for n in range(7)} | {
        b"hush"
    }
    assert rewrap(database, both) == 0


def test_what_was_stopped_goes_on_where_it_was(sqlite_database, monkeypatch):
    monkeypatch.setattr(rewrapping, "AT_ONCE", 2)
    former, present = new_key(), new_key()
    keep(sqlite_database, Cipher(former), 5)
    both = Cipher(f"{present},{former}")

    def stop(_seen: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrap(sqlite_database, both, stop)
    assert sqlite_database.read(keys_in_use) == {key_id(former): 4, key_id(present): 2}
    assert rewrap(sqlite_database, both) == 4


def test_a_secret_that_changed_meanwhile_is_left_as_it_is(sqlite_database):
    former, present = new_key(), new_key()
    keep(sqlite_database, Cipher(former), 1)
    both = Cipher(f"{present},{former}")
    column = ENCRYPTED[0]
    ((key, kept),) = sqlite_database.read(lambda session: column.after(session, "", 9))

    def work(session) -> None:
        column.replace(session, key, kept, "newer")
        column.replace(session, key, kept, both.encrypt(b"stale"))

    sqlite_database.unit_of_work(work)
    assert sqlite_database.read(lambda session: column.after(session, "", 9)) == [(key, "newer")]


def test_what_was_kept_before_keys_had_names_is_read_and_named(sqlite_database):
    key = new_key()
    cipher = Cipher(key)
    unnamed = cipher.encrypt(b"old").partition(".")[2]
    assert cipher.decrypt(unnamed) == b"old"
    assert not cipher.is_current(unnamed)

    def work(session) -> None:
        session.add(SigningKey(kid="k", algorithm="RS384", public="{}", private=unnamed))

    sqlite_database.unit_of_work(work)
    assert sqlite_database.read(keys_in_use) == {UNNAMED: 1}
    assert rewrap(sqlite_database, cipher) == 1
    assert sqlite_database.read(keys_in_use) == {key_id(key): 1}


def test_what_no_key_opens_stops_it_and_is_counted(sqlite_database):
    keep(sqlite_database, Cipher(new_key()), 2)
    other = Cipher(new_key())
    assert sqlite_database.read(lambda session: unreadable(session, other)) == 3
    with pytest.raises(SecretsError, match="name the former one"):
        rewrap(sqlite_database, other)
