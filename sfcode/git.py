"""
Read git repositories: through GitPython, or with the git program for the commit of an apply. No other module does.

Nothing is checked out and no index is written, so uncommitted changes and bare repositories are no problem. GitPython
is imported when the first repository is read. It runs the git program; programs that a repository's config would
start (hooks, a file system monitor) are disabled. The reasons: docs/decisions/0030-git-through-gitpython.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sfcode.errors import SfcodeError
from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from git import Git
    from git.exc import GitCommandError

MAX_BYTES = 2_000_000
"""The largest file that is read, in bytes: config and templates are far smaller."""

DEEPEN = (
    "This clone is shallow: it lacks older commits. In a GitHub workflow give actions/checkout "
    "`fetch-depth: 0`; elsewhere run `git fetch --unshallow`."
)

_POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""Variables that git sets for hooks. They would make git ignore the folder that is passed to it."""

_INERT = {"c": ["core.fsmonitor=false", "core.hooksPath=/dev/null"]}
"""Git options that disable programs from a repository's config."""

_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
_HEAD = "# branch.oid "
"""The beginning of the line with the commit in the output of `git status`."""


class GitFailed(SfcodeError):
    """Raised when git failed or is not installed."""


@dataclass(frozen=True)
class Repository:
    """A repository, bare or not."""

    top: Path
    """The work tree's folder; of a bare repository the repository itself."""
    bare: bool
    shallow: bool

    def resolve_commit(self, name: str) -> str:
        """
        Return the commit ID of a revision.

        Raises:
            GitFailed: There is no such commit; the hint explains how to fetch it.

        """
        if not name or name.startswith("-"):
            raise GitFailed(f"{name!r} is not the name of a commit.", "Pass a branch, a tag or a commit.")
        remote = f"origin/{name}"
        with _run_in(self.top) as git:
            commit = _find_commit(git, name)
            if commit:
                return commit
            if _find_commit(git, remote):
                hint = f"This clone has it as {remote}: pass --base {remote}, or `git fetch origin {name}:{name}`."
            elif self.shallow:
                hint = DEEPEN
            else:
                hint = "Check the name with `git log`, or fetch the branch: `git fetch origin`."
        raise GitFailed(f"There is no commit {name} in this repository.", hint)

    def find_merge_bases(self, first: str, second: str) -> tuple[str, ...]:
        """Return the merge bases of two commits: usually one, several after criss-cross merges."""
        from git.exc import GitCommandError

        with _run_in(self.top) as git:
            try:
                return tuple(str(git.merge_base("--all", first, second)).split())
            except GitCommandError as error:
                if error.status == 1:  # no common ancestor
                    return ()
                raise

    def read_files(self, commit: str, folders: Iterable[PurePosixPath]) -> dict[PurePosixPath, bytes]:
        """
        Return the files below some folders of a commit, by path.

        Links are followed within the commit, and left out if they lead out of it; submodules and files of more
        than MAX_BYTES are left out.
        """
        with _run_in(self.top) as git:
            words = ("-r", "-z", "--full-tree", commit, "--", *map(str, folders))
            listing: bytes = git.ls_tree(*words, stdout_as_string=False, strip_newline_in_stdout=False)
            objects: dict[PurePosixPath, str] = {}
            for entry in listing.split(b"\0")[:-1]:
                about, _, raw = entry.partition(b"\t")
                mode, kind, object_id = about.decode().split()
                name = os.fsdecode(raw)
                if kind == "blob" and "\n" not in name:
                    objects[PurePosixPath(name)] = f"{commit}:{name}" if mode == "120000" else object_id
            return _read_objects(git, objects)

    def find_files(self, commit: str, name: str) -> tuple[PurePosixPath, ...]:
        """Return the paths of all files with a name in a commit."""
        with _run_in(self.top) as git:
            options = ("-r", "-z", "--full-tree", "--name-only", commit)
            listing: bytes = git.ls_tree(*options, stdout_as_string=False, strip_newline_in_stdout=False)
        paths = (PurePosixPath(os.fsdecode(raw)) for raw in listing.split(b"\0")[:-1])
        return tuple(path for path in paths if path.name == name)


def open_repository(folder: Path) -> Repository:
    """
    Open the repository that contains a folder, which need not exist.

    Raises:
        GitFailed: There is no repository, git is not installed, or git refuses to read it.

    """
    start = folder.absolute()
    while not start.is_dir():
        start = start.parent
    with _run_in(start, folder) as git:
        questions = ("--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir")
        bare, shallow, directory = git.rev_parse(*questions).splitlines()
        top = directory if bare == "true" else git.rev_parse("--show-toplevel")
    return Repository(Path(top), bare=bare == "true", shallow=shallow == "true")


def describe_revision(folder: Path) -> str | None:
    """Return the checked-out commit, with `-dirty` if the folder differs from it; None outside git."""
    lines = _read_status(folder).splitlines()
    commit = next((line.removeprefix(_HEAD) for line in lines if line.startswith(_HEAD)), "(initial)")
    if commit == "(initial)":  # no commit yet, or no repository
        return None
    return commit if all(line.startswith("#") for line in lines) else f"{commit}-dirty"


def _read_status(folder: Path) -> str:
    """Return the output of `git status` for a folder in its format for programs; "" if git fails."""
    words = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--", str(folder.resolve()))
    if sys.platform == "win32":  # Windows would also run a git program of the current folder; GitPython prevents it
        try:
            with _run_in(folder) as git:
                return str(git.status(*words[1:]))
        except GitFailed:
            return ""
    options = [word for option in _INERT["c"] for word in ("-c", option)]
    environment = {name: value for name, value in os.environ.items() if name not in _POINTERS}
    try:
        # Importing GitPython takes longer than all requests of an apply.
        run = subprocess.run(
            ["git", *options, *words],
            cwd=folder,
            env={**environment, **_ENVIRONMENT},
            capture_output=True,
            check=False,
        )
    except OSError:
        return ""
    return "" if run.returncode else run.stdout.decode("utf-8", "replace")


@dataclass(frozen=True)
class Checkout:
    """The commit that a folder is checked out from."""

    commit: str
    top: Path
    """The folder of the work tree."""
    dirty: bool
    """Whether the folder differs from the commit."""
    remote: str = ""
    """The URL of a remote with the commit; empty if none is known."""


def find_checkout(folder: Path) -> Checkout | None:
    """Return the commit that is checked out in a folder; None outside git, and before the first commit."""
    try:
        with _run_in(folder) as git:
            commit = _find_commit(git, "HEAD")
            if not commit:
                return None
            dirty = bool(git.status("--porcelain", "--", str(folder.resolve())))
            top = Path(git.rev_parse("--show-toplevel")).resolve()
            # CI systems fetch the commit of a pull request or pipeline under a special reference.
            fetched = git.for_each_ref("--contains", commit, "--count=1", "refs/remotes", "refs/pipelines")
            names = sorted(git.remote().split(), key=lambda name: name != "origin") if fetched else []
            return Checkout(commit, top, dirty, git.remote("get-url", names[0]) if names else "")
    except GitFailed:
        return None


def find_default_branch(folder: Path) -> str:
    """Return the default branch of a clone's remote, else the only branch; "" if it is not known."""
    start = folder.absolute()
    while not start.is_dir():
        start = start.parent
    try:
        with _run_in(start) as git:
            remote = git.for_each_ref("--format=%(symref:lstrip=3)", "refs/remotes/origin/HEAD")
            branches = git.for_each_ref("--format=%(refname:lstrip=2)", "refs/heads").splitlines()
            unborn = [] if branches else [git.symbolic_ref("--short", "HEAD")]
    except GitFailed:
        return ""
    candidates = [remote] if remote else [*branches, *unborn]
    return str(candidates[0]) if len(candidates) == 1 else ""


def find_pushed_commit(folder: Path) -> tuple[str, str, str]:
    """
    Return where others can fetch a folder: URL of the remote, commit, path in the repository.

    Raises:
        GitFailed: The folder is in no repository, differs from its commit, or its commit is on no remote branch.

    """
    with _run_in(folder) as git:
        if git.status("--porcelain", "--", str(folder.resolve())):
            raise GitFailed(f"{folder} has changes that are not committed.")
        commit = _find_commit(git, "HEAD")
        for name in sorted(git.remote().split(), key=lambda name: name != "origin"):
            if commit and git.for_each_ref("--contains", commit, "--count=1", f"refs/remotes/{name}"):
                path = git.rev_parse("--show-prefix").rstrip("/")
                return git.remote("get-url", name), commit, path
    raise GitFailed(f"Commit {commit[:12] or 'HEAD'} of {folder} is not pushed to a remote.")


@contextmanager
def _run_in(folder: Path, display_name: Path | None = None) -> Iterator[Git]:
    """Run git in a folder, with `display_name` as its name in messages. Raises GitFailed with git's own message."""
    try:
        from git import Git
        from git.exc import GitCommandError, GitCommandNotFound
    except ImportError as error:  # GitPython looks for the git program when it is imported
        raise _not_installed() from error
    pointers = {name: os.environ.pop(name) for name in _POINTERS if name in os.environ}
    try:
        git = Git(str(folder))
        git.set_persistent_git_options(**_INERT)
        git.update_environment(**_ENVIRONMENT)
        yield git
    except GitCommandNotFound as error:
        raise _not_installed() from error
    except GitCommandError as error:
        raise _git_error(error, display_name or folder) from error
    finally:
        os.environ.update(pointers)


def _find_commit(git: Git, name: str) -> str:
    """Return the ID of a commit, or an empty text."""
    from git.exc import GitCommandError

    try:
        return str(git.rev_parse("--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))
    except GitCommandError as error:
        if error.status == 1:
            return ""
        raise


def _read_objects(git: Git, objects: dict[PurePosixPath, str]) -> dict[PurePosixPath, bytes]:
    """Read objects by ID, or links by `commit:path`, in one run of git."""
    with tempfile.TemporaryFile() as names:
        names.write(os.fsencode("".join(f"{name}\n" for name in objects.values())))
        names.seek(0)
        answer: bytes = git.cat_file(
            "--batch", "--follow-symlinks", istream=names, stdout_as_string=False, strip_newline_in_stdout=False
        )
    contents: dict[PurePosixPath, bytes] = {}
    start = 0
    for path in objects:
        end = answer.index(b"\n", start)
        words = answer[start:end].split(b" ")
        start = end + 1
        if words[-1].isdigit():  # an object; or, for a link out of the commit, its target
            size = int(words[-1])
            if words[1] == b"blob" and size <= MAX_BYTES:
                contents[path] = answer[start : start + size]
            start += size + 1
        elif words[-1] == b"missing":
            raise GitFailed(f"Git cannot read {path} of this commit.", "Fetch the missing commits: git fetch")
    return contents


def _not_installed() -> GitFailed:
    return GitFailed("The program git was not found.", "Install git, which sfcode needs to read commits.")


def _git_error(error: GitCommandError, folder: Path) -> GitFailed:
    """Return git's own message, for example about a repository of another owner."""
    message = str(error.stderr).strip().removeprefix("stderr: ").strip("'").strip()
    if "not a git repository" in message:
        return GitFailed(
            f"{folder} is not in a git repository.",
            "A review compares two commits: run it in a clone, or pass a config folder in a clone with --config.",
        )
    verb = next((word for word in error.command[1:] if word[0] != "-" and "=" not in word), "")
    return GitFailed(f"git {verb} failed: {message or f'exit code {error.status}'}")
