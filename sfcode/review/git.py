"""
Read commits with the git program: which commit a name means, where two meet, and the files of one.

Nothing is checked out and no index is touched, so this works beside somebody's uncommitted work and
in a bare repository. Why the program and not a library: docs/decisions/0030-git-itself.md.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sfcode.errors import SfcodeError

MAX_BYTES = 2_000_000
"""The largest file that is read: config and templates are far smaller."""

_POINTING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Set by git for its hooks; they would lead away from the folder that is asked about."""

DEEPEN = (
    "This clone is shallow: it lacks older commits. In a GitHub workflow give actions/checkout "
    "`fetch-depth: 0`; elsewhere run `git fetch --unshallow`."
)


class GitFailed(SfcodeError):
    """Git could not answer."""


@dataclass(frozen=True)
class Repository:
    """A repository, bare or not."""

    top: Path
    """The work tree's folder; of a bare repository the repository itself."""
    bare: bool
    shallow: bool

    def commit(self, name: str) -> str:
        """Find the commit that a name means. Raises GitFailed with what to do where there is none."""
        if not name or name.startswith("-"):
            raise GitFailed(f"{name!r} is not the name of a commit.", "Name a branch, a tag or a commit.")
        found = _run(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
        raise GitFailed(f"There is no commit {name} in this repository.", self._hint(name))

    def _hint(self, name: str) -> str:
        remote = f"origin/{name}"
        if (
            _run(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{remote}^{{commit}}").returncode
            == 0
        ):
            return f"This clone has it as {remote}: say --base {remote}, or `git fetch origin {name}:{name}`."
        if self.shallow:
            return DEEPEN
        return "Check the name with `git log`, or fetch the branch: `git fetch origin`."

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        """List the best common ancestors of two commits: one as a rule, several after criss-cross merges."""
        found = _run(self.top, "merge-base", "--all", one, other)
        if found.returncode not in (0, 1):
            raise _failed("merge-base", found)
        return tuple(found.stdout.decode().split())

    def files(self, commit: str, folders: Iterable[PurePosixPath]) -> dict[PurePosixPath, bytes]:
        """
        Read all files below some folders of a commit.

        Links are followed within the commit and left out where they lead elsewhere; submodules are
        left out.
        """
        below = [str(folder) for folder in folders]
        listed = _checked(self.top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *below)
        wanted: dict[PurePosixPath, str] = {}
        for entry in listed.split(b"\0")[:-1]:
            about, _, raw = entry.partition(b"\t")
            mode, kind, object_id = about.decode().split()
            name = os.fsdecode(raw)
            if kind == "blob" and "\n" not in name:
                wanted[PurePosixPath(name)] = f"{commit}:{name}" if mode == "120000" else object_id
        return self._contents(wanted)

    def _contents(self, wanted: dict[PurePosixPath, str]) -> dict[PurePosixPath, bytes]:
        asked = "".join(f"{name}\n" for name in wanted.values())
        command = ("cat-file", "--batch", "--follow-symlinks")
        answer = _checked(self.top, *command, data=os.fsencode(asked))
        found: dict[PurePosixPath, bytes] = {}
        at = 0
        for path in wanted:
            end = answer.index(b"\n", at)
            words = answer[at:end].split(b" ")
            at = end + 1
            if words[-1].isdigit():  # an object, or a link that leads out of the commit, with its target
                size = int(words[-1])
                if words[1] == b"blob" and size <= MAX_BYTES:
                    found[path] = answer[at : at + size]
                at += size + 1
            elif words[-1] == b"missing":
                raise GitFailed(f"Git cannot read {path} of this commit.", "Fetch what this clone left out: git fetch")
        return found


def find(folder: Path) -> Repository:
    """Find the repository that a folder lies in. Raises GitFailed."""
    start = folder.absolute()
    while not start.is_dir():
        start = start.parent
    asked = ("--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir")
    found = _run(start, "rev-parse", *asked)
    if found.returncode:
        said = found.stderr.decode(errors="replace")
        if "not a git repository" in said:
            raise GitFailed(
                f"{folder} does not lie in a git repository.",
                "A review compares two commits: run it in a clone, or name a config folder in one with --config.",
            )
        raise _failed("rev-parse", found)
    bare, shallow, directory = found.stdout.decode().splitlines()
    if bare == "true":
        return Repository(Path(directory), bare=True, shallow=shallow == "true")
    top = _checked(start, "rev-parse", "--show-toplevel").decode().removesuffix("\n")
    return Repository(Path(top), bare=False, shallow=shallow == "true")


def _run(folder: Path, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if name not in _POINTING}
    environ.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0", GIT_LITERAL_PATHSPECS="1", GIT_TERMINAL_PROMPT="0")
    try:
        return subprocess.run(["git", *words], cwd=folder, env=environ, input=data, capture_output=True, check=False)
    except FileNotFoundError:
        raise GitFailed("The program git was not found.", "Install git: a review reads two of its commits.") from None


def _checked(folder: Path, *words: str, data: bytes = b"") -> bytes:
    done = _run(folder, *words, data=data)
    if done.returncode:
        raise _failed(words[0], done)
    return done.stdout


def _failed(verb: str, done: subprocess.CompletedProcess[bytes]) -> GitFailed:
    said = done.stderr.decode(errors="replace").strip()
    return GitFailed(f"git {verb} failed: {said or f'exit code {done.returncode}'}")
