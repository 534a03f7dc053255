"""The linter: offline checks of a config that loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sfcode.checks.lint import confidential, delivery_chain, names, recipes, rights, unused
from sfcode.checks.rules import as_rule
from sfcode.checks.snapshot import Folder, Generate, Snapshot, build_snapshot
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.desired import Desired

__all__ = ["lint", "lint_advice", "lint_config"]

_CHECKS = (delivery_chain.check, rights.check, confidential.check, names.check, unused.check, recipes.check)

_RETIRED = {"to_appcues.trigger": "SF206", "integration_user.profile": "SF207"}
"""The rules of advice about features that Salesforce has retired, by path; other advice is SF002."""


def lint(snapshot: Snapshot) -> Iterator[Diagnostic]:
    """Run every rule on a project: the warnings of loader and generator, then the linter's own rules."""
    yield from lint_advice(snapshot.project, snapshot.desired)
    for check in _CHECKS:
        yield from check(snapshot)


def lint_advice(project: Project, desired: Desired) -> Iterator[Diagnostic]:
    """Return the warnings of loader and generator as diagnostics of their rules."""
    for advice in (*project.advice, *desired.advice):
        yield as_rule(_RETIRED.get(advice.path, "SF002"), advice)


def lint_config(project: Project, desired: Desired, config: Path, generate: Generate) -> tuple[Diagnostic, ...]:
    """Run every rule on the config folder, and return the diagnostics, the worst first. Reads the folder's files."""
    snapshot = build_snapshot(project, desired, Folder(config, config), generate)
    return tuple(
        sorted(lint(snapshot), key=lambda diagnostic: (-diagnostic.level, diagnostic.sort_key, diagnostic.rule))
    )
