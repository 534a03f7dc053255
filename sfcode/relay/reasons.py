"""The reasons why messages are parked and alarms raised, each with a hint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in plain words, and what to do about it."""

    what: str
    hint: str


_REPLAY = "then replay"

REASONS: dict[str, Reason] = {
    "unknown_user": Reason(
        "nobody in Salesforce has this user id",
        f"Give the contact or lead its id, {_REPLAY}. Users who are in no CRM stay here until they are purged.",
    ),
    "several_matches": Reason("several records have this user id", f"Leave it with one of them, {_REPLAY}."),
    "converted_lead": Reason("only converted leads have this user id", f"Give the contact the id, {_REPLAY}."),
    "bad_value": Reason(
        "a score is no whole number from 0 to 10, or missing", "Nothing, unless events.yaml names another attribute."
    ),
    "bad_text": Reason("a text of events.yaml cannot be filled in", f"Correct the template, {_REPLAY}."),
    "not_understood": Reason(
        "authentic, but of a form that the relay does not know",
        "Run `sfcode relay learn`: it proposes how to read it, since Appcues does not publish its form.",
    ),
    "no_name": Reason(
        "an event without a name", "A test button sends such; for events of another form run `sfcode relay learn`."
    ),
    "no_user_id": Reason(
        "an event, or a record, without a user id",
        "Nothing, unless the event has one at another place: `sfcode relay learn` finds it.",
    ),
    "no_data": Reason("the record was deleted before its message was sent", "Nothing."),
    "other_object": Reason(
        "the record is of another object than the mapping's",
        "Apply the project: an address of another mapping is in the outbound message.",
    ),
    "no_mapping": Reason("the mapping is gone, or no longer sends", f"Nothing, or put it back, {_REPLAY}."),
    "bad_user_id": Reason("an id of nothing but dots cannot be part of an address", "Correct the record."),
    "appcues_not_found": Reason(
        "Appcues does not know the account", f"Correct appcues.account_id or appcues.region, {_REPLAY}."
    ),
    "appcues_refused": Reason(
        "Appcues refuses the profile", f"Its words are in the detail: correct the record or the mapping, {_REPLAY}."
    ),
    "unreadable": Reason("its row in the database is damaged", "Nothing: what it held is gone. Check the disk."),
    "gave_up": Reason("every attempt failed", f"The detail has the last error: correct its cause, {_REPLAY}."),
}
"""By reason; those that are codes of Salesforce in small letters come from the table of the writer to Salesforce."""

ALARMS: dict[str, Reason] = {
    "organization_changed": Reason(
        "the sign-in leads to another org than before",
        "If it is meant (a new sandbox), acknowledge it. If not, correct the sign-in: messages of the previous org are refused meanwhile.",
    ),
    "other_organization": Reason(
        "an outbound message came from another org",
        "A copy of the org sends with the same secret: give it a relay and a secret of its own, or deactivate its flow.",
    ),
    "salesforce_sign_in": Reason(
        "Salesforce does not accept the sign-in", "Check the app, its certificate or secret, and the integration user."
    ),
    "salesforce_quota": Reason(
        "the org's API requests of the day are nearly used up, so the relay has stopped",
        "It goes on by itself. Find out who uses them: Setup > Company Information.",
    ),
    "salesforce_access": Reason(
        "the integration user lost access to a field or an object", "sfcode plan, sfcode doctor, then apply."
    ),
    "salesforce_locked": Reason("the org is locked", "Salesforce's support knows why."),
    "salesforce_storage": Reason("the org has no room for more data", "Delete old activities, or buy storage."),
    "salesforce_crowded": Reason(
        "a trigger of the org cannot take many records at once, so they are sent in smaller calls",
        "Have the trigger corrected (System.LimitException): the relay goes on meanwhile, with more calls.",
    ),
    "salesforce_refused": Reason(
        "Salesforce refuses whole calls for a reason that is not known", "The log names the code; please report it."
    ),
    "appcues_sign_in": Reason(
        "Appcues does not accept the API key", "Check APPCUES_API_KEY and APPCUES_API_SECRET, and the key's rights."
    ),
    "appcues_refuses_all": Reason(
        "Appcues refuses one profile after another and takes none",
        "Check the API key, its secret and appcues.account_id; then replay what is parked as appcues_refused.",
    ),
    "appcues_address": Reason("Appcues' address leads elsewhere", "Correct APPCUES_API_URL or appcues.region."),
    "bad_value": Reason(
        "values do not fit the type that the mapping gives their attribute, and were left out",
        "Correct the type in the mapping, or the values; then backfill.",
    ),
    "field_type_unknown": Reason(
        "messages wait because the org does not show a field of theirs to the user that the relay signs in as",
        "Give the integration user access (sfcode plan, apply), or write the attribute's `type` into the mapping.",
    ),
    "config_refused": Reason(
        "the files of the config have changed and cannot be used, so the relay works on by the config it had",
        "The detail has the first problem: correct the files (sfcode validate). The relay loads them by itself.",
    ),
    "clearing_stopped": Reason(
        "an attribute turned empty for record after record and is no longer cleared",
        "See docs/relay-appcues.md: give the integration user its access back, or acknowledge the alarm.",
    ),
}
"""By name."""


def hint_for(name: str) -> str:
    """Return what to do about a reason; "" for one that this version does not know."""
    if name in REASONS:
        return REASONS[name].hint
    from sfcode.relay.salesforce.error_policy import ERROR_RULES

    rule = ERROR_RULES.get(name.upper())
    return f"Salesforce: {rule.because}. Correct its cause in the org, then replay." if rule else ""
