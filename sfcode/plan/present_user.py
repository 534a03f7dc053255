"""The rights of the integration user that this project did not give it: a warning, or drift. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.mapping.permissions import OtherRights
from sfcode.metadata.component import Address, Component, Value
from sfcode.plan.change import Change
from sfcode.plan.plan import Plan
from sfcode.plan.snapshot import PlanInput


def _find_other_rights(plan_input: PlanInput) -> OtherRights:
    """Return the rights of the integration user that are not from this project and not accepted."""
    user = plan_input.project.settings.integration_user
    rights = plan_input.snapshot.other_rights.get(Address("User", user.username), OtherRights())
    return rights.remove_accepted(user.accepted_rights)


def warn_of_other_rights(plan_input: PlanInput, plan: Plan) -> Plan:
    """Warn of rights of the integration user from other permission sets, groups, or its profile."""
    user = plan_input.project.settings.integration_user
    rights = _find_other_rights(plan_input)
    warnings = [
        f"User:{user.username} also has {assigned}, which this project does not manage: the integration has the rights "
        f"that it grants; remove it in Setup, or accept it with `accepted_rights: [{assigned}]`"
        for assigned in rights.assigned
    ]
    if rights.granted_by_profile:
        profile = f"Profile:{rights.profile}"
        warnings.append(
            f"User:{user.username} has {profile}, which grants: {'; '.join(rights.granted_by_profile)}; set "
            f"integration_user.profile to a profile that grants nothing, or accept it with `accepted_rights: [{profile}]`"
        )
    return plan.warn(*warnings)


def list_added_rights(plan_input: PlanInput) -> Iterator[Change]:
    """Return rights that the integration user was given in the org, as drift."""
    user = plan_input.project.settings.integration_user
    rights = _find_other_rights(plan_input)
    bodies: dict[Address, dict[str, Value]] = {}
    for kind, names in (("PermissionSet", rights.permission_sets), ("PermissionSetGroup", rights.groups)):
        for name in names:
            address = Address("PermissionSetAssignment", f"{name}/{user.username}")
            bodies.setdefault(address, {"Assignee": user.username})[kind] = name
    if rights.granted_by_profile:
        bodies[Address("Profile", rights.profile)] = {
            "objectPermissions": {
                name: dict.fromkeys(elements, True) for name, elements in rights.profile_objects.items()
            },
            "userPermissions": {name: {"enabled": True} for name in rights.profile_permissions},
        }
    for address, body in bodies.items():
        observed_component = Component(address.type, address.full_name, body)
        yield Change(address, observed_component, observed_component, Component(address.type, address.full_name, {}))
