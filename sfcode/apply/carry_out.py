"""Carry out a plan: every step in order, each repeatable, so that a cut anywhere is mended by the next apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sfcode.apply.failures import failure
from sfcode.apply.flows import remove_flow
from sfcode.apply.package import Mark, package
from sfcode.apply.records import write_record
from sfcode.apply.steps import Deploy, RemoveFlow, WriteRecord, steps
from sfcode.generate.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.plan import Plan

Say = Callable[[str], None]


def carry_out(
    plan: Plan, org: Org, secrets: Mapping[str, str], *, origins: Iterable[Origin], mark: Mark, say: Say
) -> tuple[str, ...]:
    """
    Do what the plan says and nothing else; return the ids of the deployments.

    Raises Refused before anything happens when the plan needs the user's word, DeployFailed when
    the org refuses a package, StillRunning when a deployment outlasts our patience.
    """
    plan.raise_if_refused()
    deployed = []
    for step in steps(plan):
        match step:
            case WriteRecord(change):
                write_record(org, change)
                say(f"{change.address}: {'created' if change.before is None else 'updated'}")
            case RemoveFlow(address):
                versions = remove_flow(org, address)
                say(f"{address}: deactivated, {versions} version{'' if versions == 1 else 's'} deleted")
            case Deploy():
                zipped = package(plan, step, mark, secrets)
                result = _deploy(org, zipped, len(step.components) + len(step.deleted), say)
                if not result.success:
                    raise failure(result, origins)
                deployed.append(result.id)
    return tuple(deployed)


def _deploy(org: Org, zipped: bytes, count: int, say: Say) -> DeployResult:
    deploy_id = org.metadata.deploy(zipped, DeployOptions())
    what = f"{count} component{'' if count == 1 else 's'} and the applied state" if count else "the applied state"
    say(f"Deploying {what} ({deploy_id})")
    return watch(org, deploy_id, say)


def watch(org: Org, deploy_id: str, say: Say) -> DeployResult:
    """Follow a deployment to its end, saying each status that differs."""
    last = ""

    def progress(result: DeployResult) -> None:
        nonlocal last
        line = f"{result.status}: {result.components_deployed}/{result.components_total} components"
        if line != last and result.components_total:
            say(f"  {line}")
        last = line

    return org.metadata.follow(deploy_id, progress)
