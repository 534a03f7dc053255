"""The refusals and warnings of a plan, and the org's messages about a package, as diagnostics on YAML lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from sfcode.checks.rules import as_rule, report
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.desired import Desired
from sfcode.mapping.place import Place
from sfcode.plan.plan import Plan, Refusal


def diagnose_plan(plan: Plan, desired: Desired, config: Path) -> Iterator[Diagnostic]:
    """Return the refusals and warnings of a plan, each at its YAML line, otherwise at the settings file."""
    settings = str(config / "sfcode.yaml")
    for refusal in plan.refusals:
        yield _diagnose_refusal(refusal, desired, settings)
    advice = {str(problem) for problem in desired.advice}
    for warning in plan.warnings:
        if warning not in advice:
            yield report("SF302", settings, warning)


def diagnose_failures(problems: Iterable[Diagnostic], config: Path) -> Iterator[Diagnostic]:
    """Return the org's messages about a package, each at its YAML line, otherwise at the settings file."""
    for problem in problems:
        path = problem.path if problem.position else str(config / "sfcode.yaml")
        yield as_rule("SF303", replace(problem, path=path))


def _diagnose_refusal(refusal: Refusal, desired: Desired, settings: str) -> Diagnostic:
    origin = desired.find_origin(refusal.address) if refusal.address else None
    message = f"{refusal.address} {refusal.reason}" if refusal.address else refusal.reason
    place = Place(origin.position, origin.path) if origin else settings
    return report("SF301", place, message, refusal.hint)
