"""The rules of linter, plan and doctor by id, and their diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.mapping.place import Place


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Ids never change, because users put them into filters and dashboards."""

    id: str
    name: str
    level: Level
    says: str

    @property
    def area(self) -> str:
        """Return the area of a doctor's rule; "" for other rules."""
        return AREAS.get(self.id[:2], "")


AREAS = {"D1": "org", "D2": "integration user", "D3": "retired", "D4": "relay", "D5": "data"}
"""What a rule of the doctor is about, by the beginning of its id."""


LINT_RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("SF001", "config-does-not-load", Level.ERROR, "The config does not load."),
        Rule("SF002", "config-advice", Level.NOTE, "The config works, and something in it deserves a look."),
        Rule("SF101", "field-not-in-message", Level.ERROR, "A mapped field is not in the outbound message."),
        Rule(
            "SF102",
            "message-lacks-identity",
            Level.ERROR,
            "The outbound message lacks what the relay knows records by.",
        ),
        Rule("SF103", "change-not-noticed", Level.WARNING, "A change of a mapped field sends nothing."),
        Rule("SF104", "field-not-readable", Level.ERROR, "The integration user cannot read what is sent."),
        Rule("SF105", "target-not-writable", Level.ERROR, "The integration user cannot write what it should."),
        Rule(
            "SF106",
            "message-misses-relay",
            Level.ERROR,
            "The outbound message does not reach this mapping in the relay.",
        ),
        Rule("SF107", "message-not-fired", Level.ERROR, "Nothing sends the outbound message."),
        Rule("SF108", "generated-field-unfit", Level.ERROR, "A generated field is not what the relay counts on."),
        Rule("SF109", "attribute-of-two-types", Level.WARNING, "One Appcues attribute is sent with two types."),
        Rule(
            "SF110", "unmapped-field-sent", Level.WARNING, "The outbound message holds a field that no mapping names."
        ),
        Rule("SF201", "all-records", Level.WARNING, "The integration user reaches all records of an object."),
        Rule(
            "SF202", "documented-access", Level.WARNING, "The integration user has more rights than the mappings need."
        ),
        Rule("SF203", "personal-data", Level.WARNING, "Personal data leaves Salesforce and has not been accepted."),
        Rule("SF204", "look-alike-names", Level.WARNING, "Two names in Appcues differ in case or separators only."),
        Rule(
            "SF205",
            "reserved-event",
            Level.WARNING,
            "A click-to-track event has the name of one of Appcues' own events.",
        ),
        Rule("SF206", "workflow-rule", Level.WARNING, "A workflow rule sends the message; support for them has ended."),
        Rule("SF207", "deprecated-profile", Level.WARNING, "The profile has been replaced and new orgs lack it."),
        Rule(
            "SF208", "session-id", Level.WARNING, "A template asks for session ids, which Salesforce no longer sends."
        ),
        Rule("SF209", "secret-in-file", Level.ERROR, "A file holds what looks like a secret."),
        Rule("SF210", "unused", Level.NOTE, "Something is written and never used."),
        Rule("SF211", "answer-never-written", Level.WARNING, "An NPS field is mapped and no event fills it."),
        Rule("SF212", "unasked-access", Level.WARNING, "A template grants access that no mapping asks for."),
        Rule(
            "SF213", "secret-by-name", Level.WARNING, "A variable is called a secret, and its value stands in the file."
        ),
    )
}
"""What is known offline: SF0 the config itself, SF1 the chain from field to attribute, SF2 habits."""

PLAN_RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("SF301", "plan-refused", Level.ERROR, "The plan is refused until somebody accepts what it would do."),
        Rule("SF302", "plan-warning", Level.WARNING, "The plan has found something that deserves a look."),
        Rule("SF303", "org-refuses", Level.ERROR, "The org does not take the package."),
    )
}
"""What only an org can tell while a plan is made or checked."""

DOCTOR_RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("D101", "api-version", Level.ERROR, "The org offers the API version of the config."),
        Rule("D102", "api-access", Level.ERROR, "The org has the API, and the signed-in user may use it."),
        Rule("D103", "api-requests", Level.WARNING, "API requests are left today."),
        Rule("D104", "deploy-right", Level.ERROR, "The signed-in user may deploy metadata."),
        Rule("D105", "user-right", Level.ERROR, "The signed-in user may create and change users."),
        Rule("D106", "assign-right", Level.ERROR, "The signed-in user may assign permission sets."),
        Rule("D107", "config-fits-org", Level.ERROR, "The org has the objects and fields that the config names."),
        Rule("D201", "profile", Level.ERROR, "The integration user's profile exists."),
        Rule("D202", "profile-license", Level.ERROR, "The profile belongs to the configured user license."),
        Rule("D203", "user-license", Level.ERROR, "A seat of the user license is there for the integration user."),
        Rule(
            "D204",
            "permission-set-license",
            Level.ERROR,
            "A seat of the permission set license is there for the integration user.",
        ),
        Rule("D205", "user", Level.WARNING, "The integration user exists."),
        Rule("D206", "user-active", Level.ERROR, "The integration user is active."),
        Rule("D207", "user-profile", Level.WARNING, "The integration user has the configured profile."),
        Rule("D208", "user-by-another-name", Level.WARNING, "No other user has nearly the integration user's name."),
        Rule("D209", "user-email", Level.WARNING, "Mail to the integration user arrives."),
        Rule("D210", "license-assignment", Level.ERROR, "The integration user has the permission set license."),
        Rule("D211", "permission-set-assignment", Level.ERROR, "The integration user has the permission set."),
        Rule("D301", "workflow-rule", Level.WARNING, "No mapping is sent by a workflow rule, whose support has ended."),
        Rule("D302", "deprecated-profile", Level.WARNING, "The profile is one that new orgs have."),
        Rule("D401", "outbound-queue", Level.NOTE, "Which messages wait or failed is shown in Setup only."),
        Rule("D402", "relay-address", Level.ERROR, "Salesforce can reach the relay's address."),
        Rule("D403", "relay-connection", Level.WARNING, "The relay can be connected to."),
        Rule("D404", "relay-certificate", Level.WARNING, "The relay's certificate is valid."),
        Rule("D405", "relay-health", Level.WARNING, "The relay answers that it is healthy."),
        Rule("D406", "two-carriers", Level.WARNING, "Appcues' own connector does not carry what the relay carries."),
        Rule("D501", "records", Level.WARNING, "There are records with a user id, which can be synced."),
        Rule("D502", "user-id-field", Level.ERROR, "The user id field exists and can be seen."),
        Rule("D503", "blank-ids", Level.NOTE, "Every record has a user id."),
        Rule("D504", "duplicate-ids", Level.WARNING, "No user id is on several records."),
        Rule("D505", "ids-in-two-cases", Level.WARNING, "No two user ids differ in case only."),
        Rule("D506", "slow-lookup", Level.WARNING, "Records are found by an indexed field."),
        Rule("D507", "org-wide-default", Level.WARNING, "The integration user sees all records of the object."),
        Rule(
            "D508", "seen-by-integration-user", Level.WARNING, "The integration user sees as many records as there are."
        ),
        Rule("D509", "not-looked-at", Level.WARNING, "Records and duplicates could be counted."),
    )
}
"""What `sfcode doctor` looks at: the level is the worst that a rule reports."""

RULES: dict[str, Rule] = {**LINT_RULES, **PLAN_RULES, **DOCTOR_RULES}
"""All rules."""


def report(
    rule: str,
    place: Place | Position | str | None,
    message: str,
    hint: str = "",
    *,
    level: Level | None = None,
    related: Position | None = None,
) -> Diagnostic:
    """
    Return a diagnostic of a rule, at a place in the config or about something in the org, which `place` names.

    Its level is the rule's, where `level` gives no other.
    """
    position = place.position if isinstance(place, Place) else place if isinstance(place, Position) else None
    path = place.path if isinstance(place, Place) else place if isinstance(place, str) else ""
    return Diagnostic(rule, RULES[rule].level if level is None else level, position, path, message, hint, related)


def as_rule(rule: str, diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic with another rule and its level."""
    return replace(diagnostic, rule=rule, level=RULES[rule].level)
