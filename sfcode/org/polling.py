"""Poll a deployment until it is done or the timeout has passed; a timeout does not stop the deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfcode.errors import OrgError, OrgUnreachable, StillRunning
from sfcode.org.options import Runtime
from sfcode.org.results import DeployResult
from sfcode.org.retry import TRANSIENT

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
GROWTH = 1.5
SILENCE = 180.0
"""Seconds that an org may be unreachable before polling ends."""


class DeployStillRunning(StillRunning):
    """A deployment continues, but polling has ended; `apply --attach` with `deploy_id` polls it again."""

    def __init__(self, deploy_id: str, reason: str) -> None:
        super().__init__(
            f"The deployment {deploy_id} continues in the org: {reason}.",
            f"Follow it with `sfcode apply --attach {deploy_id}`, or watch it in Setup > Deployment Status.",
        )
        self.deploy_id = deploy_id


def pauses() -> Iterator[float]:
    """Yield pauses in seconds: short ones first, since small packages take no time, then up to two."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * GROWTH)


def follow_deployment(
    status: Callable[[], DeployResult],
    deploy_id: str,
    on_progress: Callable[[DeployResult], None] | None,
    runtime: Runtime,
    timeout: float,
) -> DeployResult:
    """
    Poll a deployment until it is done and return its result; `on_progress` gets each status that differs.

    Raises:
        DeployStillRunning: No response for SILENCE seconds, or not finished after `timeout` seconds. The deployment
            continues in the org.

    """
    started = last_response = runtime.clock()
    reported_status: DeployResult | None = None
    for pause in pauses():
        try:
            result = status()
        except OrgError as error:
            if not (isinstance(error, OrgUnreachable) or error.code in TRANSIENT):
                raise
            if runtime.clock() - last_response > SILENCE:
                raise DeployStillRunning(deploy_id, f"no answer for {SILENCE:.0f} s ({error.message})") from error
        else:
            last_response = runtime.clock()
            if on_progress is not None and result != reported_status:
                on_progress(result)
            reported_status = result
            if result.done:
                return result
        if runtime.clock() - started > timeout:
            raise DeployStillRunning(deploy_id, f"not finished after {timeout:.0f} s")
        runtime.sleep(pause)
    raise AssertionError("unreachable")
