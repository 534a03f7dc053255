"""The rules of a rollback: what it keeps, does not restore, and cannot restore. Pure."""

from __future__ import annotations

from dataclasses import replace

from sfcode.plan.compare import find_apply, released_since
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.previous_user import deactivated_users
from sfcode.plan.sandbox_names import users_named_in
from sfcode.plan.secrets import HIDDEN, names_in
from sfcode.plan.snapshot import PlanInput


def keep_unchanged_components(plan_input: PlanInput, plan: Plan) -> Plan:
    """Keep components managed that the rolled back apply did not change, and release those that were unmanaged before it."""
    past = find_apply(plan_input.snapshot.applied, plan_input.request.apply_id)
    unchanged_components = tuple(
        component
        for component in plan_input.snapshot.applied.list_components()
        if component.address not in past.before and component.address in plan_input.snapshot.components
    )
    released = frozenset(address for address in past.before if address not in past.owned)
    return replace(
        plan, config_digest="", kept=unchanged_components, released=released, project=past.project or plan.project
    )


def explain_exceptions(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn of what a rollback does not restore: drift that the apply had overwritten, and what was released since."""
    past = find_apply(plan_input.snapshot.applied, plan_input.request.apply_id)
    planned = {change.address for change in plan.changes}
    drift = (
        f"{address} had been changed in the org before that apply; the rollback restores the value from sfcode, not that change"
        for address in sorted(past.drifted & planned)
    )
    released = (
        f"{address} is not managed any more, so the rollback does not change it"
        for address in sorted(released_since(past, plan_input.snapshot))
    )
    return plan.warn(*drift, *released)


def refuse_unknown_secrets(_plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse to restore a component whose secret value is unknown."""
    return plan.refuse(
        *(
            Refusal(
                change.address,
                "contained a secret that sfcode does not know, so it cannot be restored",
                "deploy it with the tool that created it",
            )
            for change in plan.changes
            if change.after and HIDDEN.search(change.after.canonical)
        )
    )


def refuse_missing_parts(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse to restore a component that refers to a missing secret, user or permission set."""
    observed = plan_input.snapshot.components
    users = {
        address.full_name.lower()
        for address, component in observed.items()
        if address.type == "User" and component.body.get("IsActive") is True
    }
    users |= {
        change.address.full_name.lower()
        for change in plan.changes
        if change.address.type == "User" and change.after and change.after.body.get("IsActive") is True
    }
    users -= {user.full_name.lower() for user in deactivated_users(plan.effective)}
    refusals = []
    for change in plan.effective:
        if change.after is None:
            continue
        for name in sorted(names_in(dict(change.after.body)) - plan.secrets.keys()):
            hint = f"set {name}, and add it to the config where it was when that apply ran"
            refusals.append(Refusal(change.address, f"needs the secret {name}, which this config does not have", hint))
        for name in sorted(users_named_in(change.after.body)):
            if name.lower() not in users:
                hint = f"create or activate the user {name} first"
                refusals.append(
                    Refusal(change.address, f"refers to the user {name}, which is not active in this org", hint)
                )
    return plan.refuse(*refusals)
