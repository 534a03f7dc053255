"""The integration user before a rename: it goes with what it had, as shown changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sfcode.config.project import Project
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.observed import Observed
from sfcode.plan.state import Applied


def former_users(applied: Applied, username: str) -> tuple[str, ...]:
    """
    Name the integration users of the last apply and of the one before it, the present one left out.

    They are those that our messages named. The one before is looked at as well, for an apply that was
    cut off after its deployment has the new name in the state already.
    """
    bodies = [*applied.components.values(), *(body for past in applied.history[:1] for body in past.before.values())]
    names = {str(body["integrationUser"]) for body in bodies if body and body.get("integrationUser")}
    return tuple(sorted(name for name in names if name.lower() != username.lower()))


def rows_of(project: Project, username: str) -> tuple[Address, ...]:
    """Name the records that an integration user has from us."""
    user = project.settings.integration_user
    return (
        Address("User", username),
        Address("PermissionSetLicenseAssign", f"{user.permission_set_license}/{username}"),
        Address("PermissionSetAssignment", f"{project.integration_set}/{username}"),
    )


def leaving(project: Project, observed: Observed, former: Collection[str]) -> Iterator[Change]:
    """
    Deactivate those who were the integration user, and take away what they had from us.

    Only a user of the integration's own profile goes: any other may be a person's.
    """
    for name in former:
        user, *others = rows_of(project, name)
        found = observed.components.get(user)
        if found is None or not goes(project, found):
            continue
        yield Change(user, found, Component(found.type, found.full_name, {**found.body, "IsActive": False}))
        yield from (Change(row, observed.components[row], None) for row in others if row in observed.components)


def goes(project: Project, user: Component) -> bool:
    """Tell whether a former integration user is deactivated."""
    return user.body.get("IsActive") is True and user.body.get("Profile") == project.settings.integration_user.profile


def deactivated(changes: Iterable[Change]) -> set[str]:
    """Name the users that a plan deactivates."""
    return {
        change.address.full_name
        for change in changes
        if change.address.type == "User" and change.after and change.after.body.get("IsActive") is False
    }
