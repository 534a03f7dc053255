"""Check the org: API version, edition, API requests, and the permissions of the signed-in user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.checks.doctor.facts import Facts, OrgFacts, Unknown, UserRow
from sfcode.checks.rules import as_rule, report
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Level
from sfcode.mapping.org_features import EDITIONS_WITH_OUTBOUND_MESSAGES

FEW = 0.1
"""The share of remaining daily requests below which the doctor warns."""

_GIVE = "Assign a permission set that grants it, or sign in as an administrator."


def check(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Check the org."""
    org = facts.org
    yield _check_version(project, org)
    if not org.answers:
        if org.api_disabled:
            message = f"{org.name} has no API for the signed-in user ({org.api_disabled})"
            hint = "Give the user API Enabled; if no user has it, the edition has no API: ask Salesforce for it."
            yield report("D102", org.name, message, hint, level=Level.ERROR)
        return
    yield _check_edition(project, org)
    yield _check_requests(org)
    yield from _check_rights(facts)
    yield from _check_misfits(facts)
    yield from _check_silent_users(facts)


def _check_version(project: Project, org: OrgFacts) -> Diagnostic:
    place = project.place("salesforce", "api_version")
    if isinstance(org.versions, Unknown):
        return report(
            "D101", place, f"the org does not return its API versions ({org.versions.reason})", level=Level.WARNING
        )
    if org.api_version in org.versions:
        return report("D101", place, f"API version {org.api_version} is offered by the org", level=Level.OK)
    newest = max(org.versions, key=float, default="none")
    message = f"the org does not offer API version {org.api_version}; its newest is {newest}"
    return report("D101", place, message, f'Set api_version: "{newest}". Nothing else was checked.', level=Level.ERROR)


def _check_edition(project: Project, org: OrgFacts) -> Diagnostic:
    if org.edition and org.edition not in EDITIONS_WITH_OUTBOUND_MESSAGES:
        for mapping in project.resolved:
            if mapping.sends and mapping.by_relay:
                message = (
                    f"{org.edition} has no outbound messages, with which {mapping.name} would be sent to the relay"
                )
                hint = "Salesforce has them in Enterprise, Performance, Unlimited and Developer Edition."
                return report("D102", mapping.place("delivery"), message, hint, level=Level.ERROR)
    if org.edition in EDITIONS_WITH_OUTBOUND_MESSAGES:
        traits = ", ".join(filter(None, (org.language and f"language {org.language}", *sorted(org.features))))
        message = f"{org.edition} includes the API" + (f" ({traits})" if traits else "")
        return report("D102", org.name, message, level=Level.OK)
    message = f"{org.edition or 'this edition'} does not include the API by default, although the org responds now"
    hint = "Have Salesforce confirm API access and the license Salesforce Integration for this org."
    return report("D102", org.name, message, hint, level=Level.WARNING)


def _check_requests(org: OrgFacts) -> Diagnostic:
    if isinstance(org.requests, Unknown):
        reason = org.requests.reason
        return report(
            "D103",
            org.name,
            f"the org does not return the number of remaining API requests ({reason})",
            level=Level.NOTE,
        )
    remaining_requests, total = org.requests
    message = f"{remaining_requests:,} of {total:,} API requests are left today"
    hint = "See Setup > System Overview > API Usage for the applications that use them, or buy more; the relay waits until requests are available again."
    if remaining_requests <= 0:
        return report("D103", org.name, message, hint, level=Level.ERROR)
    if remaining_requests < FEW * total:
        return report("D103", org.name, message, hint, level=Level.WARNING)
    return report("D103", org.name, message, level=Level.OK)


def _check_rights(facts: Facts) -> Iterator[Diagnostic]:
    org, user = facts.org, facts.user
    if isinstance(org.rights, Unknown):
        message = f"could not read the permissions of {org.username} ({org.rights.reason})"
        hint = "Make sure that it has Modify Metadata, Manage Users and Assign Permission Sets."
        yield report("D104", org.username, message, hint, level=Level.WARNING)
        return
    rights = org.rights
    if rights & {"ModifyMetadata", "ModifyAllData"}:
        yield report("D104", org.username, "the signed-in user may deploy", level=Level.OK)
    else:
        message = "the signed-in user may not deploy: it has neither Modify Metadata nor Modify All Data"
        yield report("D104", org.username, message, _GIVE, level=Level.ERROR)
    complete = user is not None and isinstance(user.user, UserRow) and user.user.active
    assigned = user is not None and user.has_license is True and user.has_set is True
    yield _check_right(
        "D105", "ManageUsers" in rights, "create and change users", "Manage Users", org, needed=not complete
    )
    may_assign = bool(rights & {"AssignPermissionSets", "ManageUsers"})
    yield _check_right("D106", may_assign, "assign permission sets", "Assign Permission Sets", org, needed=not assigned)


def _check_right(id: str, may: bool, action: str, permission: str, org: OrgFacts, *, needed: bool) -> Diagnostic:
    if may:
        return report(id, org.username, f"the signed-in user may {action}", level=Level.OK)
    message = f"the signed-in user may not {action}: it lacks {permission}"
    if needed:
        return report(id, org.username, f"{message}, and apply has to", _GIVE, level=Level.ERROR)
    return report(id, org.username, f"{message}; an apply does not need it now", level=Level.NOTE)


def _check_misfits(facts: Facts) -> Iterator[Diagnostic]:
    if isinstance(facts.misfits, Unknown):
        message = f"could not check the config against this org's fields ({facts.misfits.reason})"
        yield report("D107", facts.org.name, message, "Sign in as a user with Modify Metadata.", level=Level.WARNING)
    elif facts.misfits:
        yield from (as_rule("D107", problem) for problem in facts.misfits)
    else:
        yield report("D107", facts.org.name, "the org has all objects and fields of the config", level=Level.OK)


def _check_silent_users(facts: Facts) -> Iterator[Diagnostic]:
    """Find users whose changes send no message, since they do not have the permission Send Outbound Messages."""
    users = facts.org.silent_users
    if users is None:
        return
    if isinstance(users, Unknown):
        message = f"could not check who lacks Send Outbound Messages ({users.reason})"
        yield report("D108", facts.org.name, message, level=Level.NOTE)
    elif users:
        message = f"active users without Send Outbound Messages: {len(users):,}; records that they save are not sent to Appcues"
        hint = "Grant it to those whose changes matter, other integrations among them, or schedule `sfcode relay reconcile`."
        diagnostic = report("D108", facts.org.name, message, hint, level=Level.WARNING)
        yield replace(diagnostic, records=users[:5])
    else:
        yield report("D108", facts.org.name, "every active user may send outbound messages", level=Level.OK)
