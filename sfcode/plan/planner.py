"""Make a plan from a project and an org: read everything, then compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.lazy_dataclasses import dataclass
from sfcode.org import Org
from sfcode.org.parallel import run_parallel, share_heap
from sfcode.plan.modes import WHOLE_PLAN, PlanRequest
from sfcode.plan.schema import read_org_traits

if TYPE_CHECKING:
    from sfcode.mapping.desired import Desired
    from sfcode.plan.plan import Plan
    from sfcode.plan.snapshot import OrgSnapshot


@dataclass(frozen=True)
class PlanResult:
    """A plan, and its input."""

    plan: Plan
    desired: Desired
    snapshot: OrgSnapshot


def make_plan(
    project: Project,
    org: Org,
    secrets: Mapping[str, str],
    request: PlanRequest = WHOLE_PLAN,
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> PlanResult:
    """
    Read the org and make a plan. Changes nothing in the org. `meanwhile` is called while the org answers.

    Raises ConfigError when the config does not fit the org, OrgError when the org cannot be read, Refused and
    UsageError when the request does not fit the project or its history.
    """
    share_heap()
    _ = org.rest  # imported before both requests are sent, so that they wait for no other import

    def import_later() -> None:
        _import_what_is_needed_later()
        meanwhile()

    run_parallel([lambda: read_org_traits(org, project), lambda: org.user, import_later], 3)
    from sfcode.plan.gather import gather
    from sfcode.plan.rules import build_plan

    plan_input = gather(project, org, secrets, request)
    return PlanResult(build_plan(plan_input), plan_input.desired, plan_input.snapshot)


def _import_what_is_needed_later() -> None:
    """Import the modules that generate and compare while the org answers, since importing them takes as long."""
    import sfcode.org.metadata_api
    import sfcode.plan.gather
    import sfcode.plan.rules  # noqa: F401


def raise_if_outdated(plan: Plan, project: Project, result: PlanResult) -> None:
    """
    Refuse a saved plan if the config or the org has changed since.

    Compares environment, org, config, secrets and everything observed. Raises Refused with the differences.
    """
    hint = "Make a new plan: sfcode plan --out FILE"
    if plan.environment != project.environment:
        raise Refused(f"The plan is for environment {plan.environment}, not {project.environment}.", hint)
    if plan.target.org_id != result.plan.target.org_id:
        raise Refused(
            f"The plan is for org {plan.target.org_id} ({plan.target.name}), "
            f"not {result.plan.target.org_id} ({result.plan.target.name}).",
            hint,
        )
    if plan.config_digest and plan.config_digest != project.digest:
        raise Refused("The config has changed since the plan was made.", hint)
    changed_secrets = sorted(
        name for name, value in result.plan.secrets.items() if plan.secrets.get(name, value) != value
    )
    if changed_secrets:
        raise Refused(f"Secrets have changed since the plan was made: {', '.join(changed_secrets)}.", hint)
    now = result.plan.fingerprints
    moved = sorted(
        address for address in {*plan.fingerprints, *now} if plan.fingerprints.get(address) != now.get(address)
    )
    if moved:
        lines = "".join(f"\n  - {address} {_describe_move(address, plan, now)}" for address in moved)
        raise Refused(f"The org has changed since the plan was made:{lines}", hint)


def _describe_move(address: str, plan: Plan, now: Mapping[str, str]) -> str:
    if address not in now:
        return "is gone"
    return "was changed" if address in plan.fingerprints else "exists now"
