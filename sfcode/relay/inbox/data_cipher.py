"""
Encrypt the personal data in the inbox: payloads, details, histories and delivered values.

An encrypted text contains the name of its key, so that several keys can be in use during a rotation. It begins with
`START`, which no plain text does, since `escape` doubles backslashes. A history may consist of several encrypted texts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.engine import Dialect

from sfcode.relay.inbox.types import Unavailable
from sfcode.secret import Secret

START = "\\e"
_ENCRYPTED = re.compile(r"\\\\|\\e([0-9a-f]{8}):([A-Za-z0-9_=-]+);")
"""Matches an encrypted text, or two backslashes, whose second one does not begin an encrypted text."""


class DataCipher:
    """Encrypts with the newest key and decrypts with any; without keys it encrypts nothing."""

    def __init__(self, keys: Sequence[Secret] = ()) -> None:
        """Create a cipher from keys of 32 bytes in base64, the newest first. Raises ValueError for an invalid key."""
        self._keys = {hashlib.sha256(key.reveal().encode()).hexdigest()[:8]: Fernet(key.reveal()) for key in keys}
        self.newest = next(iter(self._keys), "")
        """The name of the newest key, which encrypts; "" without keys."""

    @property
    def start(self) -> str:
        """The prefix of texts that are encrypted with the newest key."""
        return f"{START}{self.newest}:"

    def encrypt(self, text: str) -> str:
        """Encrypt a text that is not empty, if there is a key."""
        if not self.newest or not text:
            return text
        token = self._keys[self.newest].encrypt(text.encode("utf-8", "surrogatepass")).decode()
        return f"{self.start}{token};"

    def decrypt(self, text: str) -> str:
        """Decrypt each encrypted part of a text. Raises Unavailable if a key is missing."""
        return _ENCRYPTED.sub(self._decrypt, text) if START in text else text

    def _decrypt(self, match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        key = self._keys.get(match[1])
        if key is None:
            raise missing_key()
        try:
            return key.decrypt(match[2].encode()).decode("utf-8", "surrogatepass")
        except InvalidToken:
            return ""  # the row is damaged


def missing_key() -> Unavailable:
    """Return the error for a row whose key is missing."""
    return Unavailable(
        "A row of the relay's database is encrypted with a key that is missing in SFCODE_RELAY_DATA_KEYS.",
        "Set the variable to all keys that are in use, the newest first.",
    )


NO_KEYS = DataCipher()


def use_cipher(engine: sa.Engine, cipher: DataCipher) -> None:
    """Use a cipher for the encrypted columns of a database."""
    engine.dialect.data_cipher = cipher  # type: ignore[attr-defined]


def cipher_of(dialect: Dialect) -> DataCipher:
    """Return the cipher of a database."""
    cipher: DataCipher = getattr(dialect, "data_cipher", NO_KEYS)
    return cipher
