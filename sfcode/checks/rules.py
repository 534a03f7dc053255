"""The rules by their ids: what each says, how bad it is, and how a finding of it is made."""

from __future__ import annotations

from dataclasses import dataclass

from sfcode.diagnostics import Diagnostic, Position
from sfcode.mapping.place import Place
from sfcode.review.model import Finding, Level


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Ids are kept for ever: people write them into filters and dashboards."""

    id: str
    name: str
    level: Level
    says: str


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("SF001", "config-does-not-load", Level.ERROR, "The config does not load."),
        Rule("SF002", "config-advice", Level.NOTE, "The config works, and the loader or generator advises otherwise."),
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
        Rule("SF203", "personal-data", Level.WARNING, "Personal data leaves Salesforce and is not accepted to."),
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
"""All rules: SF0 the config itself, SF1 the chain from field to attribute, SF2 habits."""


def at(
    rule: str, place: Place | Position | None, message: str, hint: str = "", *, related: Position | None = None
) -> Finding:
    """Make a finding of a rule at a place."""
    position, path = (place.position, place.path) if isinstance(place, Place) else (place, "")
    return Finding(rule, RULES[rule].level, position, path, message, hint, related)


def of(rule: str, problem: Diagnostic) -> Finding:
    """Make a finding of a problem that somebody else has found."""
    level = RULES[rule].level
    return Finding(rule, level, problem.position, problem.path, problem.message, problem.hint)
