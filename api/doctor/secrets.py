"""Whether private keys can be read, and signed with."""

from collections.abc import Iterator

from sqlmodel import Session

from api.doctor.findings import Finding, error, ok, warning
from service.encryption import SETTING, Cipher
from service.smart.signing import all_keys


def findings(session: Session, cipher: Cipher) -> Iterator[Finding]:
    kept = [key.private for key in all_keys(session) if key.private]
    if not cipher.has_key:
        yield _unset(len(kept))
    elif not all(map(cipher.can_read, kept)):
        yield error(
            "secrets",
            f"No key of {SETTING} opens some of our private keys: name the key that encrypted them"
            " as well, after the present one.",
        )
    elif not all(map(cipher.is_current, kept)):
        yield warning(
            "secrets",
            "A former key encrypted some of our private keys: `alongside keys encrypt`, and then it"
            f" can leave {SETTING}.",
        )
    else:
        yield ok("secrets", f"{SETTING} opens all {len(kept)} of our private keys.")


def _unset(kept: int) -> Finding:
    if kept:
        return error("secrets", f"{SETTING} is not set, and {kept} private keys need it: set it.")
    return warning(
        "secrets",
        f"{SETTING} is not set, so that no key of ours can be kept and nothing is signed:"
        " `alongside keys secret` prints a value for it.",
    )
