"""From a project and an org to a plan: the order in which the pure parts and the edges meet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.generate import generate
from sfcode.generate.desired import Desired
from sfcode.generate.records import records
from sfcode.metadata.component import Address, Body, Component
from sfcode.org import Org
from sfcode.plan.compare import build, limited
from sfcode.plan.data_flows import flows
from sfcode.plan.destroy import destroy
from sfcode.plan.foreign import other_fields
from sfcode.plan.limits import within_limits
from sfcode.plan.modes import NO_LIMITS, WHOLE_PLAN, Limits, Mode, PlanRequest
from sfcode.plan.observe import assignees, observe, records_at
from sfcode.plan.observed import Observed
from sfcode.plan.ownership import as_is, judged, still_there
from sfcode.plan.plan import Plan
from sfcode.plan.previous_user import former_users, goes, rows_of
from sfcode.plan.refresh import refresh
from sfcode.plan.rollback import find, rollback
from sfcode.plan.sandbox_names import named_here
from sfcode.plan.schema import org_schema


@dataclass(frozen=True)
class PlanResult:
    """A plan, and what it was made from."""

    plan: Plan
    desired: Desired
    observed: Observed


def make_plan(project: Project, org: Org, secrets: Mapping[str, str], request: PlanRequest = WHOLE_PLAN) -> PlanResult:
    """Read the org and make the plan that is asked for. Changes nothing in the org."""
    if request.mode is Mode.APPLY:
        return make(
            project,
            org,
            secrets,
            adopt=request.adopt,
            allow_delete=request.allow_delete,
            targets=request.targets,
            limits=request.limits,
        )
    if request.mode is Mode.DESTROY:
        return make_destroy(project, org, secrets, allow_delete=request.allow_delete)
    if request.mode is Mode.ROLLBACK:
        return make_rollback(project, org, secrets, apply_id=request.apply_id, allow_delete=request.allow_delete)
    plan = refresh(project, org, secrets)
    return PlanResult(plan, Desired((), (), ()), Observed(plan.target))


def make(
    project: Project,
    org: Org,
    secrets: Mapping[str, str],
    *,
    adopt: Collection[Address] = (),
    allow_delete: Collection[Address] = (),
    targets: Collection[Address] = (),
    limits: Limits = NO_LIMITS,
) -> PlanResult:
    """Describe, generate, observe and compare; with `targets`, only those. Changes nothing in the org."""
    project = named_here(project, org)
    username = project.settings.integration_user.username
    schema, warnings = org_schema(org, project)
    generated = generate(project, schema)
    wanted = {component.address: component.body for component in (*generated.components, *generated.records)}
    # What is deleted for the relay has to be seen too; nothing of ours is in it.
    asked: dict[Address, Body] = {key: {} for key in project.replaced} | wanted
    observed = observe(org, project.settings.name, asked, secrets, user=username)
    former = former_users(observed.applied, username)
    before = records_at(org, [row for name in former for row in rows_of(project, name)])
    observed = replace(observed, components={**observed.components, **before})
    desired = as_is(project, generated, observed)
    said = (
        *observed.warnings,
        *warnings,
        *(str(problem) for problem in desired.warnings),
        *_also_assigned(org, project, [row for row in before.values() if goes(project, row)]),
        *_connector(org, project),
    )
    fields = other_fields(schema, {*wanted, *observed.applied.components})
    observed = replace(observed, warnings=said, others=observed.others | frozenset(fields))
    mine = {*adopt, *project.adopted}
    plan = build(project, desired, observed, secrets=secrets, adopt=mine, allow_delete=allow_delete, former=former)
    plan = judged(project, plan, generated, desired)
    plan = limited(plan, observed.applied, targets) if targets else plan
    plan = replace(plan, flows=flows(project))
    return PlanResult(within_limits(plan, project, len(observed.applied.components), limits), desired, observed)


def _also_assigned(org: Org, project: Project, going: Collection[Component]) -> tuple[str, ...]:
    """Warn of users who have the rights of the integration and are not its user, such as the one before this."""
    name, username = project.integration_set, project.settings.integration_user.username
    return tuple(
        f"PermissionSet:{name} is assigned to {other} too, who is not the integration user of this config and keeps "
        "these rights; if nobody needs that, take it away in Setup, Permission Sets"
        for other in assignees(org, name)
        if other.lower() not in {username.lower(), *(user.full_name.lower() for user in going)}
    )


def _connector(org: Org, project: Project) -> tuple[str, ...]:
    """Look, where the relay takes the connector's place, whether the connector has made something new."""
    if not project.replaced:
        return ()
    listed = org.metadata.list_metadata("WorkflowOutboundMessage")
    return tuple(still_there(project, [item.full_name for item in listed]))


def make_destroy(
    project: Project, org: Org, secrets: Mapping[str, str], *, allow_delete: Collection[Address] = ()
) -> PlanResult:
    """Observe what is ours, and plan to take it down. Changes nothing in the org."""
    project = named_here(project, org)
    rows, origins = records(project)
    wanted, user = {row.address: row.body for row in rows}, project.settings.integration_user.username
    observed = observe(org, project.settings.name, wanted, secrets, user=user)
    plan = destroy(project, observed, secrets=secrets, allow_delete=allow_delete)
    return PlanResult(plan, Desired((), rows, origins), observed)


def make_rollback(
    project: Project,
    org: Org,
    secrets: Mapping[str, str],
    *,
    apply_id: str | None = None,
    allow_delete: Collection[Address] = (),
) -> PlanResult:
    """Read the history in the org, and plan to put back what one apply replaced. Changes nothing in the org."""
    project = named_here(project, org)
    name, user = project.settings.name, project.settings.integration_user.username
    past = find(observe(org, name, {}, secrets, user=user).applied, apply_id)
    wanted = {address: body for address, body in past.before.items() if body is not None}
    observed = observe(org, name, wanted, secrets, user=user)
    plan = rollback(project, observed, past, secrets=secrets, allow_delete=allow_delete)
    return PlanResult(plan, Desired((), (), ()), observed)


def raise_if_moved(plan: Plan, project: Project, made: PlanResult) -> None:
    """
    Refuse a plan that was made for something else than what is here now.

    Compares environment, org, config, secrets and everything observed. Raises Refused naming what moved.
    """
    again = "Look at a new plan: sfcode plan --out FILE"
    if plan.environment != project.environment:
        raise Refused(f"The plan is for environment {plan.environment}, not {project.environment}.", again)
    if plan.target.org_id != made.plan.target.org_id:
        raise Refused(
            f"The plan is for org {plan.target.org_id} ({plan.target.name}), "
            f"not {made.plan.target.org_id} ({made.plan.target.name}).",
            again,
        )
    if plan.config_digest and plan.config_digest != project.digest:
        raise Refused("The config has changed since the plan was made.", again)
    others = sorted(name for name, value in made.plan.secrets.items() if plan.secrets.get(name, value) != value)
    if others:
        raise Refused(f"Secrets have another value than when the plan was made: {', '.join(others)}.", again)
    now = made.plan.fingerprints
    moved = sorted(
        address for address in {*plan.fingerprints, *now} if plan.fingerprints.get(address) != now.get(address)
    )
    if moved:
        what = "".join(f"\n  - {address} {_what_happened(address, plan, now)}" for address in moved)
        raise Refused(f"The org has changed since the plan was made:{what}", again)


def _what_happened(address: str, plan: Plan, now: Mapping[str, str]) -> str:
    if address not in now:
        return "is gone"
    return "was changed" if address in plan.fingerprints else "is there now"
