"""Choose the integration user and its permission set."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.config.did_you_mean import format_choices
from sfcode.config.models import IntegrationUser
from sfcode.importing.proposal import Decisions, UserProposal
from sfcode.importing.scan_result import INTEGRATION_LICENSE, CandidateUser, PermissionSetGrants
from sfcode.text import count_noun

_DEFAULTS = {name: str(info.default) for name, info in IntegrationUser.model_fields.items()}
WHAT = "integration user"


def choose_user(decisions: Decisions, objects: tuple[str, ...]) -> UserProposal:
    """Choose the integration user, or propose a new one."""
    person = _person(decisions, objects)
    permission_set = _set(decisions, objects, person)
    if person is None:
        domain = decisions.found.target.username.partition("@")[2]
        return _draft(
            CandidateUser(f"appcues.integration@{domain}", "", decisions.found.email, "", ""),
            permission_set,
            objects,
            is_new=True,
        )
    if not person.set_licenses:
        decisions.notes.append(
            f"{person.username} has no permission set license, without which the permission set usually cannot be "
            f"assigned, although the help page does not mention it. The plan adds {_DEFAULTS['permission_set_license']}"
        )
    return _draft(person, permission_set, objects)


def _draft(
    person: CandidateUser, permission_set: PermissionSetGrants | None, objects: tuple[str, ...], *, is_new: bool = False
) -> UserProposal:
    usual = _DEFAULTS["permission_set_license"]
    licenses = person.set_licenses
    documented = permission_set is not None and bool(permission_set.objects("modifyAllRecords") & {*objects})
    reach = "view_all" if permission_set and permission_set.objects("viewAllRecords") & {*objects} else "sharing"
    return UserProposal(
        person.username,
        person.last_name or _DEFAULTS["last_name"],
        person.email,
        person.license or _DEFAULTS["license"],
        person.profile or _DEFAULTS["profile"],
        usual if usual in licenses or not licenses else licenses[0],
        permission_set.name if permission_set else None,
        "documented" if documented else "least_privilege",
        "modify_all" if documented else reach,
        is_new,
    )


def _person(decisions: Decisions, objects: tuple[str, ...]) -> CandidateUser | None:
    people = {person.username.lower(): person for person in decisions.found.people}
    if decisions.options.user:
        person = people.get(decisions.options.user.lower())
        if person and person.license != INTEGRATION_LICENSE:
            text = f"{person.username} has the license {person.license}, so it is a person, whom sfcode does not manage"
            decisions.ask(text, f"remove --user; sfcode then creates a user with the license {INTEGRATION_LICENSE}")
        elif person:
            decisions.choose(WHAT, person.username, "passed as an option")
        else:
            names = [candidate.username for candidate in decisions.found.people]
            alternatives = (
                f"It has {format_choices(decisions.options.user, names)}"
                if names
                else "The org has no active user with an API-only license"
            )
            decisions.ask(
                f"There is no active user {decisions.options.user} in this org. {alternatives}", "--user USERNAME"
            )
        return person
    machines = [person for person in decisions.found.people if person.license == INTEGRATION_LICENSE]
    senders = {message.user.lower() for message in decisions.found.messages}
    for because, candidates in (
        (
            "Appcues' outbound message runs as this user",
            [candidate for candidate in machines if candidate.username.lower() in senders],
        ),
        (
            f"its permission set grants permissions on {' and '.join(objects)}",
            [candidate for candidate in machines if _list_fitting_sets(decisions, candidate, objects)],
        ),
        (f"the only active user with the license {INTEGRATION_LICENSE}", machines),
    ):
        if len(candidates) == 1:
            decisions.choose(WHAT, candidates[0].username, because)
            return candidates[0]
        if candidates:
            every = ", ".join(candidate.username for candidate in candidates)
            decisions.ask(
                f"Which user does the integration sign in as? Several are possible: {every}",
                f"--user {candidates[0].username}",
            )
            return None
    humans = ", ".join(sorted({message.user for message in decisions.found.messages}))
    because = f"there is no user with the license {INTEGRATION_LICENSE}"
    because += f"; Appcues is connected as {humans} until it is connected again" if humans else ""
    decisions.choose(WHAT, "a new one", because)
    return None


def _list_fitting_sets(
    decisions: Decisions, person: CandidateUser, objects: tuple[str, ...]
) -> list[PermissionSetGrants]:
    """List the permission sets of a user that grant rights on some objects or on events."""
    return [
        grants
        for grants in map(decisions.found.grants, person.sets)
        if {*objects} & grants.objects("allowRead") or grants.fields("Event")
    ]


def _set(decisions: Decisions, objects: tuple[str, ...], person: CandidateUser | None) -> PermissionSetGrants | None:
    subject = "permission set"
    if decisions.options.permission_set:
        permission_set = decisions.found.sets.get(decisions.options.permission_set)
        if permission_set:
            decisions.choose(subject, permission_set.name, "passed as an option")
        else:
            decisions.ask(
                f"There is no permission set {decisions.options.permission_set} in this org", "--permission-set NAME"
            )
        return permission_set
    fit = _list_fitting_sets(decisions, person, objects) if person else []
    if len(fit) == 1:
        decisions.choose(
            subject, fit[0].name, f"assigned to {person.username if person else ''}, {_about(fit[0], objects)}"
        )
        return fit[0]
    if fit:
        text = f"Which permission set should sfcode adopt? {_join_names(fit)} are assigned to the integration user"
        decisions.ask(text, f"--permission-set {fit[0].name}")
    elif person:
        decisions.choose(
            subject,
            "a new one",
            f"no permission set that is assigned to {person.username} is about {' or '.join(objects)}",
        )
    return None


def _about(permission_set: PermissionSetGrants, objects: tuple[str, ...]) -> str:
    wide = sorted(permission_set.objects("modifyAllRecords") & {*objects})
    parts = [f"Modify All on {' and '.join(wide)}"] if wide else []
    event_fields = permission_set.fields("Event")
    parts += [f"{count_noun(len(event_fields), 'field')} of Event"] if event_fields else []
    return (
        " and ".join(parts)
        or f"permissions on {' and '.join(sorted(permission_set.objects('allowRead') & {*objects}))}"
    )


def _join_names(sets: Iterable[PermissionSetGrants]) -> str:
    return ", ".join(permission_set.name for permission_set in sets)
