"""Write files completely or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from sfcode.errors import Refused

FULL = {errno.ENOSPC, errno.EDQUOT}


def write_whole(path: Path, content: str | bytes | Iterable[str], noun: str) -> None:
    """
    Replace the content of a file atomically with a text, or with the parts of a text. Raises Refused if that is impossible.

    A concurrent reader sees the old text or the new one. A symbolic link is kept. Pipes and terminals are written
    directly.
    """
    parts = [content] if isinstance(content, str | bytes) else content
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            path.write_bytes(b"".join(_encode(parts)))
        else:
            with _remove_on_failure([temporary := _name_temporary(target)]):
                _write(temporary, target, _encode(parts), durable=True)
                temporary.replace(target)
    except OSError as error:
        full = "Free space on its disk, or pass a file on another one."
        hint = full if error.errno in FULL else "Pass a file in an existing folder that is writable."
        raise Refused(f"{path}: {noun} cannot be saved: {error.strerror}", hint) from error


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """
    Write files and create their folders; if one cannot be written, the old files stay and no new one is left.

    Symbolic links are kept. Raises OSError with the name of the file or folder.
    """
    targets = {Path(os.path.realpath(path)): content for path, content in files.items()}
    temporaries = {target: _name_temporary(target) for target in targets}
    folders: list[Path] = []
    with _remove_on_failure(temporaries.values(), folders):
        for folder in sorted({path.parent for path in files}):
            folders += reversed([parent for parent in (folder, *folder.parents) if not parent.exists()])
            folder.mkdir(parents=True, exist_ok=True)
        for path, (target, content) in zip(files, targets.items(), strict=True):
            try:
                _write(temporaries[target], target, _encode([content]))
            except OSError as error:
                error.filename = str(path)
                raise
        for target, temporary in temporaries.items():
            temporary.replace(target)


def _encode(parts: Iterable[str | bytes]) -> Iterator[bytes]:
    return (part if isinstance(part, bytes) else part.encode() for part in parts)


def _name_temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.{token_hex(4)}")


def _write(temporary: Path, target: Path, parts: Iterable[bytes], *, durable: bool = False) -> None:
    """Write a temporary file with the permissions of its target, and with `durable` wait until the disk has it."""
    with temporary.open("xb") as file:
        file.writelines(parts)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o777)


@contextmanager
def _remove_on_failure(files: Iterable[Path], folders: Iterable[Path] = ()) -> Iterator[None]:
    """Remove temporary files, and folders that were created for them and are empty, if the block fails."""
    try:
        yield
    except BaseException:
        for path in files:
            with suppress(OSError):
                path.unlink()
        for folder in sorted(folders, reverse=True):
            with suppress(OSError):
                folder.rmdir()
        raise
