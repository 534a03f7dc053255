"""Find and read the files of a project's config folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import sfcode
from sfcode.config.did_you_mean import find_nearest_name
from sfcode.config.document import Document
from sfcode.config.yaml import read
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError, UsageError
from sfcode.lazy_dataclasses import dataclass, field

SETTINGS = "sfcode.yaml"
EVENTS = "events.yaml"
RECIPES = "recipes.yaml"
MAPPINGS = "mappings"
CONFIG = "config"
"""The default name of a project's config folder."""
BEGINNINGS = ("sfcode.yml", MAPPINGS)
"""Entries by which a folder is recognized as a config folder even without sfcode.yaml."""


@dataclass
class Files:
    """The parsed files of a project, and the problems of files that could not be parsed."""

    settings: Document | None = None
    events: Document | None = None
    recipes: Document | None = None
    mappings: dict[str, Document] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    unread_file_warnings: list[Diagnostic] = field(default_factory=list)
    """Warnings about files that sfcode does not read."""


def find_config(start: Path) -> Path:
    """
    Return the config folder of a project, relative to `start`: `config` in it, or in the nearest folder above with one.

    The search ends at the top of a git work tree. Raises UsageError for a config folder above that belongs to another
    user.
    """
    for depth, folder in enumerate((start, *start.parents)):
        candidate = Path(*[os.pardir] * depth, CONFIG)
        settings = folder / CONFIG / SETTINGS
        if depth and settings.is_file() and hasattr(os, "getuid") and settings.stat().st_uid not in (0, os.getuid()):
            raise UsageError(
                f"{candidate / SETTINGS} belongs to another user.", f"Pass --config {candidate} to use it."
            )
        if settings.is_file() or (not depth and any((folder / CONFIG / name).exists() for name in BEGINNINGS)):
            return candidate
        if (folder / ".git").exists():
            break
    return Path(CONFIG)


def read_files(folder: Path, name: Path | None = None) -> Files:
    """
    Read all files; `name` is the folder in messages, if it differs from the real path.

    Raises ConfigError when there is no project at all.
    """

    def display(path: Path) -> str:
        return _display_path(name / path.relative_to(folder) if name else path)

    if not folder.is_dir():
        hint = "run `sfcode init` to write a project, or pass its config folder with --config"
        raise ConfigError([Diagnostic.error(None, display(folder), "the folder does not exist", hint)])
    if not (folder / SETTINGS).exists():
        misnamed_settings = folder / f"{Path(SETTINGS).stem}.yml"
        if misnamed_settings.exists():
            raise ConfigError(
                [
                    Diagnostic.error(
                        None, display(misnamed_settings), "sfcode does not read this file", f"rename it to {SETTINGS}"
                    )
                ]
            )
        hint = "run `sfcode init` to write one, or pass another folder with --config"
        raise ConfigError([Diagnostic.error(None, display(folder / SETTINGS), "the file does not exist", hint)])
    files = Files()
    files.settings = _read(folder / SETTINGS, files, display)
    if (folder / EVENTS).exists():
        files.events = _read(folder / EVENTS, files, display)
    if (folder / RECIPES).exists():
        files.recipes = _read(folder / RECIPES, files, display)
    files.unread_file_warnings.extend(_warn_of_unread_files(folder, display))
    before = len(files.problems)
    paths = _mapping_paths(folder, files, display)
    misnamed = len(files.problems) > before
    for path in paths:
        document = _read(path, files, display)
        if document:
            files.mappings[path.stem] = document
    if not paths and not misnamed:
        hint = "add a mapping, such as contact.yaml; `sfcode init` in an empty folder writes an example"
        files.problems.append(Diagnostic.error(None, display(folder / MAPPINGS), "the project has no mapping", hint))
    return files


def kind_of(path: Path) -> str | None:
    """Return the kind of a file, which is the name of its JSON Schema; None if it is not a file of a project."""
    if Path(os.path.realpath(path)).parent.name == MAPPINGS and path.suffix == ".yaml":
        return "mapping"
    return {SETTINGS: "sfcode", EVENTS: "events", RECIPES: "recipes"}.get(path.name)


def list_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """
    List the files of a project with their kinds.

    Raises ConfigError when there is no project at all.
    """
    read_files(folder)
    for path in (folder / SETTINGS, folder / EVENTS, folder / RECIPES, *sorted((folder / MAPPINGS).glob("*.yaml"))):
        kind = kind_of(path)
        if kind is not None and path.exists():
            yield path, kind


def _warn_of_unread_files(folder: Path, show: Callable[[Path], str]) -> Iterator[Diagnostic]:
    """Find YAML files that sfcode does not read, since a misspelled name would go unnoticed."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in below.parts)
        if is_hidden or path.suffix.lower() not in (".yaml", ".yml") or below.parts[0] == MAPPINGS:
            continue
        if str(below) not in (SETTINGS, EVENTS, RECIPES):
            if path.with_suffix(".yaml") == folder / SETTINGS:
                yield Diagnostic.advice(
                    None, show(path), "sfcode does not read this file", f"remove it: sfcode reads {SETTINGS}"
                )
                continue
            stems = [Path(name).stem for name in (EVENTS, RECIPES)]
            likely_name = find_nearest_name(path.stem, stems) if len(below.parts) == 1 else None
            hint = (
                f"rename it to {likely_name}.yaml"
                if likely_name
                else f"move a mapping to {MAPPINGS}/, or remove the file"
            )
            yield Diagnostic.advice(None, show(path), "sfcode does not read this file", hint)


def _display_path(path: Path) -> str:
    """Return a path as the user would type it: relative to the current folder if it is below it."""
    try:
        return str(Path(os.path.realpath(path)).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _read(path: Path, files: Files, show: Callable[[Path], str]) -> Document | None:
    try:
        document = read(path, show(path))
    except ConfigError as error:
        files.problems.extend(error.problems)
        return None
    files.problems.extend(document.problems)
    return document


def _mapping_paths(folder: Path, files: Files, show: Callable[[Path], str]) -> list[Path]:
    """List the mappings; report similar files that would be ignored silently."""
    mapping_paths = []
    for path in sorted((folder / MAPPINGS).rglob("*")):
        below = path.relative_to(folder / MAPPINGS)
        if any(part.startswith(".") for part in below.parts) or path.suffix.lower() not in (".yaml", ".yml"):
            continue
        if len(below.parts) > 1:
            files.problems.append(
                Diagnostic.error(None, show(path), "a mapping cannot be in a sub-folder", "move it to mappings/")
            )
        elif path.suffix != ".yaml":
            files.problems.append(
                Diagnostic.error(
                    None, show(path), "the names of mappings end in .yaml", f"rename it to {path.stem}.yaml"
                )
            )
        else:
            mapping_paths.append(path)
    return mapping_paths


def shipped_templates() -> Path:
    """Return the folder of sfcode's templates: in the installed package, or at the top of the repository."""
    package = Path(sfcode.__file__).parent
    installed = package / "templates" / "metadata"
    return installed if installed.is_dir() else package.parent / "templates" / "metadata"
