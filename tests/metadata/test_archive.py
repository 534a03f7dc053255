"""Archives are unpacked within limits."""

from __future__ import annotations

import io
import warnings
import zipfile

import pytest

from sfcode.metadata.archive import unzip
from sfcode.metadata.errors import MetadataError


def archive(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zip_file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # warns of a name that occurs twice
        for name, data in files:
            zip_file.writestr(name, data)
    return buffer.getvalue()


def test_folders_are_left_out() -> None:
    assert unzip(archive(("flows/", b""), ("flows/A.flow", b"x"))) == {"flows/A.flow": b"x"}


@pytest.mark.parametrize("name", ["../A.flow", "/etc/passwd", "flows/../../A", "C:/A", "..\\A"])
def test_a_file_outside_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(MetadataError, match="outside of itself"):
        unzip(archive((name, b"x")))


def test_an_archive_that_unpacks_to_too_much_is_refused_while_unpacking() -> None:
    """The limit applies to the unpacked size, whatever size the archive's header states."""
    data = bytearray(archive(("a", b"\0" * 10_000_000)))
    assert len(data) < 20_000
    with pytest.raises(MetadataError, match="unpacks to more than 1000000 bytes"):
        unzip(bytes(data), max_bytes=1_000_000)
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (5).to_bytes(4, "little")  # the size in the header of the archive
    with pytest.raises(MetadataError):
        unzip(bytes(data), max_bytes=1_000_000)


def test_all_files_share_one_bound() -> None:
    with pytest.raises(MetadataError, match="more than 150 bytes"):
        unzip(archive(("a", b"x" * 100), ("b", b"x" * 100)), max_bytes=150)


def test_too_many_files_are_refused() -> None:
    with pytest.raises(MetadataError, match="the archive has 3 files; more than 2 are not read"):
        unzip(archive(("a", b""), ("b", b""), ("c", b"")), max_files=2)


def test_a_duplicate_file_name_is_refused() -> None:
    with pytest.raises(MetadataError, match="the archive has a twice"):
        unzip(archive(("a", b"1"), ("a", b"2")))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", archive(("a", b"x" * 99))[:-30]])
def test_an_invalid_archive_is_refused(data: bytes) -> None:
    with pytest.raises(MetadataError, match="the archive cannot be read"):
        unzip(data)


def test_a_damaged_file_in_an_archive_is_refused() -> None:
    data = bytearray(archive(("a", bytes(range(256)) * 8)))
    data[40] ^= 0xFF
    with pytest.raises(MetadataError):
        unzip(bytes(data))
