"""The rules of linter, plan and doctor by ID, and their diagnostics."""

from __future__ import annotations

from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.place import Place


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One rule. IDs never change, because users put them into filters and dashboards."""

    id: str
    name: str
    level: Level
    says: str

    @property
    def area(self) -> str:
        """The area of a doctor's rule; "" for other rules."""
        return AREAS.get(self.id[:2], "")


AREAS = {"D1": "org", "D2": "integration user", "D3": "retired", "D4": "relay", "D5": "data"}
"""The area of the doctor's rules, by prefix of the ID."""


LINT_RULES: dict[str, CheckRule] = {
    rule.id: rule
    for rule in (
        CheckRule("SF001", "config-does-not-load", Level.ERROR, "The config does not load."),
        CheckRule(
            "SF002", "config-advice", Level.NOTE, "The config is valid, but part of it is probably not intended."
        ),
        CheckRule("SF101", "field-not-in-message", Level.ERROR, "A mapped field is not in the outbound message."),
        CheckRule(
            "SF102",
            "message-lacks-identity",
            Level.ERROR,
            "The outbound message lacks a field by which the relay identifies records.",
        ),
        CheckRule("SF103", "change-not-noticed", Level.WARNING, "A change of a mapped field sends nothing."),
        CheckRule("SF104", "field-not-readable", Level.ERROR, "The integration user cannot read a field that is sent."),
        CheckRule(
            "SF105",
            "target-not-writable",
            Level.ERROR,
            "The integration user cannot write a field or object that it must write.",
        ),
        CheckRule(
            "SF106",
            "message-misses-relay",
            Level.ERROR,
            "The outbound message does not reach this mapping in the relay.",
        ),
        CheckRule("SF107", "message-not-fired", Level.ERROR, "Nothing sends the outbound message."),
        CheckRule(
            "SF108",
            "generated-field-unfit",
            Level.ERROR,
            "A generated field does not have the properties that the relay requires.",
        ),
        CheckRule("SF109", "attribute-of-two-types", Level.WARNING, "One Appcues attribute is sent with two types."),
        CheckRule(
            "SF110",
            "unmapped-field-sent",
            Level.WARNING,
            "The outbound message contains a field that is in no mapping.",
        ),
        CheckRule("SF201", "all-records", Level.WARNING, "The integration user can access all records of an object."),
        CheckRule(
            "SF202", "documented-access", Level.WARNING, "The integration user has more rights than the mappings need."
        ),
        CheckRule(
            "SF203", "personal-data", Level.WARNING, "Personal data leaves Salesforce and has not been accepted."
        ),
        CheckRule(
            "SF204", "look-alike-names", Level.WARNING, "Two names in Appcues differ in case or separators only."
        ),
        CheckRule(
            "SF205",
            "reserved-event",
            Level.WARNING,
            "A click-to-track event has the name of one of Appcues' own events.",
        ),
        CheckRule(
            "SF206", "workflow-rule", Level.WARNING, "A workflow rule sends the message; support for them has ended."
        ),
        CheckRule("SF207", "deprecated-profile", Level.WARNING, "The profile has been replaced and new orgs lack it."),
        CheckRule(
            "SF208", "session-id", Level.WARNING, "A template asks for session IDs, which Salesforce no longer sends."
        ),
        CheckRule("SF209", "secret-in-file", Level.ERROR, "A file contains text that looks like a secret."),
        CheckRule("SF210", "unused", Level.NOTE, "A variable or a text of an activity is never used."),
        CheckRule("SF211", "answer-never-written", Level.WARNING, "An NPS field is mapped and no event fills it."),
        CheckRule("SF212", "unasked-access", Level.WARNING, "A template grants access that no mapping needs."),
        CheckRule(
            "SF213",
            "secret-by-name",
            Level.WARNING,
            "A variable has the name of a secret, and its value is in the file.",
        ),
        CheckRule(
            "SF214", "not-api-only", Level.ERROR, "The integration user's license or profile allows more than the API."
        ),
        CheckRule(
            "SF215",
            "archived-activities",
            Level.NOTE,
            "Reports count activities, which Salesforce archives after a year.",
        ),
    )
}
"""Rules that need no org: SF0 the config, SF1 the chain from field to attribute, SF2 good practice."""

PLAN_RULES: dict[str, CheckRule] = {
    rule.id: rule
    for rule in (
        CheckRule("SF301", "plan-refused", Level.ERROR, "The plan is refused until its effect is accepted."),
        CheckRule(
            "SF302",
            "plan-warning",
            Level.WARNING,
            "The plan is possible, but part of its effect is probably not intended.",
        ),
        CheckRule("SF303", "org-refuses", Level.ERROR, "The org refuses the package."),
    )
}
"""Rules of plans, which need an org."""

DOCTOR_RULES: dict[str, CheckRule] = {
    rule.id: rule
    for rule in (
        CheckRule("D101", "api-version", Level.ERROR, "The org offers the API version of the config."),
        CheckRule("D102", "api-access", Level.ERROR, "The org has the API, and the signed-in user may use it."),
        CheckRule("D103", "api-requests", Level.WARNING, "API requests are left today."),
        CheckRule("D104", "deploy-right", Level.ERROR, "The signed-in user may deploy metadata."),
        CheckRule("D105", "user-right", Level.ERROR, "The signed-in user may create and change users."),
        CheckRule("D106", "assign-right", Level.ERROR, "The signed-in user may assign permission sets."),
        CheckRule("D107", "config-fits-org", Level.ERROR, "The org has the objects and fields of the config."),
        CheckRule(
            "D108", "send-outbound-messages", Level.WARNING, "Records that active users save are sent to Appcues."
        ),
        CheckRule("D201", "profile", Level.ERROR, "The integration user's profile exists."),
        CheckRule("D202", "profile-license", Level.ERROR, "The profile belongs to the configured user license."),
        CheckRule(
            "D203", "user-license", Level.ERROR, "A seat of the user license is available for the integration user."
        ),
        CheckRule(
            "D204",
            "permission-set-license",
            Level.ERROR,
            "A seat of the permission set license is available for the integration user.",
        ),
        CheckRule("D205", "user", Level.WARNING, "The integration user exists."),
        CheckRule("D206", "user-active", Level.ERROR, "The integration user is active."),
        CheckRule("D207", "user-profile", Level.WARNING, "The integration user has the configured profile."),
        CheckRule(
            "D208",
            "user-by-another-name",
            Level.WARNING,
            "No other user has almost the same username as the integration user.",
        ),
        CheckRule("D209", "user-email", Level.WARNING, "Mail to the integration user arrives."),
        CheckRule("D210", "license-assignment", Level.ERROR, "The integration user has the permission set license."),
        CheckRule("D211", "permission-set-assignment", Level.ERROR, "The integration user has the permission set."),
        CheckRule(
            "D212",
            "other-rights",
            Level.WARNING,
            "The integration user has no rights besides its permission set.",
        ),
        CheckRule(
            "D301", "workflow-rule", Level.WARNING, "No mapping is sent by a workflow rule, whose support has ended."
        ),
        CheckRule("D302", "deprecated-profile", Level.WARNING, "New orgs have the profile."),
        CheckRule("D401", "outbound-queue", Level.NOTE, "Only Setup shows which outbound messages wait or failed."),
        CheckRule("D402", "relay-address", Level.ERROR, "Salesforce can reach the relay's address."),
        CheckRule("D403", "relay-connection", Level.WARNING, "A connection to the relay is possible."),
        CheckRule("D404", "relay-certificate", Level.WARNING, "The relay's certificate is valid."),
        CheckRule("D405", "relay-health", Level.WARNING, "The relay answers that it is healthy."),
        CheckRule(
            "D406", "two-carriers", Level.WARNING, "Appcues' own connector does not carry all that the relay carries."
        ),
        CheckRule("D407", "relay-config", Level.WARNING, "The relay uses the config of this project."),
        CheckRule("D501", "records", Level.WARNING, "There are records with a user ID, which can be synced."),
        CheckRule(
            "D502", "user-id-field", Level.ERROR, "The user ID field exists, and the signed-in user can read it."
        ),
        CheckRule("D503", "blank-ids", Level.NOTE, "Every record has a user ID."),
        CheckRule("D504", "duplicate-ids", Level.WARNING, "No user ID is on several records."),
        CheckRule("D505", "ids-in-two-cases", Level.WARNING, "No two user IDs differ in case only."),
        CheckRule("D506", "slow-lookup", Level.WARNING, "Records are found by an indexed field."),
        CheckRule("D507", "org-wide-default", Level.WARNING, "The integration user sees all records of the object."),
        CheckRule(
            "D508",
            "seen-by-integration-user",
            Level.WARNING,
            "The integration user sees as many records as the administrator.",
        ),
        CheckRule("D509", "not-looked-at", Level.WARNING, "Records and duplicates could be counted."),
        CheckRule(
            "D510",
            "contacts-without-account",
            Level.WARNING,
            "The integration user can access contacts without an account.",
        ),
        CheckRule("D511", "person-accounts", Level.NOTE, "Saving a person account sends no message for its contact."),
        CheckRule("D512", "lead-conversion", Level.NOTE, "A contact from a lead conversion may not be sent."),
        CheckRule(
            "D513", "required-activity-fields", Level.ERROR, "The relay fills every required field of activities."
        ),
        CheckRule("D514", "roles", Level.WARNING, "Records fall into the roles that segments use."),
        CheckRule(
            "D515", "archived-activities", Level.NOTE, "No activities that a report counts are about to be archived."
        ),
    )
}
"""Rules of `sfcode doctor`; the level is the highest that a rule reports."""

RULES: dict[str, CheckRule] = {**LINT_RULES, **PLAN_RULES, **DOCTOR_RULES}
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
    Return a diagnostic of a rule, at a place in the config or at the address `place` in the org.

    Its level is that of the rule unless `level` is passed.
    """
    position = place.position if isinstance(place, Place) else place if isinstance(place, Position) else None
    path = place.path if isinstance(place, Place) else place if isinstance(place, str) else ""
    return Diagnostic(rule, RULES[rule].level if level is None else level, position, path, message, hint, related)


def as_rule(rule: str, diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic with another rule and its level."""
    return replace(diagnostic, rule=rule, level=RULES[rule].level)
