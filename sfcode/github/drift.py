"""Maintain the issue about drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sfcode.github.body import issue_body
from sfcode.github.client import GitHub
from sfcode.github.comment_marker import Marker
from sfcode.github.issue import close, open_or_update
from sfcode.github.redact import masked
from sfcode.plan.plan import Plan

LEAD = """\
Somebody has changed by hand what sfcode manages in **{environment}**. It is one or the other:

- It was a mistake: apply puts it back (run the workflow `apply`).
- It is wanted: write it into the config, in a pull request.

The daily look at the org keeps this issue up to date, and closes it when nothing differs any more."""
GONE = "Nothing differs any more between **{environment}** and what sfcode left there."


@dataclass(frozen=True)
class Kept:
    """The result for the issue, and its number."""

    text: str
    number: int | None = None


def keep_issue(github: GitHub, plan: Plan, config: Path, environ: Mapping[str, str]) -> Kept:
    """Open or update the issue if there is drift, and close it otherwise."""
    marker = Marker("drift", config.as_posix(), plan.environment)
    lead = (LEAD if plan.drifted else GONE).format(environment=plan.environment)
    body = issue_body(marker, plan, lead, hide=lambda text: masked(text, environ))
    if plan.drifted:
        number = open_or_update(github, marker, f"Drift in {plan.environment}", body)
        return Kept(f"Drift: issue #{number} tells what it is.", number)
    closed = close(github, marker, body)
    return Kept("No drift." if closed is None else f"No drift any more: issue #{closed} is closed.", closed)
