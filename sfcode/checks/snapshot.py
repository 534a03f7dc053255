"""One side of a review in one environment: the project, its components, and its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from sfcode.checks.granted_rights import Rights, rights_of
from sfcode.config import Project, load
from sfcode.config.files import read_files, shipped_templates
from sfcode.config.models import Settings
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.mapping import naming
from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address
from sfcode.metadata.objects import OrgSchema, standard

Generate = Callable[[Project, OrgSchema], Desired]
"""Generates the components of a project: `sfcode.generate.generate`, which the checks must not import."""

_TEMPLATE = re.compile(r"templates/metadata/([^/]+)\.xml\.j2$")

DEFAULT = ""
"""The name of the environment of a project without environments."""


@dataclass(frozen=True)
class Snapshot:
    """A project in one environment at one commit: its values, components and texts."""

    project: Project
    desired: Desired
    plain: Desired | None = None
    """The components that sfcode's own templates generate; None if the project has no templates that differ from them."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The texts of config files and templates, by the paths in positions."""

    @cached_property
    def _templates(self) -> dict[str, str]:
        """The project's own templates by metadata type."""
        matches = (_TEMPLATE.search(name) for name in self.texts)
        return {match[1]: match.string for match in matches if match}

    @property
    def integration_set(self) -> Address:
        """The address of the integration user's permission set."""
        return Address("PermissionSet", self.project.integration_set)

    @cached_property
    def integration_rights(self) -> Rights:
        """The permissions that the integration user's permission set grants."""
        return rights_of(self.desired.by_address.get(self.integration_set))

    @cached_property
    def viewer_rights(self) -> Rights:
        """The permissions that the viewers' permission set grants."""
        viewer_set = naming.viewer_set(self.project.settings.name)
        return rights_of(self.desired.by_address.get(Address("PermissionSet", viewer_set)))

    def template(self, type_: str) -> str | None:
        """Return the project's own template of a metadata type; None if sfcode's is used."""
        return self._templates.get(type_)

    def template_line(self, type_: str, piece: str) -> Position | None:
        """Return the line of a text in the project's own template; the first line if it does not contain it."""
        name = self.template(type_)
        if name is None:
            return None
        before, separator, _ = self.texts[name].partition(piece)
        last = before.rpartition("\n")[2]
        return Position(name, before.count("\n") + 1, len(last) + 1) if separator else Position(name, 1, 1)


@dataclass(frozen=True)
class Folder:
    """A config folder: its path, and its name in messages."""

    path: Path
    name: Path

    @property
    def templates(self) -> Path:
        """The folder of the project's own templates."""
        return self.path.resolve().parent / "templates" / "metadata"

    def display(self, path: str) -> str:
        """Return the path of a template as the user would write it."""
        try:
            below = Path(path).relative_to(self.templates)
        except ValueError:
            return path
        return str(self.name.parent / "templates" / "metadata" / below)


def take_snapshot(project: Project, folder: Folder, generate: Generate) -> Snapshot:
    """Generate the components of a project. Raises ConfigError with all problems, with template paths as the user would write them."""
    try:
        desired = generate(project, standard())
    except ConfigError as error:
        raise ConfigError(_rename_position(problem, folder) for problem in error.problems) from None
    return build_snapshot(project, desired, folder, generate)


def build_snapshot(project: Project, desired: Desired, folder: Folder, generate: Generate) -> Snapshot:
    """Return the snapshot of a project from its generated components. Reads the files of the folder."""
    files = texts(folder)
    differs = any(_TEMPLATE.search(name) for name in files)
    plain = generate(replace(project, templates=None), standard()) if differs else None
    return Snapshot(project, desired, plain, files)


def texts(folder: Folder) -> dict[str, str]:
    """Read the config files and templates of a project; return their texts by path."""
    paths = {}
    for path in (*folder.path.glob("*.yaml"), *folder.path.glob("mappings/*.yaml")):
        paths[str(folder.name / path.relative_to(folder.path))] = path
    for path in folder.templates.glob("*.j2"):
        shipped = shipped_templates() / path.name
        if not shipped.is_file() or shipped.read_bytes() != path.read_bytes():  # not an unchanged copy
            paths[folder.display(str(path))] = path
    return {name: path.read_text(encoding="utf-8", errors="replace") for name, path in sorted(paths.items())}


def environments(folder: Folder) -> tuple[str, ...]:
    """List the environments of a project; an unnamed one if it defines none."""
    document = read_files(folder.path, folder.name).settings
    node = document.get(("environments",)) if document else None
    return tuple(map(str, node)) if isinstance(node, dict) and node else (DEFAULT,)


def identities(folder: Folder) -> frozenset[str]:
    """Return the names by which a project is recognized, in lower case: `id` or name, and the former name."""
    try:
        document = read_files(folder.path, folder.name).settings
    except ConfigError:
        document = None
    if document is None:
        return frozenset()
    name = document.get(("name",)) or Settings.model_fields["name"].default
    names = (document.get(("id",)) or name, document.get(("moved", "name")))
    return frozenset(name.lower() for name in names if isinstance(name, str))


def load_all(
    folder: Folder, environments: tuple[str, ...], generate: Generate
) -> tuple[dict[str, Snapshot], tuple[Diagnostic, ...]]:
    """Load a project for several environments. Return the snapshots of valid ones, and the problems of the others."""
    snapshots: dict[str, Snapshot] = {}
    problems: list[Diagnostic] = []
    for name in environments:
        try:
            snapshots[name] = take_snapshot(load(folder.path, name or None, name=folder.name), folder, generate)
        except ConfigError as error:
            problems.extend(error.problems)
    return snapshots, tuple(dict.fromkeys(problems))


def _rename_position(problem: Diagnostic, folder: Folder) -> Diagnostic:
    if problem.position is None:
        return problem
    position = Position(folder.display(problem.position.file), problem.position.line, problem.position.column)
    return Diagnostic.error(position, problem.path, problem.message, problem.hint)
