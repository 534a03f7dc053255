"""A file is written completely or not at all."""

from __future__ import annotations

import errno
import os

import pytest

from sfcode.atomic_write import write_together, write_whole
from sfcode.errors import Refused


def test_a_file_is_replaced_and_keeps_its_mode_and_its_link(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, "new", "it")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "real.txt"]


def test_a_link_to_itself_is_replaced(tmp_path):
    link = tmp_path / "plan.json"
    link.symlink_to(link.name)
    write_whole(link, "new", "it")
    write_together({link: "newer"})
    assert [path.read_text() for path in tmp_path.iterdir()] == ["newer"]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    path.write_text("old")

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="plan.json: the plan cannot be saved: No space left on device"):
        write_whole(path, "new", "the plan")
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]
    assert path.read_text() == "old"


def test_a_full_disk_is_distinguished_from_a_wrong_path(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(Refused) as full:
        write_whole(tmp_path / "plan.json", "new", "the plan")
    assert full.value.hint == "Free space on its disk, or pass a file on another one."


def test_of_files_that_are_written_together_all_are_written_or_none(tmp_path):
    old, link = tmp_path / "config" / "old.yaml", tmp_path / "link.yaml"
    old.parent.mkdir()
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    files = {
        link: "new",
        tmp_path / "a" / "b" / "c.yaml": b"bytes",
        tmp_path / "config" / ("n" * 300): "too long a name",
    }
    with pytest.raises(OSError, match="File name too long") as refused:
        write_together(files)
    assert refused.value.filename == str(tmp_path / "config" / ("n" * 300))
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "config",
        "config/old.yaml",
        "link.yaml",
    ]
    assert old.read_text() == "old"
    files.popitem()
    write_together(files)
    assert link.is_symlink()
    assert (old.read_text(), old.stat().st_mode & 0o777) == ("new", 0o640)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c.yaml"]


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(Refused, match="No such file or directory"):
        write_whole(tmp_path / "no" / "plan.json", "x", "the plan")


def test_a_pipe_is_written_to_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text", "it")
    assert os.read(end, 100) == b"text"
    os.close(end)
