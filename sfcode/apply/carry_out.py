"""Carry out a plan: every step in order, each repeatable, so that a cut anywhere is mended by the next apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sfcode.apply.deploy import Say, deploy
from sfcode.apply.failures import failure
from sfcode.apply.flows import prune_flow, remove_flow, wake_flow
from sfcode.apply.lock import Lock
from sfcode.apply.package import Mark, deletion, package
from sfcode.apply.records import write_record
from sfcode.apply.steps import Deploy, RemoveFlow, SettleFlow, TryDelete, WriteRecord, steps
from sfcode.generate.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.plan.change import Action
from sfcode.plan.plan import Plan

DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def carry_out(
    plan: Plan,
    org: Org,
    secrets: Mapping[str, str],
    *,
    origins: Iterable[Origin],
    mark: Mark,
    options: DeployOptions,
    say: Say,
    lock: Lock,
) -> tuple[str, ...]:
    """
    Do what the plan says and nothing else; return the ids of the deployments.

    Raises Refused before anything happens when the plan needs the user's word, DeployFailed when
    the org refuses a package, StillRunning when a deployment outlasts our patience. The lock is asked
    before each step whether it still holds.
    """
    plan.raise_if_refused()
    deployed: list[str] = []
    changed: list[str] = []
    for step in steps(plan):
        lock.confirm()
        match step:
            case WriteRecord(change):
                write_record(org, change)
                say(f"{change.address}: {DONE[change.action]}")
            case TryDelete():
                asked = replace(options, check_only=True)
                result = deploy(org, deletion(plan, step), asked, "what is deleted", say)
                if not result.success:
                    raise failure(result, origins, changed)
            case SettleFlow(address):
                if wake_flow(org, address):
                    say(f"{address}: came in inactive, as in production; activated")
                if pruned := prune_flow(org, address):
                    say(f"{address}: {pruned} old version{'' if pruned == 1 else 's'} deleted")
            case RemoveFlow(address):
                versions = remove_flow(org, address)
                changed.append(f"{address}: deactivated, {versions} version{'' if versions == 1 else 's'} deleted")
                say(changed[-1])
            case Deploy():
                sent = package(plan, step, mark, secrets)
                result = deploy(org, sent, options, described(step), say, started=lock.deploying)
                if not result.success:
                    raise failure(result, origins, changed)
                deployed.append(result.id)
                changed.append(f"deployment {result.id}")
    return tuple(deployed)


def described(step: Deploy) -> str:
    """Say in a few words what a package holds."""
    count = len(step.components) + len(step.deleted)
    return f"{count} component{'' if count == 1 else 's'} and the applied state" if count else "the applied state"
