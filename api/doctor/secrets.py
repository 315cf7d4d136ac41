"""Whether what is encrypted can be read, and by which key it is encrypted."""

from collections.abc import Iterator

from sqlmodel import Session

from api.doctor.findings import Finding, error, ok, warning
from service.encryption import SETTING, Cipher
from service.rewrapping import keys_in_use, unreadable


def findings(session: Session, cipher: Cipher) -> Iterator[Finding]:
    used = keys_in_use(session)
    kept, older = used.total(), used.total() - used.get(cipher.current or "", 0)
    if not cipher.has_key:
        yield _unset(kept)
    elif (closed := unreadable(session, cipher)) > 0:
        yield error(
            "secrets",
            f"No key of {SETTING} opens {closed} of our {kept} secrets: name the key that encrypted"
            " them as well, after the present one.",
        )
    elif older:
        names = ", ".join(sorted(name for name in used if name != cipher.current))
        yield warning(
            "secrets",
            f"A former key ({names}) encrypted {older} of our {kept} secrets: `alongside secrets"
            f" rotate`, and then it can leave {SETTING}.",
        )
    else:
        yield ok("secrets", f"The first key of {SETTING} encrypts all {kept} of our secrets.")


def _unset(kept: int) -> Finding:
    if kept:
        return error("secrets", f"{SETTING} is not set, and {kept} secrets need it: set it.")
    return warning(
        "secrets",
        f"{SETTING} is not set, so that no key of ours can be kept and nothing is signed:"
        " `alongside keys secret` prints a value for it.",
    )
