"""Check the integration user: profile, licenses, the user, assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from sfcode.checks.doctor.facts import Facts, Unknown, UserFacts, UserRow
from sfcode.checks.rules import report
from sfcode.config.models import IntegrationUser
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Level
from sfcode.mapping.place import Place
from sfcode.org import Seats

_SETUP = "Sign in as a user with View Setup and Configuration."
_APPLY = "Run sfcode apply."


def check(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Check the integration user."""
    if facts.user is None:
        return
    user_facts, settings = facts.user, project.settings.integration_user
    yield from _check_profile(project, settings, user_facts)
    yield _check_license(
        "D203",
        _place(project, "license"),
        "user license",
        settings.license,
        user_facts.licenses,
        has_seat=_has_seat(settings, user_facts),
    )
    yield _check_license(
        "D204",
        _place(project, "permission_set_license"),
        "permission set license",
        settings.permission_set_license,
        user_facts.set_licenses,
        has_seat=user_facts.has_license is True,
    )
    yield from _check_user(project, settings, user_facts)


def _has_seat(settings: IntegrationUser, facts: UserFacts) -> bool:
    """Return whether the user already uses a seat of the configured license."""
    if not (isinstance(facts.user, UserRow) and facts.user.active):
        return False
    return isinstance(facts.profiles, Unknown) or facts.profiles.get(facts.user.profile) == settings.license


def _place(project: Project, key: str) -> Place:
    return project.place("integration_user", key)


def _check_profile(project: Project, settings: IntegrationUser, facts: UserFacts) -> Iterator[Diagnostic]:
    place = _place(project, "profile")
    if isinstance(facts.profiles, Unknown):
        message = f"could not check for the profile {settings.profile} ({facts.profiles.reason})"
        yield report("D201", place, message, _SETUP, level=Level.WARNING)
        return
    license = facts.profiles.get(settings.profile)
    if license is None:
        message = f"the org has no profile {settings.profile}"
        same = [name for name, of in facts.profiles.items() if of == settings.license]
        yield report(
            "D201",
            place,
            message,
            _instead(settings.profile, same or facts.profiles.keys(), "profile"),
            level=Level.ERROR,
        )
        return
    yield report("D201", place, f"the profile {settings.profile} exists", level=Level.OK)
    if license == settings.license:
        yield report("D202", place, f"the profile belongs to the user license {license}", level=Level.OK)
    else:
        message = f"the profile {settings.profile} belongs to the user license {license}, not to {settings.license}"
        hint = f"Set license: {license}, or a profile of the license {settings.license}."
        yield report("D202", place, message, hint, level=Level.ERROR)


def _instead(name: str, names: Collection[str], noun: str) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.4)
    return f"Did you mean {close[0]}?" if close else f"Set a {noun} of this org."


def _check_license(
    id: str, place: Place, noun: str, name: str, seats_by_name: Mapping[str, Seats] | Unknown, *, has_seat: bool
) -> Diagnostic:
    if isinstance(seats_by_name, Unknown):
        return report(
            id,
            place,
            f"could not check for the {noun} {name} ({seats_by_name.reason})",
            _SETUP,
            level=Level.WARNING,
        )
    if name not in seats_by_name:
        hint = f"{_instead(name, seats_by_name.keys(), noun)} Salesforce adds missing licenses."
        return report(id, place, f"the org has no {noun} {name}", hint, level=Level.ERROR)
    seats = seats_by_name[name]
    message = f"{seats.used} of {seats.total} seats of the {noun} {name} are taken"
    if seats.left <= 0 and not has_seat:
        hint = "Free one (deactivate a user, or remove the license), or buy one; Setup > Company Information has them."
        return report(id, place, f"{message}, and the integration user still needs one", hint, level=Level.ERROR)
    return report(id, place, message, level=Level.OK)


def _check_user(project: Project, settings: IntegrationUser, facts: UserFacts) -> Iterator[Diagnostic]:
    place, user = _place(project, "username"), facts.user
    if isinstance(user, Unknown):
        yield report("D205", place, f"{settings.username} cannot be looked up ({user.reason})", level=Level.WARNING)
        return
    if user is None:
        if facts.alike:
            message = f"there is no user {settings.username}, but there is {', '.join(facts.alike)}"
            hint = (
                "Salesforce appends the name of a sandbox to usernames. If this is the integration user, set its "
                "username in the variables of this environment; otherwise apply creates a second user."
            )
            yield report("D208", place, message, hint, level=Level.WARNING)
        yield report(
            "D205", place, f"the user {settings.username} does not exist yet", "Apply creates it.", level=Level.NOTE
        )
        return
    yield report("D205", place, f"the user {settings.username} exists", level=Level.OK)
    if user.active:
        yield report("D206", place, "the integration user is active", level=Level.OK)
    else:
        yield report(
            "D206",
            place,
            f"the user {settings.username} is deactivated: nothing can sign in as it",
            _APPLY,
            level=Level.ERROR,
        )
    if user.profile != settings.profile:
        message = f"the user has the profile {user.profile}, and the config asks for {settings.profile}"
        yield report(
            "D207",
            _place(project, "profile"),
            message,
            f"{_APPLY} Or set the one that the user has.",
            level=Level.WARNING,
        )
    else:
        yield report("D207", _place(project, "profile"), "the user has the configured profile", level=Level.OK)
    if user.email.endswith(".invalid"):
        message = "the user's e-mail address ends with .invalid, as after the refresh of a sandbox: mail to it is lost"
        yield report(
            "D209", _place(project, "email"), message, f"{_APPLY} Or correct it in Setup > Users.", level=Level.WARNING
        )
    else:
        yield report(
            "D209", _place(project, "email"), "the user's e-mail address does not end with .invalid", level=Level.OK
        )
    name = project.integration_set
    psl = settings.permission_set_license
    yield _check_assignment(
        "D210", _place(project, "permission_set_license"), f"permission set license {psl}", facts.has_license
    )
    yield _check_assignment("D211", project.place("name"), f"permission set {name}", facts.has_set)
    yield from _check_other_rights(project, settings, facts)


def _check_other_rights(project: Project, settings: IntegrationUser, facts: UserFacts) -> Iterator[Diagnostic]:
    place = _place(project, "accepted_rights")
    if isinstance(facts.other_rights, Unknown):
        message = f"could not check for other rights of the user ({facts.other_rights.reason})"
        yield report("D212", place, message, _SETUP, level=Level.WARNING)
        return
    rights = facts.other_rights.remove_accepted(settings.accepted_rights)
    for address in rights.assigned:
        message = f"the user also has {address}, which this project does not manage"
        hint = f"Remove it in Setup, or accept it with `accepted_rights: [{address}]`."
        yield report("D212", place, message, hint, level=Level.WARNING)
    if rights.granted_by_profile:
        profile = f"Profile:{rights.profile}"
        message = f"{profile} grants: {'; '.join(rights.granted_by_profile)}"
        hint = f"Set a profile that grants nothing, or accept it with `accepted_rights: [{profile}]`."
        yield report("D212", _place(project, "profile"), message, hint, level=Level.WARNING)
    if not rights:
        yield report("D212", place, "the user has no rights besides the permission set", level=Level.OK)


def _check_assignment(id: str, place: Place, noun: str, is_assigned: bool | Unknown) -> Diagnostic:
    if isinstance(is_assigned, Unknown):
        return report(
            id,
            place,
            f"could not check whether the user has the {noun} ({is_assigned.reason})",
            _SETUP,
            level=Level.WARNING,
        )
    if is_assigned:
        return report(id, place, f"the user has the {noun}", level=Level.OK)
    return report(
        id, place, f"the user does not have the {noun}, without which it sees no records", _APPLY, level=Level.ERROR
    )
