"""Git, through GitPython: the one module of sfcode that reads repositories."""

from __future__ import annotations

from pathlib import Path

from sfcode.errors import SfcodeError


class GitFailed(SfcodeError):
    """Git could not answer."""


def find_pushed_commit(folder: Path) -> tuple[str, str, str]:
    """
    Return where others can fetch the content of a folder: URL of the remote, commit, path of the folder in it.

    Raises:
        GitFailed: the folder is in no repository, differs from its commit, or its commit is on no remote branch.

    """
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError as error:  # GitPython looks for the git program when it is imported
        raise GitFailed("the program git was not found") from error
    try:
        with Repo(folder, search_parent_directories=True) as repo:
            if repo.git.status("--porcelain", "--", str(folder.resolve())):
                raise GitFailed(f"{folder} holds changes that are not committed")
            commit = repo.head.commit.hexsha
            remotes = [remote.name for remote in repo.remotes]
            for name in sorted(remotes, key=lambda name: name != "origin"):
                if repo.git.for_each_ref("--contains", commit, "--count=1", f"refs/remotes/{name}"):
                    path = folder.resolve().relative_to(Path(str(repo.working_tree_dir)).resolve())
                    return repo.git.remote("get-url", name), commit, path.as_posix().removeprefix(".")
            raise GitFailed(f"commit {commit[:12]} of {folder} is not pushed to a remote")
    except (GitError, ValueError) as error:  # ValueError: a repository without a commit
        raise GitFailed(f"{folder} is not a git repository with a commit") from error
