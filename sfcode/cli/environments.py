"""The environments that an offline verb checks: the one of --env, or all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfcode.cli.invocation import Invocation
    from sfcode.config.project import Project
    from sfcode.diagnostics import Diagnostic
    from sfcode.mapping.desired import Desired


def generate_environments(invocation: Invocation) -> tuple[tuple[Project, Desired], ...]:
    """
    Load the project for the environment of --env, or for each one, and generate its components.

    Raises:
        ConfigError: The project is invalid in some environment; each problem is listed once.

    """
    from sfcode.checks.snapshot import Folder, environments
    from sfcode.config import load
    from sfcode.errors import ConfigError
    from sfcode.generate import generate
    from sfcode.metadata.objects import standard

    names = (invocation.env,) if invocation.env else environments(Folder(invocation.config, invocation.config))
    loaded: list[tuple[Project, Desired]] = []
    problems: list[Diagnostic] = []
    for name in names:
        try:
            project = load(invocation.config, name or None)
            loaded.append((project, generate(project, standard())))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return tuple(loaded)
