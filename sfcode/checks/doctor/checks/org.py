"""The org: its API, its edition, its requests, and what the signed-in user may do in it."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.doctor.facts import Facts, OrgFacts, Unknown, UserRow
from sfcode.checks.doctor.finding import Finding, Level, at
from sfcode.config.project import Project

WITH_API = ("Enterprise Edition", "Unlimited Edition", "Performance Edition", "Developer Edition")
"""Editions that include the API; Professional has it as an add-on."""

FEW = 0.1
"""Below this part of the day's requests there is a warning."""

_GIVE = "Give it by a permission set, or sign in as an administrator."


def check(project: Project, facts: Facts) -> Iterator[Finding]:
    """Judge the org."""
    org = facts.org
    yield _version(project, org)
    if not org.answers:
        if org.api_disabled:
            message = f"{org.name} has no API for the signed-in user ({org.api_disabled})"
            hint = "Give the user API Enabled; if nobody has it, the edition lacks the API: ask Salesforce for it."
            yield Finding("D102", Level.ERROR, message, hint, org.name)
        return
    yield _edition(org)
    yield _requests(org)
    yield from _rights(facts)
    yield from _misfits(facts)


def _version(project: Project, org: OrgFacts) -> Finding:
    place = project.place("salesforce", "api_version")
    if isinstance(org.versions, Unknown):
        return at("D101", Level.WARNING, place, f"the org does not tell its API versions ({org.versions.reason})")
    if org.api_version in org.versions:
        return at("D101", Level.OK, place, f"API version {org.api_version} is offered by the org")
    newest = max(org.versions, key=float, default="none")
    message = f"the org does not offer API version {org.api_version}; its newest is {newest}"
    return at("D101", Level.ERROR, place, message, f'Write api_version: "{newest}". Nothing else was looked at.')


def _edition(org: OrgFacts) -> Finding:
    if org.edition in WITH_API:
        return Finding("D102", Level.OK, f"{org.edition} includes the API", where=org.name)
    message = f"{org.edition or 'this edition'} does not include the API by itself, although it answers now"
    hint = "Have Salesforce confirm API access and the license Salesforce Integration for this org."
    return Finding("D102", Level.WARNING, message, hint, org.name)


def _requests(org: OrgFacts) -> Finding:
    if isinstance(org.requests, Unknown):
        reason = org.requests.reason
        return Finding("D103", Level.INFO, f"the org does not tell how many API requests are left ({reason})")
    left, total = org.requests
    message = f"{left:,} of {total:,} API requests are left today"
    hint = (
        "See what uses them in Setup > System Overview > API Usage, or buy more; the relay waits until they are back."
    )
    if left <= 0:
        return Finding("D103", Level.ERROR, message, hint, org.name)
    if left < FEW * total:
        return Finding("D103", Level.WARNING, message, hint, org.name)
    return Finding("D103", Level.OK, message, where=org.name)


def _rights(facts: Facts) -> Iterator[Finding]:
    org, user = facts.org, facts.user
    if isinstance(org.rights, Unknown):
        message = f"what {org.username} may do cannot be read ({org.rights.reason})"
        hint = "Make sure that it has Modify Metadata, Manage Users and Assign Permission Sets."
        yield Finding("D104", Level.WARNING, message, hint, org.username)
        return
    rights = org.rights
    if rights & {"ModifyMetadata", "ModifyAllData"}:
        yield Finding("D104", Level.OK, "the signed-in user may deploy", where=org.username)
    else:
        message = "the signed-in user may not deploy: it has neither Modify Metadata nor Modify All Data"
        yield Finding("D104", Level.ERROR, message, _GIVE, org.username)
    complete = user is not None and isinstance(user.user, UserRow) and user.user.active
    assigned = user is not None and user.has_license is True and user.has_set is True
    yield _right("D105", "ManageUsers" in rights, "create and change users", "Manage Users", org, needed=not complete)
    may_assign = bool(rights & {"AssignPermissionSets", "ManageUsers"})
    yield _right("D106", may_assign, "assign permission sets", "Assign Permission Sets", org, needed=not assigned)


def _right(id: str, may: bool, what: str, permission: str, org: OrgFacts, *, needed: bool) -> Finding:
    if may:
        return Finding(id, Level.OK, f"the signed-in user may {what}", where=org.username)
    message = f"the signed-in user may not {what}: it lacks {permission}"
    if needed:
        return Finding(id, Level.ERROR, f"{message}, and apply has to", _GIVE, org.username)
    return Finding(id, Level.INFO, f"{message}; nothing of that is left to do", where=org.username)


def _misfits(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.misfits, Unknown):
        message = f"whether the config fits this org's fields cannot be told ({facts.misfits.reason})"
        yield Finding("D107", Level.WARNING, message, "Sign in as a user with Modify Metadata.", facts.org.name)
    elif facts.misfits:
        for problem in facts.misfits:
            yield Finding("D107", Level.ERROR, problem.message, problem.hint, problem.path, problem.position)
    else:
        yield Finding("D107", Level.OK, "the org has what the config names", where=facts.org.name)
