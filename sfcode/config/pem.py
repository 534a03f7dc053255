"""Read the base64 text of a PEM certificate, which Salesforce requires."""

from __future__ import annotations

import base64
import binascii
import re

_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----\s*")
_SEQUENCE = 0x30
"""The first bytes of every certificate in DER form."""


def certificate_text(pem: str) -> str:
    """Return the base64 text of one certificate on one line. Raises ValueError with a description of the problem."""
    if "PRIVATE KEY" in pem:
        raise ValueError("contains a private key, which must not be in a file of the project")
    match = _PEM.fullmatch(pem)
    if match is None:
        raise ValueError("is not exactly one certificate in PEM format")
    text = "".join(match[1].split())
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is not exactly one certificate in PEM format") from error
    if data[:1] != bytes([_SEQUENCE]):
        raise ValueError("is not exactly one certificate in PEM format")
    return text
