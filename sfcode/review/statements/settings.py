"""Statements about the settings of `sfcode.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfcode.checks.phrases import code, join_list
from sfcode.checks.risk import ELSEWHERE, FULL_USER, OTHER_USER
from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.naming import is_same_name
from sfcode.mapping.permissions import API_ONLY_LICENSES, API_ONLY_PROFILES
from sfcode.metadata.component import Address
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements import relay
from sfcode.review.statements.context import Context, Pair
from sfcode.review.statements.to_salesforce import NEW_DATA

_LEFT_OUT = ("version", "as_is", "environments", "review", "safety", "viewers")

_NAMES = tuple(
    f"integration_user.{key}" for key in ("username", "license", "profile", "permission_set", "permission_set_license")
)
"""Names of Salesforce, which are the same in another case."""
_WIDE = ("integration_user.license", "integration_user.profile")
"""Settings that may grant rights to the integration user in addition to its permission set."""


@dataclass(frozen=True, slots=True)
class Words:
    """The description of a setting; {before} and {after} are its values."""

    group: Group
    text: str
    risk: Risk = Risk.LOW
    because: str = ""


WORDS: Mapping[str, Words] = {
    "relay.url": Words(
        Group.LEAVING, "Salesforce will send its messages to {after} instead of {before}", Risk.HIGH, ELSEWHERE
    ),
    "relay.outbound_secret": Words(
        Group.SETUP,
        "The address that Salesforce sends to will hold the secret {after} instead of {before}",
        Risk.MEDIUM,
        "the relay needs the same secret at the same time",
    ),
    "appcues.account_id": Words(
        Group.LEAVING, "Data will go to the Appcues account {after} instead of {before}", Risk.HIGH, ELSEWHERE
    ),
    "appcues.region": Words(
        Group.LEAVING, "Data will go to Appcues in the region {after} instead of {before}", Risk.HIGH, ELSEWHERE
    ),
    **{
        f"relay.retention.{state}_days": Words(
            Group.SETUP, f"The relay will keep {messages} for {{after}} days instead of {{before}}"
        )
        for state, messages in (
            ("delivered", "delivered messages"),
            ("parked", "messages that wait for a person"),
            ("given_up", "messages that were given up"),
            ("audit", "audit lines"),
        )
    },
    "name": Words(
        Group.SETUP,
        "Everything in Salesforce will be renamed: names begin with {after} instead of {before}, so components are "
        "deleted and created again",
        Risk.MEDIUM,
        "components are replaced by ones with other names",
    ),
    "id": Words(
        Group.SETUP,
        "The project's identity will be {after} instead of {before}: its state in an org is another one",
        Risk.MEDIUM,
        "components of the previous state are no longer managed, unless `moved` names them",
    ),
    "salesforce.api_version": Words(
        Group.SETUP, "The Metadata API will be used in version {after} instead of {before}"
    ),
    "integration_user.username": Words(
        Group.ACCESS,
        "The integration user will be {after} instead of {before}: a new user is created, and the old one, "
        "where it has the same profile, is deactivated",
        Risk.MEDIUM,
        OTHER_USER,
    ),
    "integration_user.last_name": Words(
        Group.ACCESS, "The integration user's last name will be {after} instead of {before}"
    ),
    "integration_user.email": Words(
        Group.ACCESS, "Mail about the integration user will go to {after} instead of {before}"
    ),
    "integration_user.license": Words(
        Group.ACCESS, "The integration user's license will be {after} instead of {before}", Risk.MEDIUM, OTHER_USER
    ),
    "integration_user.profile": Words(
        Group.ACCESS, "The integration user's profile will be {after} instead of {before}", Risk.MEDIUM, OTHER_USER
    ),
    "integration_user.permission_set": Words(
        Group.ACCESS,
        "The integration user's permission set will be {after} instead of {before}",
        Risk.MEDIUM,
        OTHER_USER,
    ),
    "integration_user.permission_set_license": Words(
        Group.ACCESS,
        "The integration user's permission set license will be {after} instead of {before}",
        Risk.MEDIUM,
        OTHER_USER,
    ),
}

RENAMED_BY = {"name": "PermissionSet", "integration_user.username": "User"}
"""For each setting, the type of the component that is renamed in place if it exists under its former name."""

RENAMED_WORDS = {
    "name": Words(
        Group.SETUP,
        "Everything in Salesforce will be renamed: names begin with {after} instead of {before}. Permission sets and fields keep "
        "their assignments and values; messages, flows and rules are deleted and created again",
        Risk.MEDIUM,
        "components are replaced by ones with other names",
    ),
    "integration_user.username": Words(
        Group.ACCESS,
        "The integration user {before} will be renamed to {after}, and keeps its license and its permission sets",
        Risk.MEDIUM,
        OTHER_USER,
    ),
}

SWITCHES: Mapping[tuple[str, bool], tuple[str, Risk, str]] = {
    ("relay.run_assignment_rules", True): (
        "The relay's writes will run lead assignment rules",
        Risk.MEDIUM,
        "an NPS answer may change the owner of a lead",
    ),
    ("relay.run_assignment_rules", False): (
        "The relay's writes will no longer run lead assignment rules",
        Risk.LOW,
        "",
    ),
    ("relay.redact_feedback", True): (
        "The relay will remove feedback texts from its database once they are delivered",
        Risk.LOW,
        "",
    ),
    ("relay.redact_feedback", False): (
        "The relay will keep feedback texts in its database after they are delivered",
        Risk.MEDIUM,
        "personal data is kept longer",
    ),
    ("relay.allow_duplicates", True): (
        "The relay will update records even if a duplicate rule alerts about them",
        Risk.LOW,
        "",
    ),
    ("relay.allow_duplicates", False): (
        "The relay will not update records that a duplicate rule alerts about: those answers are parked",
        Risk.MEDIUM,
        "answers that were written are parked",
    ),
}
"""Statements for turning a setting on or off: sentence, risk and reason."""

_MOVED_ON = "The rename is no longer listed: an org without the rename will create the component again"

_ACCESS = {
    "least_privilege": "The integration user gets the least access that the mappings need, instead of the access on "
    "Appcues' help page",
    "documented": "The integration user gets the access on Appcues' help page, instead of the least access that the "
    "mappings need",
}
_REACH = {
    "sharing": "the records that are shared with it",
    "view_all": "all records for reading",
    "modify_all": "all records for reading and writing",
}


def settings_statements(context: Context) -> Iterator[Statement]:
    """Describe the settings that differ."""
    if context.before is None:
        return
    old, new = context.before.project, context.after.project
    values = _flat(old), _flat(new)
    for path in sorted({*values[0], *values[1]}):
        before, after = (value.get(path) for value in values)
        if before == after or path.startswith(relay.PREFIXES) or (path in _NAMES and is_same_name(before, after)):
            continue
        if path == "integration_user.permission_set" and not _has_chosen_set(old, new):
            continue  # the rename of the project includes it
        if path == "integration_user.accepted_rights":
            continue  # there is a statement for each address
        if path == "relay.activities_as" and any(_is_described_by_mapping(pair) for pair in context.pairs):
            continue
        yield from _describe_setting(path, before, after, context)
    yield from relay.relay_statements(old, new)


def _describe_move(path: str, after: object) -> str:
    _, kind, *former = path.split(".")
    if kind == "name":
        return f"What has the project's previous name {code(after)} will be renamed"
    if kind == "user":
        return f"The integration user {code(after)} will be renamed, and keeps its license and its permission sets"
    name = ".".join(former)
    effect = "keeps its values" if kind == "fields" else "is still found by its former name"
    return f"The {kind.removesuffix('s')} {code(name)} will be renamed to {code(after)}, and {effect}"


def _has_chosen_set(*sides: Project) -> bool:
    return any(side.settings.integration_user.permission_set for side in sides)


def _is_described_by_mapping(pair: Pair) -> bool:
    """Return whether a statement about the mapping already describes another object of its activities."""
    activities = {pair.before.activity, pair.after.activity} if pair.before and pair.after else set()
    return len(activities) > 1 and "" not in activities


def _describe_setting(path: str, before: object, after: object, context: Context) -> Iterator[Statement]:
    project = context.after.project
    position = project.at(*path.split("."))
    user = project.settings.integration_user
    renamed = {move.present.type for move in context.plan.moves if move.in_place}
    if path.startswith("moved."):
        kind = path.split(".")[1]
        if not (kind == "fields" and "CustomField" in renamed) and not (kind == "user" and "User" in renamed):
            text = _describe_move(path, after) if after else _MOVED_ON
            yield Statement(Group.SETUP, text, Risk.LOW, "", position)
        return
    if (path, after) in SWITCHES:
        text, risk, because = SWITCHES[path, bool(after)]
        yield Statement(Group.WRITTEN, text, risk, because, position)
        return
    if path == "integration_user.access":
        risk, because = (Risk.MEDIUM, OTHER_USER) if after == "documented" else (Risk.LOW, "")
        yield Statement(Group.ACCESS, _ACCESS[user.access], risk, because, position)
        return
    if path == "integration_user.record_access":
        text = f"The integration user reaches {_REACH[str(after)]}, instead of {_REACH[str(before)]}"
        risk, because = (Risk.LOW, "") if after == "sharing" else (Risk.MEDIUM, OTHER_USER)
        yield Statement(Group.ACCESS, text, risk, because, position)
        return
    if path == "relay.activities_as":
        text = "What Appcues users do will become {after} instead of {before}"
        words = Words(Group.WRITTEN, text, Risk.MEDIUM, NEW_DATA)
    else:
        words = RENAMED_WORDS[path] if RENAMED_BY.get(path) in renamed else WORDS[path]
    text = words.text.format(before=code(before), after=code(after))
    if path in _WIDE and not _is_api_only(path, after):
        yield Statement(words.group, text, Risk.HIGH, FULL_USER, position)
    else:
        yield Statement(words.group, text, words.risk, words.because, position)


def _is_api_only(path: str, value: object) -> bool:
    return value in (API_ONLY_LICENSES if path == "integration_user.license" else API_ONLY_PROFILES)


def rights_elsewhere_statements(context: Context) -> Iterator[Statement]:
    """Describe rights of the integration user in addition to its permission set."""
    new = context.after.project
    user = new.settings.integration_user
    if context.before is None:
        for path, value in zip(_WIDE, (user.license, user.profile), strict=True):
            if not _is_api_only(path, value):
                text = f"The integration user's {path.partition('.')[2]} will be {code(value)}, which is not for the API alone"
                yield Statement(Group.ACCESS, text, Risk.HIGH, FULL_USER, new.at(*path.split(".")))
    old = context.before.project.settings.integration_user.accepted_rights if context.before else ()
    position = new.at("integration_user", "accepted_rights")
    accepted, formerly_accepted = (set(map(Address.parse, rights)) for rights in (user.accepted_rights, old))
    for address in sorted(accepted - formerly_accepted):
        text = f"What {code(address)} grants to the integration user is accepted"
        yield Statement(Group.ACCESS, text, Risk.HIGH, FULL_USER, position)
    for address in sorted(formerly_accepted - accepted):
        text = f"What {code(address)} grants to the integration user is no longer accepted"
        yield Statement(Group.ACCESS, text, Risk.LOW, "", position)


def _flat(project: Project) -> dict[str, object]:
    """List the settings by path."""
    values_by_path: dict[str, object] = {}

    def walk(path: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{path}.{key}" if path else key, inner)
        else:
            values_by_path[path] = value

    walk("", project.settings.model_dump(mode="json", by_alias=True, exclude={*_LEFT_OUT}))
    return {**values_by_path, "integration_user.permission_set": project.integration_set}


def personal_data_statements(context: Context) -> Iterator[Statement]:
    """Describe changes of accepted and additional personal data."""
    if context.before is None:
        return
    old, new = (side.project.settings.review.personal_data for side in (context.before, context.after))
    position = context.after.project.at("review", "personal_data")
    for words, before, after in (
        ("accepted as personal data that leaves Salesforce", old.accepted, new.accepted),
        ("counted as personal data", old.fields, new.fields),
    ):
        for no_longer, names in (("", {*after} - {*before}), ("no longer ", {*before} - {*after})):
            if names:
                text = f"{join_list(sorted(names))} {'is' if len(names) == 1 else 'are'} {no_longer}{words}"
                yield Statement(Group.SETUP, text, Risk.LOW, "", position)
