"""Which commit of the config is applied."""

from __future__ import annotations

from pathlib import Path


def revision(folder: Path) -> str | None:
    """Return the commit that is checked out, `-dirty` behind it when the folder differs from it; None outside git."""
    # GitPython looks for the git program when it is imported; a machine without one has no revision.
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        with Repo(folder, search_parent_directories=True) as repo:
            commit = repo.head.commit.hexsha
            here = str(folder.resolve())
            dirty = bool(repo.git.status("--porcelain", "--", here))
    except (GitError, ValueError):  # ValueError: a repository without a commit
        return None
    return f"{commit}-dirty" if dirty else commit
