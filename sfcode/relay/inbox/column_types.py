"""Column types that store the same Python values on both databases."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from sfcode.relay.inbox.data_cipher import START, cipher_of

# PostgreSQL cannot store NUL, and UTF-8 cannot encode a lone surrogate; the JSON of a webhook may contain both.
_UNSTORABLE = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")

encode_json = json.JSONEncoder(separators=(",", ":")).encode


@functools.lru_cache(256)
def format_time(moment: datetime) -> str:
    """Format a time for SQLite. Cached, since the rows of a transaction share their times."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def escape(text: str) -> str:
    """Escape characters that a database cannot store, reversibly."""
    if _UNSTORABLE.search(text) is None:
        return text
    return _UNSTORABLE.sub(lambda match: "\\\\" if match[0] == "\\" else f"\\u{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """Undo `escape`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\\", text) if "\\" in text else text


def decode_text(data: bytes) -> str:
    """Decode a text of SQLite, with U+FFFD where it is damaged."""
    return data.decode("utf-8", "replace")


class SafeText(TypeDecorator[str]):
    """
    A text with any code point; PostgreSQL compares it as Python does.

    SQLite accepts a value of any type in any column, so that a damaged row may contain bytes or a number. No type here
    raises an error when it reads one, since the whole query would fail.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write a text."""
        return None if value is None else escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Read a text."""
        if isinstance(value, bytes):
            value = decode_text(value)
        return None if value is None else unescape(str(value))


class EncryptedText(SafeText):
    """A text about a person: encrypted where the database has a key."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write a text."""
        text = super().process_bind_param(value, dialect)
        return None if text is None else cipher_of(dialect).encrypt(text)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Read a text."""
        text = cipher_of(dialect).decrypt(value) if isinstance(value, str) else value
        return super().process_result_value(text, dialect)


class Unreadable(dict[str, Any]):
    """The value of a payload that is no longer a JSON object, so that a damaged row does not fail the query."""


class JsonText(TypeDecorator[Mapping[str, Any]]):
    """
    A JSON object, stored as ASCII text, encrypted where the database has a key.

    It does not use the JSON types of the databases: jsonb refuses NUL and lone surrogates, and no query reads the content.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        """Write an object."""
        return None if value is None else cipher_of(dialect).encrypt(encode_json(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Mapping[str, Any]:
        """Parse an object; return an empty Unreadable if it is damaged."""
        text = cipher_of(dialect).decrypt(value) if isinstance(value, str) and value.startswith(START) else value
        try:
            payload = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            return Unreadable()
        return payload if isinstance(payload, dict) else Unreadable()


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: timestamptz in PostgreSQL, in SQLite a text that sorts as times do."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the column."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write a moment."""
        if value is None or dialect.name != "sqlite":
            return value
        return format_time(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read a moment."""
        if value is None:
            return None
        try:
            return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
        except (ValueError, AttributeError, OverflowError):
            return datetime.fromtimestamp(0, UTC)
