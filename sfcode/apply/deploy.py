"""Deploy one package and follow it: progress, cancel, detach."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from sfcode.errors import OrgError, UsageError
from sfcode.org import DeployStillRunning, Org
from sfcode.org.results import DeployOptions, DeployResult

LOCKED = "ALREADY_IN_PROCESS"
PAUSE = 5.0
"""Seconds between two attempts while the org is locked."""

Progress = Callable[[str], object]
"""Receives each line of progress."""
Record = Callable[[DeployResult], object]
"""Receives the result of a deployment."""


def ignore(_: object) -> None:
    """Do nothing."""


def deploy(
    org: Org,
    zipped: bytes,
    options: DeployOptions,
    description: str,
    report: Progress,
    *,
    started: Callable[[str], None] = ignore,
    patience: float = 0.0,
) -> DeployResult:
    """
    Deploy a package and follow it until it succeeds or fails; `started` receives its ID.

    An org refuses a deployment while another deployment or setup change runs. The deployment is then retried for
    `patience` seconds.
    """
    runtime = org.runtime
    deadline = runtime.clock() + patience
    while True:
        deploy_id = org.metadata.deploy(zipped, options)
        started(deploy_id)
        verb = "Checking" if options.check_only else "Deploying"
        result = watch(org, deploy_id, report, f"{verb} {description} ({deploy_id})")
        remaining_seconds = deadline - runtime.clock()
        if result.error_status_code != LOCKED or remaining_seconds <= 0:
            return result
        report("  Another setup change is running in this org; trying again")
        runtime.sleep(min(PAUSE, remaining_seconds))


def follow_quick(org: Org, deploy_id: str, report: Progress, *, started: Callable[[str], None]) -> DeployResult:
    """Follow a quick deployment."""
    started(deploy_id)
    return watch(org, deploy_id, report, f"Deploying the checked package without running its tests again ({deploy_id})")


def attach(org: Org, deploy_id: str, report: Progress) -> DeployResult:
    """
    Follow a deployment that another process or machine started.

    Raises UsageError if `deploy_id` is not the ID of a deployment.
    """
    if not re.fullmatch(r"0Af[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?", deploy_id):
        raise UsageError(
            f"{deploy_id!r} is not the ID of a deployment.",
            "It starts with 0Af and has 15 or 18 characters; apply prints it.",
        )
    return watch(org, deploy_id, report)


def watch(org: Org, deploy_id: str, report: Progress, first: str = "") -> DeployResult:
    """
    Follow a deployment, reporting `first` and then each status that differs.

    Ctrl-C asks the org to cancel the deployment and waits for its end, so that nothing is left unfinished. A second
    Ctrl-C stops waiting (StillRunning).
    """
    last = ""

    def progress(result: DeployResult) -> None:
        nonlocal last
        if result.components_total and (line := _line(result)) != last:
            report(line)
            last = line

    try:
        if first:
            report(first)
        return org.metadata.follow(deploy_id, progress)
    except KeyboardInterrupt:
        report(f"Cancelling {deploy_id}; press Ctrl-C again to let the deployment continue")
    try:
        # If the deployment has ended in the meantime, the org refuses to cancel it, and its result is returned.
        with suppress(OrgError):
            org.metadata.cancel_deploy(deploy_id)
        return org.metadata.follow(deploy_id, progress)
    except KeyboardInterrupt:
        raise DeployStillRunning(deploy_id, "you interrupted the wait for it") from None


def _line(result: DeployResult) -> str:
    tests = f", {result.tests_completed}/{result.tests_total} tests" if result.tests_total else ""
    return f"  {result.status}: {result.components_deployed}/{result.components_total} components{tests}"
