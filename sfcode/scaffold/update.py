"""The update of an existing project: its workflows, the action that installs sfcode, and the schemas for editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sfcode.atomic_write import write_whole
from sfcode.errors import UsageError
from sfcode.lazy_dataclasses import dataclass
from sfcode.scaffold import ACTION, BRANCH, PREFIX, WorkflowNames, render_project

APPLY = ".github/workflows/apply.yml"
UPDATED = (".github/", "config/.schema/")
"""Files below these folders belong to sfcode; everything else in a project is the user's."""
_BRANCH = re.compile(rf"refs/heads/({BRANCH})")
_PREFIX = re.compile(rf"secrets\.({PREFIX})_SF_")


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """A file whose content differs from this version's; `before` is None for a file that does not exist."""

    path: Path
    before: bytes | None
    after: bytes


def plan_update(folder: Path, branch: str | None, prefix: str | None) -> tuple[tuple[FileUpdate, ...], tuple[str, ...]]:
    """
    Compare a project's files with those that this version writes; return the differences, and warnings.

    The branch and the prefix of secrets are read from the project's workflows, unless they are passed.

    Raises:
        UsageError: The folder has no workflows of sfcode, or a name cannot be used in them.

    """
    workflow = _read(folder, APPLY)
    if workflow is None:
        raise UsageError(
            f"{folder / APPLY} does not exist, so there is nothing to update.",
            "Pass the folder of a project that `sfcode init` wrote.",
        )
    text = workflow.decode("utf-8", "replace")
    names = WorkflowNames(branch or _find(_BRANCH, text, "main"), prefix or _find(_PREFIX, text, "PROD"))
    files, warnings = render_project((), names)
    return tuple(_compare(folder, files, keep_source=bool(warnings))), () if _is_pinned(folder) else warnings


def _compare(folder: Path, files: Mapping[str, str | bytes], *, keep_source: bool) -> list[FileUpdate]:
    updates = []
    for name, content in sorted(files.items()):
        if not name.startswith(UPDATED) or (
            keep_source and name == f"{ACTION}/requirements.txt" and _is_pinned(folder)
        ):
            continue
        before = _read(folder, name)
        after = content.encode() if isinstance(content, str) else content
        if before != after:
            updates.append(FileUpdate(folder / name, before, after))
    return updates


def _is_pinned(folder: Path) -> bool:
    """Return whether the project has a pinned source of sfcode, which an update without a known source keeps."""
    text = _read(folder, f"{ACTION}/requirements.txt") or b""
    return b"\n!!" not in text and b"sfcode" in text


def _find(pattern: re.Pattern[str], text: str, default: str) -> str:
    match = pattern.search(text)
    return match[1] if match else default


def _read(folder: Path, name: str) -> bytes | None:
    """Return the content of a project's file; None if it does not exist. Refuses symbolic links."""
    path = folder / name
    for part in (path, *path.parents):
        if part == folder:
            break
        if part.is_symlink():
            raise UsageError(f"{part} is a symbolic link, which is not updated.", "Replace it by a file or a folder.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Check the path and its rights.") from error


def write_update(updates: tuple[FileUpdate, ...]) -> None:
    """Write the files. Raises Refused for a file that cannot be written."""
    for update in updates:
        update.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(update.path, update.after, "the updated file")
