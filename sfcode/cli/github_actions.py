"""In a GitHub workflow: the answer once more, as the step's outputs, its summary and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import click

from sfcode.cli.output import describe
from sfcode.cli.run_result import Outcome
from sfcode.errors import ConfigError, ExitCode
from sfcode.github.actions_step import Step
from sfcode.github.redact import masked

VERBS = ("plan", "apply", "destroy", "rollback", "review", "github")
"""Whose answer a workflow goes on with."""

SUMMARY = 400_000
"""Characters for one report: GitHub takes a megabyte for a step, and a character may have several bytes."""


def hand_on(outcome: Outcome, code: int, environ: Mapping[str, str]) -> None:
    """Write outputs and summary where this is a step of a workflow, and only there; failures included."""
    step = Step.of(environ)
    if step is None or outcome.verb not in VERBS:
        return
    try:
        step.write_outputs(outputs(outcome, code))
        step.write_summary(masked("\n".join(summary(outcome, code)), environ))
    except OSError as error:
        # What was done is done; a disk that is full must not make it look undone.
        click.echo(f"Warning: {error.filename} cannot be written: {error.strerror}", err=True)
    if outcome.review is not None and not outcome.annotated:
        from sfcode.checks.writers.github import github

        if lines := github(outcome.review):
            click.echo(masked(lines, environ), err=True)
    if isinstance(outcome.error, ConfigError):
        for problem in outcome.error.problems:
            text = masked(f"{problem.message}; {problem.hint}" if problem.hint else problem.message, environ)
            click.echo(step.annotation("error", text, problem.position, problem.path), err=True)


def outputs(outcome: Outcome, code: int) -> dict[str, str]:
    """Name what later steps ask for."""
    from sfcode.plan.change import Action
    from sfcode.plan.digest import changes_digest

    found = {"exit-code": str(int(code))}
    counted = outcome.plan or outcome.review
    if counted is not None:
        found["changes"] = str(not counted.is_empty).lower()
        for name, action in (("adds", Action.CREATE), ("updates", Action.UPDATE), ("deletes", Action.DELETE)):
            found[name] = str(counted.count(action))
    if outcome.plan is not None:
        found["plan-digest"] = changes_digest(outcome.plan)
        found["plan-file"] = str(outcome.saved or "")
    return found | outcome.outputs


def summary(outcome: Outcome, code: int) -> Iterator[str]:
    """Write the Markdown of the run's page: what was done or why not, then the plan or the review."""
    if outcome.error is not None and not isinstance(outcome.error, click.exceptions.Exit):
        yield from _failed(outcome.verb, outcome.error, code)
    if outcome.done:
        yield f"### {outcome.done}\n"
    if outcome.next_steps:
        yield _fenced(outcome.next_steps)
    if outcome.plan is not None:
        from sfcode.plan.reports.markdown import markdown

        yield markdown(outcome.plan, limit=SUMMARY)
    if outcome.review is not None:
        from sfcode.review.reports.markdown import markdown as review_markdown

        yield review_markdown(outcome.review, limit=SUMMARY)


def _failed(verb: str, error: BaseException, code: int) -> Iterator[str]:
    message, _ = describe(error)
    left = ": the deployment goes on" if code == ExitCode.RUNNING else ""
    yield f"### sfcode {verb} ended with exit code {int(code)}{left}\n"
    yield _fenced(message)


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"
