"""Deactivate the previous integration user after a rename, and remove its assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sfcode.config.project import Project
from sfcode.mapping.naming import NameSet
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import PlanInput, SignIns
from sfcode.plan.state import Applied


def previous_users(applied: Applied, username: str) -> tuple[str, ...]:
    """Return the managed users besides the current integration user."""
    return tuple(sorted(user.full_name for user in applied.managed_users() - {Address("User", username)}))


def user_records(project: Project, username: str) -> tuple[Address, ...]:
    """Return the records of an integration user, the user first."""
    user = project.settings.integration_user
    return (
        Address("User", username),
        Address("PermissionSetLicenseAssign", f"{user.permission_set_license}/{username}"),
        Address("PermissionSetAssignment", f"{project.integration_set}/{username}"),
    )


def retire(plan_input: PlanInput, usernames: Collection[str]) -> Iterator[Change]:
    """
    Deactivate previous integration users, and remove the assignments of the integration.

    Only a user with the integration's own profile, that of the config or of the last apply, is deactivated, since any
    other may be a person.
    """
    observed = plan_input.snapshot.components
    for name in usernames:
        user, *assignments = user_records(plan_input.project, name)
        component = observed.get(user)
        if component is None or not _is_retired(plan_input, component):
            continue
        yield Change(user, component, deactivate(component))
        yield from (Change(row, observed[row], None) for row in assignments if row in observed)


def deactivate(user: Component) -> Component:
    """Return a user that can no longer sign in; an org deletes no user."""
    return Component(user.type, user.full_name, {**user.body, "IsActive": False})


def warn_of_other_assignees(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn of other users with the integration's permission set, such as the previous one."""
    name, username = plan_input.project.integration_set, plan_input.project.settings.integration_user.username
    expected = {Address("User", username)}
    for previous in previous_users(plan_input.snapshot.applied, username):
        user = plan_input.snapshot.components.get(Address("User", previous))
        if user and _is_retired(plan_input, user):
            expected.add(user.address)
    return plan.warn(
        *(
            f"PermissionSet:{name} is assigned to {assignee.full_name} too, who is not the integration user of this config and keeps "
            "these rights; if they are not needed, remove the assignment in Setup, Permission Sets"
            for assignee in plan_input.snapshot.assignees
            if assignee not in expected
        )
    )


def _is_retired(plan_input: PlanInput, user: Component) -> bool:
    applied = plan_input.snapshot.applied.records.get(user.address, {})
    profiles = NameSet({plan_input.project.settings.integration_user.profile, str(applied.get("Profile"))})
    return user.body.get("IsActive") is True and user.body.get("Profile") in profiles


def refuse_shared_users(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse to deactivate a user that is used elsewhere or has other rights, unless --allow-delete has the user's address."""
    refusals = []
    for address in sorted(deactivated_users(plan.effective)):
        other_uses = _list_other_uses(plan_input, address)
        if other_uses and address not in plan_input.request.allow_delete:
            reason = f"would be deactivated, but another application may sign in as this user: {'; '.join(other_uses)}"
            hint = f"give that application another user, or pass --allow-delete {address} to deactivate the user anyway"
            refusals.append(Refusal(address, reason, hint))
    return plan.refuse(*refusals)


def _list_other_uses(plan_input: PlanInput, user: Address) -> list[str]:
    snapshot = plan_input.snapshot
    rights, uses = snapshot.other_rights.get(user), snapshot.other_uses.get(user, ())
    mentions = [f"it is used by {', '.join(uses)}"] if uses else []
    return [*mentions, *([f"it also has {', '.join(rights.assigned)}"] if rights and rights.assigned else [])]


def warn_of_sign_ins(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn of sign-ins as a user that the plan deactivates."""
    return plan.warn(
        *(
            f"{address} is deactivated, but {_describe_sign_ins(sign_ins)}: applications that sign in as this user will stop working"
            for address in sorted(deactivated_users(plan.effective))
            if (sign_ins := plan_input.snapshot.sign_ins.get(address))
        )
    )


def _describe_sign_ins(sign_ins: SignIns) -> str:
    if not sign_ins.applications:
        return f"it signed in last on {sign_ins.last}"
    count = sum(sign_ins.applications.values())
    names = ", ".join(f"{name} ({number})" for name, number in sign_ins.applications.items())
    times = "once" if count == 1 else f"{count} times"
    return f"it signed in {times} in the last {sign_ins.days} days, the last time on {sign_ins.last}, with {names}"


def deactivated_users(changes: Iterable[Change]) -> set[Address]:
    """Return the users that a plan deactivates."""
    return {
        change.address
        for change in changes
        if change.address.type == "User" and change.after and change.after.body.get("IsActive") is False
    }
