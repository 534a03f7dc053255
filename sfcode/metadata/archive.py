"""Write zip files reproducibly, and read them with limits on their size."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from sfcode.metadata.errors import MetadataError

MAX_FILES = 10_000
"""The maximum number of files, which is Salesforce's own limit for a package."""
MAX_BYTES = 200 * 1024 * 1024
"""The maximum size of all unpacked files. Salesforce accepts 600 MB; packages of sfcode are a thousandth of that."""

_TIME = (1980, 1, 1, 0, 0, 0)
_CHUNK = 64 * 1024


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """Pack files in the order of their names; the same files result in the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def unzip(data: bytes, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> dict[str, bytes]:
    """Unpack an archive within limits, without folders. Raises MetadataError for an invalid or hostile one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > max_files:
                raise MetadataError(f"the archive has {len(entries)} files; more than {max_files} are not read")
            files: dict[str, bytes] = {}
            room = max_bytes
            for entry in entries:
                name = _safe(entry.filename)
                if name in files:
                    raise MetadataError(f"the archive has {name} twice")
                files[name] = _read(archive, entry, room, max_bytes)
                room -= len(files[name])
            return files
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise MetadataError(f"the archive cannot be read: {error}") from None


def _safe(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0] or "\0" in name:
        raise MetadataError(f"the archive has a file outside of itself: {name!r}")
    return str(path)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int, max_bytes: int) -> bytes:
    """Read one file up to the remaining limit, because the size in the archive may be wrong."""
    chunks = []
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise MetadataError(f"the archive unpacks to more than {max_bytes} bytes")
            chunks.append(chunk)
    return b"".join(chunks)
