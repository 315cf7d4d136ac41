"""Secrets at rest: the first key encrypts, any key reads, and what no key opens is said."""

import pytest
from pydantic import ValidationError

from service.encryption import Cipher, new_key
from service.errors import SecretsError
from service.settings import Settings


def test_what_was_encrypted_is_read_again_and_says_nothing():
    cipher = Cipher(new_key())
    kept = cipher.encrypt(b"a private key")
    assert cipher.decrypt(kept) == b"a private key"
    assert "private" not in kept
    assert cipher.encrypt(b"a private key") != kept


def test_a_key_is_changed_while_the_service_runs():
    former, present = new_key(), new_key()
    kept = Cipher(former).encrypt(b"x")
    both = Cipher(f"{present}, {former}")
    assert both.can_read(kept)
    assert not both.is_current(kept)
    again = both.encrypt(both.decrypt(kept))
    assert both.is_current(again)
    assert Cipher(present).decrypt(again) == b"x"


@pytest.mark.parametrize("keys", ["", new_key()], ids=["none", "another"])
def test_what_no_key_opens_is_told_with_the_next_step(keys):
    cipher = Cipher(keys)
    kept = Cipher(new_key()).encrypt(b"x")
    assert not cipher.can_read(kept)
    assert not cipher.is_current(kept)
    with pytest.raises(SecretsError, match="ALONGSIDE_SECRETS_KEYS"):
        cipher.decrypt(kept)


def test_nothing_is_encrypted_without_a_key():
    with pytest.raises(SecretsError, match="alongside keys secret"):
        Cipher("").encrypt(b"x")


def test_a_setting_that_is_no_key_is_refused_and_not_said():
    with pytest.raises(ValidationError) as refused:
        Settings(secrets_keys=f"{new_key()},hunter2")
    (error,) = refused.value.errors()
    assert "44 characters" in error["msg"]
    assert "hunter2" not in error["msg"]
    assert Settings(secrets_keys=f"{new_key()}, {new_key()}").secrets_keys is not None
