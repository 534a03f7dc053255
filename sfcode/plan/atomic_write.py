"""Write a file atomically."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from sfcode.errors import Refused


def write_whole(path: Path, content: str | bytes | Iterable[str], noun: str) -> None:
    """
    Replace the content of a file atomically with a text, or with the parts of a text. Raises Refused if that is impossible.

    A concurrent reader sees the old text or the new one. A symbolic link is kept. Pipes and terminals are written
    directly.
    """
    parts = [content] if isinstance(content, str | bytes) else content
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            path.write_bytes(b"".join(_encode(parts)))
        else:
            _replace(target, _encode(parts))
    except OSError as error:
        hint = "Pass a file in an existing folder that is writable."
        raise Refused(f"{path}: {noun} cannot be saved: {error.strerror}", hint) from error


def _encode(parts: Iterable[str | bytes]) -> Iterator[bytes]:
    return (part if isinstance(part, bytes) else part.encode() for part in parts)


def _replace(target: Path, parts: Iterable[bytes]) -> None:
    temporary = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
