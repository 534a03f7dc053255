"""The files of a project: where they are searched, and the problems of missing ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.errors import ConfigError
from tests.config.projects import CONTACT, Folder


def test_a_missing_folder_names_init(folder: Folder) -> None:
    shutil.rmtree(folder.path)
    assert folder.problems() == [
        "config: the folder does not exist; run `sfcode init` to write a project, or pass its config folder with --config"
    ]


def test_a_folder_without_settings_names_init(folder: Folder) -> None:
    (folder.path / "sfcode.yaml").unlink()
    assert folder.problems() == [
        "config/sfcode.yaml: the file does not exist; run `sfcode init` to write one, or pass another folder with --config"
    ]


def test_a_project_without_mappings_is_refused_with_the_way_to_begin(folder: Folder) -> None:
    shutil.rmtree(folder.path / "mappings")
    assert folder.problems() == [
        (
            "config/mappings: the project has no mapping; add a mapping, such as contact.yaml; `sfcode init` in an empty folder "
            "writes an example"
        )
    ]


def test_files_that_sfcode_would_ignore_are_problems(folder: Folder) -> None:
    folder.write("mappings/lead.yml", CONTACT)
    folder.write("mappings/more/account.yaml", CONTACT)
    assert folder.problems() == [
        "config/mappings/lead.yml: the names of mappings end in .yaml; rename it to lead.yaml",
        "config/mappings/more/account.yaml: a mapping cannot be in a sub-folder; move it to mappings/",
    ]


def test_a_folder_in_the_place_of_a_file_is_a_problem(folder: Folder) -> None:
    (folder.path / "mappings" / "contact.yaml").unlink()
    (folder.path / "mappings" / "contact.yaml").mkdir()
    assert folder.problems() == ["config/mappings/contact.yaml: cannot be read: Is a directory; check the file"]


def test_a_link_to_itself_in_the_place_of_a_file_is_a_problem(folder: Folder) -> None:
    mapping = folder.path / "mappings" / "contact.yaml"
    mapping.unlink()
    mapping.symlink_to(mapping.name)
    reason = "cannot be read: Too many levels of symbolic links; check the file"
    assert folder.problems() == [f"config/mappings/contact.yaml: {reason}"]


def test_a_pipe_in_the_place_of_a_file_is_a_problem_and_is_not_awaited(folder: Folder) -> None:
    mapping = folder.path / "mappings" / "contact.yaml"
    mapping.unlink()
    os.mkfifo(mapping)
    assert folder.problems() == ["config/mappings/contact.yaml: is not a regular file; check the file"]


def test_paths_are_shown_relative_to_the_current_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("mappings/contact.yaml", "")
    current_folder = Path.cwd()
    line = "mappings/contact.yaml:1:1: the file is empty; write `key: value` lines; `sfcode init` writes an example"
    with pytest.raises(ConfigError) as absolute:
        load(current_folder / "config")
    assert str(absolute.value) == f"config/{line}"
    (current_folder / "elsewhere").mkdir()
    monkeypatch.chdir(current_folder / "elsewhere")
    with pytest.raises(ConfigError) as above:
        load(Path("../config"))
    assert str(above.value) == f"../config/{line}"


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Folder) -> None:
    before = folder.load().digest
    folder.write("mappings/contact.yaml", b"\xef\xbb\xbf" + CONTACT.replace("\n", "\r\n").encode())
    assert folder.load().digest == before
    folder.write("mappings/contact.yaml", (CONTACT + "    plan: 7\n").replace("\n", "\r\n"))
    assert folder.problems()[0].startswith("config/mappings/contact.yaml:7:11: to_appcues.attributes.plan: ")
