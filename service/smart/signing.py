"""What we sign with: pairs of our own, their public halves published as a JWK Set.

A key that was rotated signs nothing more, and stays published until what it signed has ended.
https://www.rfc-editor.org/rfc/rfc7517#section-5
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from joserfc.jwk import ECKey, KeyParameters, RSAKey
from sqlmodel import Session, col, select

from service.clock import microseconds
from service.encryption import Cipher
from service.errors import NotFoundError
from service.identifiers import new_id
from service.models.aggregates import Aggregate
from service.models.keys import SigningKey
from service.smart.keys import CURVE, Algorithm, Key

RSA_BITS = 3072
# Nothing that is signed here lasts longer than an hour, and whoever checks it has the set for as
# long as CACHED_SECONDS; the rest is for clocks.
PUBLISHED = timedelta(hours=2)
CACHED_SECONDS = 300
KEYS = Aggregate("signing-keys", "all")
SELECT_PUBLISHED = (
    "SELECT public FROM signing_keys WHERE published_until IS NULL OR published_until > ?"
    " ORDER BY id DESC"
)


@dataclass(frozen=True)
class Pair:
    """A new key, not yet kept."""

    algorithm: Algorithm
    kid: str
    public: bytes
    private: bytes


def new_pairs() -> list[Pair]:
    """Return a key for each algorithm; to make an RSA key takes a while, so outside a lock."""
    return [_new_pair(each) for each in Algorithm]


def _new_pair(algorithm: Algorithm) -> Pair:
    parameters: KeyParameters = {"kid": new_id().hex, "use": "sig", "alg": algorithm.value}
    key: Key
    if algorithm is Algorithm.RS384:
        key = RSAKey.generate_key(RSA_BITS, parameters)
    else:
        key = ECKey.generate_key(CURVE, parameters)
    public, private = key.as_dict(private=False), key.as_dict(private=True)
    return Pair(algorithm, parameters["kid"], orjson.dumps(public), orjson.dumps(private))


def rotate(
    session: Session,
    cipher: Cipher,
    pairs: Sequence[Pair],
    *,
    now: datetime,
    older_than: timedelta = timedelta(),
) -> list[SigningKey]:
    """Sign with these from now on, where the present key is old enough; return what was added.

    A private key that is no longer needed is deleted; so is a key whose publication has ended.
    """
    _forget_ended(session, now)
    added = []
    for pair in pairs:
        present = _signing(session, pair.algorithm)
        if any(key.created_at > now - older_than for key in present):
            continue
        for key in present:
            key.private = None
            key.published_until = microseconds(now + PUBLISHED)
        added.append(_added(session, cipher, pair, now))
    encrypt_again(session, cipher)
    return added


def _forget_ended(session: Session, now: datetime) -> None:
    ended = select(SigningKey).where(col(SigningKey.published_until) <= microseconds(now))
    for key in session.exec(ended).all():
        session.delete(key)


def _added(session: Session, cipher: Cipher, pair: Pair, now: datetime) -> SigningKey:
    key = SigningKey(
        kid=pair.kid,
        algorithm=pair.algorithm,
        public=pair.public.decode(),
        private=cipher.encrypt(pair.private),
        created_at=now,
    )
    session.add(key)
    return key


def encrypt_again(session: Session, cipher: Cipher) -> int:
    """Encrypt by the first key what a former one encrypted; return how many were."""
    older = [key for key in all_keys(session) if key.private and not cipher.is_current(key.private)]
    for key in older:
        key.private = cipher.encrypt(cipher.decrypt(key.private or ""))
    return len(older)


def _signing(session: Session, algorithm: str) -> Sequence[SigningKey]:
    statement = select(SigningKey).where(
        SigningKey.algorithm == algorithm, col(SigningKey.published_until).is_(None)
    )
    return session.exec(statement.order_by(col(SigningKey.id).desc())).all()


def all_keys(session: Session) -> Sequence[SigningKey]:
    """Return the keys that are kept, the newest first."""
    return session.exec(select(SigningKey).order_by(col(SigningKey.id).desc())).all()


def signing_key(session: Session, cipher: Cipher, algorithm: Algorithm) -> Key:
    """Return the private key that signs now.

    Raises:
        NotFoundError: there is none yet.
        SecretsError: it cannot be decrypted.
    """
    found = next(iter(_signing(session, algorithm)), None)
    if found is None or found.private is None:
        raise NotFoundError("there is no key to sign with: run `alongside keys rotate`")
    members = orjson.loads(cipher.decrypt(found.private))
    return RSAKey.import_key(members) if algorithm == "RS384" else ECKey.import_key(members)


def jwk_set(public: Sequence[str]) -> bytes:
    """Return the keys as they are published."""
    return b'{"keys":[' + ",".join(public).encode() + b"]}"
