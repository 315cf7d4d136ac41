"""Secrets that must be read again, such as private keys: encrypted wherever they are kept.

What is kept names its key, `<id>.<token>`; what was kept before names none (ADR 0040).
https://cryptography.io/en/latest/fernet/
"""

import hashlib

from cryptography.fernet import Fernet, InvalidToken

from service.errors import SecretsError

SETTING = "ALONGSIDE_SECRETS_KEYS"
ID_LENGTH = 12
UNNAMED = "unnamed"


def new_key() -> str:
    """Return a key for the setting."""
    return Fernet.generate_key().decode()


def keys_of(text: str) -> dict[str, Fernet]:
    """Return the keys that a setting names, with commas, by id; ValueError if one is none."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    return {key_id(each): Fernet(each) for each in named}


def key_id(key: str) -> str:
    """Return what a key is called: nobody finds the key by it."""
    return hashlib.sha256(b"alongside secrets key\0" + key.encode()).hexdigest()[:ID_LENGTH]


def named_key(kept: str) -> str:
    """Return the id of the key that encrypted this."""
    name, dot, _ = kept.partition(".")
    return name if dot else UNNAMED


class Cipher:
    """Encrypts by the first of its keys, and reads what any of them encrypted.

    So a key is changed while the service runs: the new one is put first, everything is encrypted
    again, and the old one is taken out.
    """

    def __init__(self, keys: str) -> None:
        self._keys = keys_of(keys)

    @property
    def has_key(self) -> bool:
        return bool(self._keys)

    @property
    def current(self) -> str | None:
        """Return the id of the key that encrypts."""
        return next(iter(self._keys), None)

    def encrypt(self, secret: bytes) -> str:
        """Return what is kept.

        Raises:
            SecretsError: the setting names no key.
        """
        if self.current is None:
            raise SecretsError(f"{SETTING} is not set: `alongside keys secret` prints a value")
        return f"{self.current}.{self._keys[self.current].encrypt(secret).decode()}"

    def decrypt(self, kept: str) -> bytes:
        """Return the secret.

        Raises:
            SecretsError: none of the keys encrypted it.
        """
        for key in self._candidates(kept):
            try:
                return key.decrypt(kept.rpartition(".")[2])
            except InvalidToken:
                continue
        said = f"no key of {SETTING} opens what key {named_key(kept)} encrypted"
        raise SecretsError(f"{said}: name the former one too")

    def _candidates(self, kept: str) -> list[Fernet]:
        name = named_key(kept)
        if name == UNNAMED:
            return list(self._keys.values())
        return [self._keys[name]] if name in self._keys else []

    def is_current(self, kept: str) -> bool:
        """Return whether the first key encrypted it, so that the others are not needed for it."""
        return named_key(kept) == self.current and self.can_read(kept)

    def can_read(self, kept: str) -> bool:
        try:
            self.decrypt(kept)
        except SecretsError:
            return False
        return True
