"""Certificates that clients show at the proxy: their thumbprints, which tokens are bound to.

https://www.rfc-editor.org/rfc/rfc8705#section-3
"""

import base64
import binascii
import hashlib
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

LONGEST = 16_384


def thumbprint(certificate: bytes) -> str:
    """Return what RFC 8705 calls x5t#S256 of a certificate in PEM.

    Raises:
        ValueError: it is none.
    """
    return of_der(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER))


def of_der(certificate: bytes) -> str:
    digest = hashlib.sha256(certificate).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def of_header(value: bytes) -> str | None:
    """Return the thumbprint of what a proxy says was shown; nothing where that is nothing.

    Proxies say it as RFC 9440 has it, `:<DER in base64>:`, or in PEM with URL escapes.
    https://www.rfc-editor.org/rfc/rfc9440#section-2.1
    """
    try:
        if len(value) > LONGEST:
            return None
        if value[:1] == value[-1:] == b":" and len(value) > 1:
            der = base64.b64decode(value[1:-1], validate=True)
            return of_der(x509.load_der_x509_certificate(der).public_bytes(Encoding.DER))
        return thumbprint(unquote_to_bytes(value))
    except (binascii.Error, ValueError):
        return None
