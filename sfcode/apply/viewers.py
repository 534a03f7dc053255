"""Assign the viewers' permission set, which lets people read the fields that a project creates."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.apply.records import write_record
from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.mapping import naming
from sfcode.metadata.component import make_assignment
from sfcode.org import Org
from sfcode.org.user_rights import list_assignees
from sfcode.plan.change import Change


def list_viewers(org: Org, project: Project) -> tuple[str, ...]:
    """Return the usernames that have the viewers' permission set, sorted."""
    return tuple(list_assignees(org, _set_name(project)))


def add_viewers(org: Org, project: Project, usernames: Iterable[str]) -> None:
    """
    Assign the permission set to users who do not have it.

    Raises:
        Refused: The org does not have the permission set or a user; nothing was changed.

    """
    name = _set_name(project)
    if not org.query("SELECT Id FROM PermissionSet WHERE Name = {}", name):
        raise Refused(f"This org has no permission set {name}.", "`sfcode apply` creates it together with the fields.")
    names = tuple(usernames)
    missing = [user for user in names if not org.query("SELECT Id FROM User WHERE Username = {}", user)]
    if missing:
        raise Refused(f"This org has no user {', '.join(missing)}.", "Nothing was changed. Correct the username.")
    for row in (make_assignment("PermissionSetAssignment", name, username) for username in names):
        write_record(org, Change(row.address, None, row))


def remove_viewers(org: Org, project: Project, usernames: Iterable[str]) -> None:
    """
    Remove the permission set from each user.

    Raises:
        Refused: A user is listed in the config, so that the next apply would assign it again; nothing was changed.

    """
    names = tuple(usernames)
    listed = naming.NameSet(project.settings.viewers)
    if configured_viewers := [user for user in names if user in listed]:
        raise Refused(
            f"{', '.join(configured_viewers)} is listed under `viewers` in sfcode.yaml.",
            "Nothing was changed. Remove the line, and run `sfcode apply`.",
        )
    name = _set_name(project)
    for row in (make_assignment("PermissionSetAssignment", name, username) for username in names):
        write_record(org, Change(row.address, row, None))


def _set_name(project: Project) -> str:
    return naming.viewer_set(project.settings.name)
