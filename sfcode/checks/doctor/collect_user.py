"""Collect facts about the integration user, its profile, licenses and assignments."""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.checks.doctor.facts import Unknown, UserFacts, UserRow, ask_optional
from sfcode.config.models import IntegrationUser
from sfcode.config.project import Project
from sfcode.mapping import naming
from sfcode.mapping.permissions import OtherRights
from sfcode.org import Org
from sfcode.org.profiles import profile_names
from sfcode.org.user_rights import find_assignments, read_other_rights
from sfcode.plan.previous_user import user_records

MOST_ALIKE = 5


def collect_user_facts(project: Project, org: Org) -> UserFacts:
    """Read the facts about the configured integration user."""
    settings = project.settings.integration_user
    user = ask_optional(lambda: _user(org, settings))
    alike = ask_optional(lambda: _alike(org, settings.username)) if user is None else ()
    exists = isinstance(user, UserRow)
    _, license_row, set_row = user_records(project, settings.username)
    own = {project.integration_set, naming.viewer_set(project.settings.name)}
    return UserFacts(
        profiles=ask_optional(lambda: _profiles(org, settings.profile)),
        licenses=ask_optional(lambda: org.traits.user_licenses),
        set_licenses=ask_optional(lambda: org.traits.permission_set_licenses),
        user=user,
        alike=() if isinstance(alike, Unknown) else alike,
        has_license=ask_optional(lambda: bool(find_assignments(org, license_row))) if exists else False,
        has_set=ask_optional(lambda: bool(find_assignments(org, set_row))) if exists else False,
        other_rights=ask_optional(lambda: read_other_rights(org, settings.username, own)) if exists else OtherRights(),
    )


def _profiles(org: Org, name: str) -> Mapping[str, str]:
    """Return the user license of each profile by its name, and for the configured profile also by its name in metadata."""
    profiles = org.traits.profiles
    licenses = {profile.name: profile.license for profile in profiles}
    if name not in licenses:
        names = profile_names(org)
        match = next((profile for profile in profiles if names.get(profile.id) == name), None)
        if match is not None:
            licenses[name] = match.license
    return licenses


def _user(org: Org, settings: IntegrationUser) -> UserRow | None:
    soql = "SELECT IsActive, ProfileId, Profile.Name, Email FROM User WHERE Username = {}"
    rows = org.query(soql, settings.username)
    if not rows:
        return None
    row = rows[0]
    profile = (row["Profile"] or {}).get("Name", "")
    if profile != settings.profile and profile_names(org).get(row["ProfileId"]) == settings.profile:
        profile = settings.profile  # the org returns names in the language of the signed-in user
    return UserRow(row["IsActive"] is True, profile, row["Email"] or "")


def _alike(org: Org, username: str) -> tuple[str, ...]:
    """Find the same username with a sandbox's suffix (`....uat`), or at another domain."""
    local = username.partition("@")[0]
    rows = org.query("SELECT Username FROM User WHERE Username LIKE '{:like}@%' ORDER BY Username", local)
    return tuple(row["Username"] for row in rows)[:MOST_ALIKE]
