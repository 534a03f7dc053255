"""Findings outside a review: what the linter says of one state of the config, and what a plan has found in the org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sfcode.checks.lint import lint
from sfcode.checks.rules import RULES, Rule
from sfcode.checks.snapshot import Folder, Snapshot, texts
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Position
from sfcode.generate.desired import Desired, Origin
from sfcode.plan.plan import Plan, Refusal
from sfcode.review.model import Finding, Level

PLAN_RULES = {
    **RULES,
    **{
        rule.id: rule
        for rule in (
            Rule("SF301", "plan-refused", Level.ERROR, "The plan is refused until somebody says that it is meant."),
            Rule("SF302", "plan-warning", Level.WARNING, "The plan has found something that deserves a look."),
            Rule("SF303", "org-refuses", Level.ERROR, "The org does not take the package."),
        )
    },
}
"""Those of the linter, and SF3: what only an org can tell."""


def of_config(project: Project, desired: Desired, config: Path) -> tuple[Finding, ...]:
    """Apply the linter to a config as it is."""
    side = Snapshot(project, desired, texts(Folder(config, config)))
    return tuple(sorted(lint(side), key=lambda finding: (-finding.level, finding.problem.sort_key, finding.rule)))


def of_plan(plan: Plan, desired: Desired, config: Path) -> Iterator[Finding]:
    """Give what a plan refuses and warns of, at the line that asks for it, else at the top of the settings."""
    for refusal in plan.refusals:
        yield _refused(refusal, desired.origins, config)
    known = {str(problem) for problem in desired.advice}
    for warning in plan.warnings:
        if warning not in known:
            yield _finding("SF302", Diagnostic.error(None, str(config / "sfcode.yaml"), warning))


def of_failures(problems: Iterable[Diagnostic], config: Path) -> Iterator[Finding]:
    """Give what the org has said of a package that it checked."""
    for problem in problems:
        path = problem.path if problem.position else str(config / "sfcode.yaml")
        yield _finding("SF303", Diagnostic.error(problem.position, path, problem.message, problem.hint))


def _refused(refusal: Refusal, origins: Sequence[Origin], config: Path) -> Finding:
    found = next((one for one in origins if one.address == refusal.address and not one.token), None)
    where = f"{refusal.address} {refusal.reason}" if refusal.address else refusal.reason
    position: Position | None = found.position if found else None
    path = found.path if found else str(config / "sfcode.yaml")
    return _finding("SF301", Diagnostic.error(position, path, where, refusal.hint))


def _finding(rule: str, problem: Diagnostic) -> Finding:
    level = PLAN_RULES[rule].level
    return Finding(rule, level, problem.position, problem.path, problem.message, problem.hint)
