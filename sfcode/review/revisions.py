"""Review two commits: the only module of the review that reads git and files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from sfcode.checks import snapshot
from sfcode.checks.snapshot import Folder, Generate, Snapshot
from sfcode.config.files import SETTINGS
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError, UsageError
from sfcode.git import DEEPEN, GitFailed, Repository, open_repository
from sfcode.lazy_dataclasses import dataclass
from sfcode.review.model import ReviewReport, Revision
from sfcode.review.review import review

WORK_TREE = "the work tree"


def compare_revisions(
    generate: Generate,
    config: Path,
    base: str,
    head: str | None = None,
    *,
    environment: str | None = None,
    direct: bool = False,
) -> ReviewReport:
    """
    Review the changes of head since its merge base with base.

    `head` is a commit, or None for the work tree. `direct` compares with base itself instead of the merge base.
    `generate` creates the components of each side. Raises GitFailed if the commits cannot be read, and ConfigError if
    head has no config; problems inside the configs are part of the review.
    """
    repository = open_repository(config)
    place = _place(repository, config)
    head_commit = repository.resolve_commit(head or "HEAD")
    start, notes = _start(repository, base, head or "HEAD", head_commit, direct=direct)
    name = Path(_display_folder(repository, place))
    with ExitStack() as open_:
        if head is None:
            after = Folder(config, name)
            to = Revision(WORK_TREE)
        else:
            after = open_.enter_context(_write_project(repository, head_commit, place, name))
            to = Revision(head, head_commit)
        before = open_.enter_context(_write_project(repository, start.commit, place, name))
        if head is not None and not after.path.exists():
            raise ConfigError(
                [
                    Diagnostic.error(
                        None, str(name), f"the folder does not exist in {to}", "pass another folder with --config"
                    )
                ]
            )
        if not before.path.exists() and (former := _find_former_place(repository, start.commit, head, after)):
            before = open_.enter_context(_write_project(repository, start.commit, former, name))
            notes.append(f"{name} is {former} in {start}; the two folders were compared.")
        old, new = _sides(before, after, environment, generate)
    if not old.there:
        notes.append(f"{name} does not exist in {start}: everything is new.")
    elif old.problems and not old.snapshots:
        notes.append(f"{name} does not load in {start}: everything is shown as if it were new.")
    return review(
        old.snapshots,
        new.snapshots,
        revisions=(start, to),
        environments=new.environments,
        base_environments=old.environments,
        problems=new.problems,
        base_problems=old.problems,
        notes=tuple(notes),
        folder=_current_folder(repository),
    )


@dataclass(frozen=True)
class _Side:
    snapshots: dict[str, Snapshot]
    problems: tuple[Diagnostic, ...] = ()
    environments: tuple[str, ...] = ()
    there: bool = True


def _sides(before: Folder, after: Folder, environment: str | None, generate: Generate) -> tuple[_Side, _Side]:
    """Load both sides for the selected environment, or for all environments of head."""
    defined = snapshot.environments(after)
    names = (environment,) if environment else defined
    head = _Side(*snapshot.load_all(after, names, generate), defined)
    if not before.path.exists():
        return _Side({}, there=False), head
    try:
        base_environments = snapshot.environments(before)
    except ConfigError as error:
        return _Side({}, error.problems), head
    partners = {name: partner for name in names if (partner := _partner(name, defined, base_environments)) is not None}
    # Without common environments the base is loaded only to report its problems.
    old, problems = snapshot.load_all(
        before, tuple(dict.fromkeys(partners.values())) or base_environments[:1], generate
    )
    return _Side(
        {name: old[base_name] for name, base_name in partners.items() if base_name in old}, problems, base_environments
    ), head


def _partner(name: str, defined: tuple[str, ...], base_environments: tuple[str, ...]) -> str | None:
    """Return the environment of the base to compare with one of head."""
    if name in base_environments:
        return name
    alone = len(base_environments) == 1 and (base_environments == (snapshot.DEFAULT,) or len(defined) == 1)
    return base_environments[0] if alone else None


def _start(
    repository: Repository, base: str, head: str, head_commit: str, *, direct: bool
) -> tuple[Revision, list[str]]:
    """Return the commit to compare with: the merge base, unless base itself is requested."""
    tip = repository.resolve_commit(base)
    if direct:
        return Revision(base, tip, "as asked for"), []
    merge_bases = repository.find_merge_bases(tip, head_commit)
    if not merge_bases:
        if repository.shallow:
            raise GitFailed(f"Where {head} left {base} is not in this clone.", DEEPEN)
        return Revision(base, tip), [f"{base} and {head} have no commit in common; compared with {base} itself."]
    notes = []
    if len(merge_bases) > 1:
        notes.append(
            f"{base} and {head} met more than once; compared with {merge_bases[0][:10]}, one of the last commits in common."
        )
    if merge_bases[0] == tip:
        return Revision(base, tip), notes
    return Revision(base, merge_bases[0], f"where {head} left {base}"), notes


def _place(repository: Repository, config: Path) -> PurePosixPath:
    """Return the config folder's path within the repository."""
    below = config.resolve().relative_to(repository.top.resolve())
    if not below.parts:
        raise UsageError(
            f"{config} is the top of the repository, and templates lie beside the config folder.",
            "Put the project's files into a folder of the repository.",
        )
    return PurePosixPath(*below.parts)


def _find_former_place(repository: Repository, commit: str, head: str | None, after: Folder) -> PurePosixPath | None:
    """
    Return the folder of the same project in a commit, if it was moved; None unless there is exactly one.

    A folder that head still has was copied, and not moved.
    """
    present_names = snapshot.identities(after)
    places = [path.parent for path in repository.find_files(commit, SETTINGS) if path.parent.name]
    if head is None:
        remaining = {place for place in places if (repository.top / place / SETTINGS).exists()}
    else:
        remaining = {path.parent for path in repository.find_files(repository.resolve_commit(head), SETTINGS)}
    former_places = []
    for place in places:
        if place not in remaining:
            with _write_project(repository, commit, place, Path(place)) as folder:
                former_places += [place] if present_names & snapshot.identities(folder) else []
    return former_places[0] if len(former_places) == 1 else None


def _current_folder(repository: Repository) -> str:
    """Return the current folder relative to the repository's top ("" at the top); absolute if it is outside."""
    try:
        return Path.cwd().resolve().relative_to(repository.top.resolve()).as_posix().removeprefix(".")
    except ValueError:
        return ""


def _display_folder(repository: Repository, place: PurePosixPath) -> Path:
    """Return the config folder as the user would write it: relative if it is below the current folder."""
    folder = repository.top.resolve() / place
    try:
        return folder.relative_to(Path.cwd().resolve())
    except ValueError:
        return folder


@contextmanager
def _write_project(repository: Repository, commit: str, place: PurePosixPath, name: Path) -> Iterator[Folder]:
    """Write the project of a commit to a temporary folder."""
    templates = place.parent / "templates" / "metadata"
    files = repository.read_files(commit, (place, templates))
    with tempfile.TemporaryDirectory(prefix="sfcode-review-") as temporary:
        for path, data in files.items():
            target = Path(temporary, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        yield Folder(Path(temporary, place), name)
