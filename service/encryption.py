"""Secrets that must be read again, such as private keys: encrypted wherever they are kept.

https://cryptography.io/en/latest/fernet/
"""

from cryptography.fernet import Fernet, InvalidToken

from service.errors import SecretsError

SETTING = "ALONGSIDE_SECRETS_KEYS"


def new_key() -> str:
    """Return a key for the setting."""
    return Fernet.generate_key().decode()


def keys_of(text: str) -> tuple[Fernet, ...]:
    """Return the keys that a setting names, separated by commas; ValueError if one is none."""
    return tuple(Fernet(each.strip()) for each in text.split(",") if each.strip())


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

    def encrypt(self, secret: bytes) -> str:
        """Return what is kept.

        Raises:
            SecretsError: the setting names no key.
        """
        if not self._keys:
            raise SecretsError(f"{SETTING} is not set: `alongside keys secret` prints a value")
        return self._keys[0].encrypt(secret).decode()

    def decrypt(self, kept: str) -> bytes:
        """Return the secret.

        Raises:
            SecretsError: none of the keys encrypted it.
        """
        for key in self._keys:
            try:
                return key.decrypt(kept)
            except InvalidToken:
                continue
        raise SecretsError(f"no key of {SETTING} opens what was encrypted: name the former one too")

    def is_current(self, kept: str) -> bool:
        """Return whether the first key encrypted it, so that the others are not needed for it."""
        return bool(self._keys) and _opens(self._keys[0], kept)

    def can_read(self, kept: str) -> bool:
        return any(_opens(key, kept) for key in self._keys)


def _opens(key: Fernet, kept: str) -> bool:
    try:
        key.decrypt(kept)
    except InvalidToken:
        return False
    return True
