"""The integration user: its profile, its licenses, itself, its assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from sfcode.checks.doctor.facts import Facts, Seats, Unknown, UserFacts, UserRow
from sfcode.checks.doctor.finding import Finding, Level, at
from sfcode.config.models import IntegrationUser
from sfcode.config.project import Project
from sfcode.mapping.place import Place

_SETUP = "Sign in as a user with View Setup and Configuration."
_APPLY = "Run sfcode apply."


def check(project: Project, facts: Facts) -> Iterator[Finding]:
    """Judge the integration user."""
    if facts.user is None:
        return
    found, wanted = facts.user, project.settings.integration_user
    yield from _profile(project, wanted, found)
    yield _license(
        "D203",
        _place(project, "license"),
        "user license",
        wanted.license,
        found.licenses,
        taken=_has_seat(wanted, found),
    )
    yield _license(
        "D204",
        _place(project, "permission_set_license"),
        "permission set license",
        wanted.permission_set_license,
        found.set_licenses,
        taken=found.has_license is True,
    )
    yield from _user(project, wanted, found)


def _has_seat(wanted: IntegrationUser, found: UserFacts) -> bool:
    """Tell whether the user takes a seat of the configured license already."""
    if not (isinstance(found.user, UserRow) and found.user.active):
        return False
    return isinstance(found.profiles, Unknown) or found.profiles.get(found.user.profile) == wanted.license


def _place(project: Project, key: str) -> Place:
    return project.place("integration_user", key)


def _profile(project: Project, wanted: IntegrationUser, found: UserFacts) -> Iterator[Finding]:
    place = _place(project, "profile")
    if isinstance(found.profiles, Unknown):
        message = f"whether there is a profile {wanted.profile} cannot be told ({found.profiles.reason})"
        yield at("D201", Level.WARNING, place, message, _SETUP)
        return
    license = found.profiles.get(wanted.profile)
    if license is None:
        message = f"the org has no profile {wanted.profile}"
        same = [name for name, of in found.profiles.items() if of == wanted.license]
        yield at(
            "D201", Level.ERROR, place, message, _instead(wanted.profile, same or found.profiles.keys(), "profile")
        )
        return
    yield at("D201", Level.OK, place, f"the profile {wanted.profile} exists")
    if license == wanted.license:
        yield at("D202", Level.OK, place, f"the profile belongs to the user license {license}")
    else:
        message = f"the profile {wanted.profile} belongs to the user license {license}, not to {wanted.license}"
        hint = f"Write license: {license}, or name a profile of {wanted.license}."
        yield at("D202", Level.ERROR, place, message, hint)


def _instead(name: str, known: Collection[str], what: str) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"Did you mean {close[0]}?" if close else f"Name a {what} that it has."


def _license(
    id: str, place: Place, what: str, name: str, known: Mapping[str, Seats] | Unknown, *, taken: bool
) -> Finding:
    if isinstance(known, Unknown):
        return at(id, Level.WARNING, place, f"whether there is a {what} {name} cannot be told ({known.reason})", _SETUP)
    if name not in known:
        hint = f"{_instead(name, known.keys(), what)} Salesforce adds missing licenses."
        return at(id, Level.ERROR, place, f"the org has no {what} {name}", hint)
    seats = known[name]
    message = f"{seats.used} of {seats.total} seats of the {what} {name} are taken"
    if seats.left <= 0 and not taken:
        hint = (
            "Free one (deactivate a user, or take the license away), or buy one; Setup > Company Information has them."
        )
        return at(id, Level.ERROR, place, f"{message}, and the integration user still needs one", hint)
    return at(id, Level.OK, place, message)


def _user(project: Project, wanted: IntegrationUser, found: UserFacts) -> Iterator[Finding]:
    place, user = _place(project, "username"), found.user
    if isinstance(user, Unknown):
        yield at("D205", Level.WARNING, place, f"{wanted.username} cannot be looked up ({user.reason})")
        return
    if user is None:
        if found.alike:
            message = f"there is no user {wanted.username}, but there is {', '.join(found.alike)}"
            hint = (
                "A sandbox puts its name behind usernames: if that is this user, set the variable that username is "
                "made of for this environment, or apply makes a second one."
            )
            yield at("D208", Level.WARNING, place, message, hint)
        yield at("D205", Level.INFO, place, f"the user {wanted.username} does not exist yet", "Apply makes it.")
        return
    yield at("D205", Level.OK, place, f"the user {wanted.username} exists")
    if user.active:
        yield at("D206", Level.OK, place, "the integration user is active")
    else:
        yield at(
            "D206", Level.ERROR, place, f"the user {wanted.username} is deactivated: nothing can sign in as it", _APPLY
        )
    if user.profile != wanted.profile:
        message = f"the user has the profile {user.profile}, and the config asks for {wanted.profile}"
        yield at("D207", Level.WARNING, _place(project, "profile"), message, f"{_APPLY} Or name the one it has.")
    else:
        yield at("D207", Level.OK, _place(project, "profile"), "the user has the configured profile")
    if user.email.endswith(".invalid"):
        message = "the user's e-mail address ends with .invalid, as after the refresh of a sandbox: mail is lost"
        yield at("D209", Level.WARNING, _place(project, "email"), message, f"{_APPLY} Or mend it in Setup > Users.")
    else:
        yield at("D209", Level.OK, _place(project, "email"), "mail to the user is not switched off")
    name = project.integration_set
    psl = wanted.permission_set_license
    yield _assignment(
        "D210", _place(project, "permission_set_license"), f"permission set license {psl}", found.has_license
    )
    yield _assignment("D211", project.place("name"), f"permission set {name}", found.has_set)


def _assignment(id: str, place: Place, what: str, held: bool | Unknown) -> Finding:
    if isinstance(held, Unknown):
        return at(id, Level.WARNING, place, f"whether the user has the {what} cannot be told ({held.reason})", _SETUP)
    if held:
        return at(id, Level.OK, place, f"the user has the {what}")
    return at(id, Level.ERROR, place, f"the user does not have the {what}, without which it sees no records", _APPLY)
