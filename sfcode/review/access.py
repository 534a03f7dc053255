"""The permissions of the integration user before and after, read from the permission sets."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.access_changes import Access, list_subjects
from sfcode.checks.granted_rights import Rights, spell_as
from sfcode.checks.snapshot import Snapshot
from sfcode.mapping.naming import find_name, is_same_name
from sfcode.mapping.permissions import API_ONLY_PROFILES, GRANTED_BY_PROFILE


def access(before: Snapshot | None, after: Snapshot) -> tuple[Access, ...]:
    """
    List the permissions of the integration user on either side, objects first.

    A side that keeps its permission set as it is (`as_is`) has none: its permissions are known only to the org.
    """
    if any(side and side.integration_set in side.project.adopted for side in (before, after)):
        return ()
    new = after.integration_rights
    old = spell_as(before.integration_rights if before else {}, new)
    rows = (_row(key, old, new, before, after) for key in list_subjects(old, new))
    return (*_list_profiles(before, after), *rows)


def _list_profiles(before: Snapshot | None, after: Snapshot) -> Iterator[Access]:
    """List the profiles that grant rights, which the user has in addition to its permission set."""
    was = before.project.settings.integration_user.profile if before else ""
    will = after.project.settings.integration_user.profile
    was = will if is_same_name(was, will) else was
    for name in dict.fromkeys((was, will)):
        if name and name not in API_ONLY_PROFILES:
            known_name = find_name(name, GRANTED_BY_PROFILE)
            grants = GRANTED_BY_PROFILE[known_name] if known_name else ("rights of its own",)
            sides = (grants if name == was else (), grants if name == will else ())
            position = after.project.at("integration_user", "profile") if name == will else None
            yield Access("profile", f"Profile {name}", *sides, "integration_user.profile", position)


def _row(key: tuple[str, str], old: Rights, new: Rights, before: Snapshot | None, after: Snapshot) -> Access:
    kind, name = key
    side = after if key in new or before is None else before
    origin = side.desired.find_origin(side.integration_set, name)
    path, position = (origin.path, origin.position) if origin else ("", None)
    user = side.project.settings.integration_user
    if kind == "object" and {"View All", "Modify All"} & {*(new if key in new else old)[key]}:
        setting = "access" if user.access == "documented" else "record_access"
        path, position = f"integration_user.{setting}", side.project.at("integration_user", setting)
    return Access(kind, name, old.get(key, ()), new.get(key, ()), path, position if side is after else None)
