"""In a GitHub workflow, also write the result as the step's outputs, summary and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import click

from sfcode.cli.invocation import RunResult
from sfcode.cli.output import describe_error, echo
from sfcode.errors import ConfigError, ExitCode
from sfcode.github.actions_step import Step
from sfcode.github.redact import redact

VERBS = ("plan", "apply", "destroy", "rollback", "review", "github")
"""Verbs with results for the next steps of a workflow."""

SUMMARY = 400_000
"""The maximum length of one report in characters: GitHub accepts a megabyte per step, and a character may have several
bytes."""


def write_step_results(result: RunResult, code: int, environ: Mapping[str, str]) -> None:
    """Write outputs and summary, also after a failure, if this is a step of a workflow."""
    step = Step.of(environ)
    if step is None or result.verb not in VERBS:
        return
    try:
        step.write_outputs(outputs(result, code))
        step.write_summary(redact("\n".join(summary(result, code)), environ))
    except OSError as error:
        # The command has succeeded, so a full disk must not fail it.
        echo(f"Warning: {error.filename} cannot be written: {error.strerror}", err=True)
    if result.review is not None and not result.annotated:
        from sfcode.checks.writers.github import format_annotations

        review = result.review
        if lines := format_annotations((*review.problems, *review.news), review.folder):
            echo(redact(lines, environ), err=True)
    if isinstance(result.error, ConfigError):
        for problem in result.error.problems:
            text = redact(problem.text, environ)
            echo(step.annotation("error", text, problem.position, problem.path), err=True)


def outputs(result: RunResult, code: int) -> dict[str, str]:
    """Return the outputs for later steps."""
    from sfcode.plan.change import Action
    from sfcode.plan.digest import changes_digest

    values = {"exit-code": str(int(code))}
    counted = result.plan or result.review
    if counted is not None:
        values["changes"] = str(not counted.is_empty).lower()
        for name, action in (("adds", Action.CREATE), ("updates", Action.UPDATE), ("deletes", Action.DELETE)):
            values[name] = str(counted.count(action))
    if result.plan is not None:
        values["plan-digest"] = changes_digest(result.plan)
        values["plan-file"] = str(result.saved or "")
    return values | result.outputs


def summary(result: RunResult, code: int) -> Iterator[str]:
    """Return the Markdown of the run's page: the result or the error, then the plan or the review."""
    if result.error is not None and not isinstance(result.error, click.exceptions.Exit):
        yield from _render_failure(result.verb, result.error, code)
    if result.done:
        yield f"### {result.done}\n"
    if result.next_steps:
        yield _fence(result.next_steps)
    if result.plan is not None:
        from sfcode.plan.reports.markdown import markdown

        yield markdown(result.plan, limit=SUMMARY)
    if result.review is not None:
        from sfcode.review.reports.markdown import markdown as review_markdown

        yield review_markdown(result.review, limit=SUMMARY)


def _render_failure(verb: str, error: BaseException, code: int) -> Iterator[str]:
    message, _ = describe_error(error)
    suffix = ": the deployment continues" if code == ExitCode.RUNNING else ""
    yield f"### sfcode {verb} ended with exit code {int(code)}{suffix}\n"
    yield _fence(message)


def _fence(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"
