"""Poll a deployment until it is done or the time limit is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfcode.errors import OrgError, OrgUnreachable, StillRunning
from sfcode.org.options import Runtime
from sfcode.org.results import DeployResult
from sfcode.org.retry import PASSING

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
GROWTH = 1.5
SILENCE = 180.0
"""How long an org may be out of reach before a deployment is left to itself."""


class DeployStillRunning(StillRunning):
    """Raised when polling stops before a deployment is done; `deploy_id` identifies it."""

    def __init__(self, deploy_id: str, why: str) -> None:
        super().__init__(
            f"The deployment {deploy_id} goes on in the org: {why}.",
            f"Pick it up with `sfcode apply --attach {deploy_id}`, or watch it in Setup > Deployment Status.",
        )
        self.deploy_id = deploy_id


def pauses() -> Iterator[float]:
    """Yield the pauses between two polls: short at first, for small packages, then up to two seconds."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * GROWTH)


def follow(
    status: Callable[[], DeployResult],
    deploy_id: str,
    on_progress: Callable[[DeployResult], None] | None,
    runtime: Runtime,
    timeout: float,
) -> DeployResult:
    """
    Poll a deployment until it is done; `on_progress` receives each status that differs.

    The deployment is never harmed by our going: a lost connection is sat out for `SILENCE`
    seconds, and what ends is the watching only (DeployStillRunning).
    """
    started = heard = runtime.clock()
    shown: DeployResult | None = None
    for pause in pauses():
        try:
            result = status()
        except OrgError as error:
            if not (isinstance(error, OrgUnreachable) or error.code in PASSING):
                raise
            if runtime.clock() - heard > SILENCE:
                raise DeployStillRunning(deploy_id, f"no answer for {SILENCE:.0f} s ({error.message})") from error
        else:
            heard = runtime.clock()
            if on_progress is not None and result != shown:
                on_progress(result)
            shown = result
            if result.done:
                return result
        if runtime.clock() - started > timeout:
            raise DeployStillRunning(deploy_id, f"not done after {timeout:.0f} s")
        runtime.sleep(pause)
    raise AssertionError("unreachable")
