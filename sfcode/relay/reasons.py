"""The reasons why messages are parked and alarms raised, each with a hint."""

from __future__ import annotations

from sfcode.config.notify_models import AlarmName
from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in plain words, and what to do about it."""

    meaning: str
    hint: str


_REPLAY = "then replay"

REASONS: dict[str, Reason] = {
    "unknown_user": Reason(
        "no record in Salesforce has this user ID",
        f"Enter the user ID on the contact or lead, {_REPLAY}. Messages of users who are not in Salesforce are kept until they are purged.",
    ),
    "several_matches": Reason(
        "several records have this user ID", f"Keep the user ID on one of the records, {_REPLAY}."
    ),
    "converted_lead": Reason("only converted leads have this user ID", f"Enter the user ID on the contact, {_REPLAY}."),
    "no_campaign": Reason(
        "the campaign of a registration does not exist, or several have its name",
        f"Correct the campaign in recipes.yaml, or run `sfcode apply` to create it, {_REPLAY}.",
    ),
    "no_member_status": Reason(
        "the campaign of a registration does not have the status",
        f"Run `sfcode apply`, which creates the status, {_REPLAY}.",
    ),
    "bad_value": Reason(
        "the score is missing, or is not a whole number from 0 to 10",
        "No action is needed, unless the score is in an attribute that events.yaml does not name.",
    ),
    "bad_text": Reason("a template of events.yaml cannot be rendered", f"Correct the template, {_REPLAY}."),
    "not_understood": Reason(
        "the signature is valid, but the relay cannot read the body",
        "Run `sfcode relay learn`, which proposes the paths to read. Appcues does not publish the format of its webhooks.",
    ),
    "no_name": Reason(
        "the event has no name",
        "No action is needed for events of a test button. For events in another format run `sfcode relay learn`.",
    ),
    "no_user_id": Reason(
        "the event or the record has no user ID",
        "No action is needed, unless the user ID is elsewhere in the body: `sfcode relay learn` finds it.",
    ),
    "no_data": Reason("the record was deleted before its message was sent", "No action is needed."),
    "other_object": Reason(
        "the record's object is not the object of the mapping",
        "Run `sfcode apply`: the outbound message has the endpoint of another mapping.",
    ),
    "no_mapping": Reason(
        "the mapping was removed, or no longer carries these messages",
        f"No action is needed if that is intended. Otherwise restore the mapping, {_REPLAY}.",
    ),
    "bad_user_id": Reason("the ID consists of dots only, which a URL cannot contain", "Correct the ID on the record."),
    "appcues_not_found": Reason(
        "Appcues does not know the account", f"Correct appcues.account_id or appcues.region, {_REPLAY}."
    ),
    "appcues_refused": Reason(
        "Appcues refuses the profile",
        f"The detail has the answer of Appcues. Correct the record or the mapping, {_REPLAY}.",
    ),
    "unreadable": Reason(
        "the row in the database is damaged", "The message cannot be restored. Check the disk of the database."
    ),
    "paused": Reason(
        "a person has paused the mapping", "`sfcode relay resume MAPPING` has its messages delivered within seconds."
    ),
    "discarded": Reason(
        "a person has discarded the message",
        "No action is needed. `sfcode relay replay --state done --reason discarded` delivers it after all.",
    ),
    "gave_up": Reason("every attempt failed", f"The detail has the last error. Correct the cause, {_REPLAY}."),
}
"""
The meaning and the hint of each reason, by its name. Reasons that are lower-case error codes of Salesforce are in the
error policy of the writer to Salesforce.
"""

ALARMS: dict[AlarmName, Reason] = {
    "organization_changed": Reason(
        "the relay signs in to a different org than before",
        "Acknowledge the alarm if the change is intended, such as a new sandbox. Otherwise correct the sign-in. Until then the relay refuses messages of the previous org.",
    ),
    "other_organization": Reason(
        "an outbound message came from another org",
        "A copy of the org, such as a refreshed sandbox, sends with the same secret. Give the copy its own relay and secret, or deactivate its flow.",
    ),
    "salesforce_sign_in": Reason(
        "Salesforce refuses the sign-in",
        "Check the external client app, its certificate or secret, and the integration user.",
    ),
    "salesforce_quota": Reason(
        "the org has nearly used its daily API requests, and the relay has paused",
        "The relay resumes by itself. Setup > Company Information shows the usage; find out which integration causes it.",
    ),
    "salesforce_access": Reason(
        "the integration user lost access to a field or an object",
        "Run `sfcode plan` and `sfcode doctor`, then `sfcode apply`.",
    ),
    "salesforce_locked": Reason("the org is locked", "Ask Salesforce Support for the cause."),
    "salesforce_storage": Reason("the org has no data storage left", "Delete old activities, or buy data storage."),
    "salesforce_crowded": Reason(
        "a trigger or flow of the org fails on large batches, so the relay sends smaller ones",
        "Correct the trigger or flow (System.LimitException). Until then the relay uses more API requests.",
    ),
    "salesforce_refused": Reason(
        "Salesforce refuses requests with an error code that the relay does not know",
        "The log has the error code. Please report it.",
    ),
    "appcues_sign_in": Reason(
        "Appcues refuses the API key", "Check APPCUES_API_KEY and APPCUES_API_SECRET, and the permissions of the key."
    ),
    "appcues_refuses_all": Reason(
        "Appcues refuses every profile",
        "Check the API key, its secret and appcues.account_id, then replay the messages that are parked as appcues_refused.",
    ),
    "appcues_address": Reason(
        "the Appcues URL redirects to another host", "Correct APPCUES_API_URL or appcues.region."
    ),
    "bad_value": Reason(
        "values do not have the type of their attribute in the mapping, and were not sent",
        "Correct the type in the mapping, or the values, then run `sfcode relay backfill`.",
    ),
    "field_type_unknown": Reason(
        "messages wait because the integration user cannot read one of their fields",
        "Grant the access with `sfcode apply`, or set the `type` of the attribute in the mapping.",
    ),
    "config_refused": Reason(
        "the changed config is not valid, and the relay keeps using the previous one",
        "The detail has the first problem. Correct the config (`sfcode validate` checks it); the relay then reloads it by itself.",
    ),
    "clock_jumped": Reason(
        "the clock of the machine that has the inbox's database was set",
        "Deliveries are not affected. Check the machine's time synchronization: times that were recorded while the clock "
        "was wrong may be wrong.",
    ),
    "schedule_failed": Reason(
        "a job of `relay.schedule` failed; it is retried within 15 minutes",
        "The detail has the job and the error: `sfcode relay reconcile` or `refresh` shows it in full.",
    ),
    "clearing_stopped": Reason(
        "an attribute became empty on many records, and the relay no longer clears it",
        "Restore the integration user's access to the field, or acknowledge the alarm if the values were removed on purpose (docs/relay-appcues.md).",
    ),
    "paused": Reason(
        "a mapping or a direction has been paused for more than an hour",
        "`sfcode relay resume` ends the pause. Acknowledge the alarm if the pause is intended; it is raised again after a day.",
    ),
    "notify_failed": Reason(
        "a receiver of `relay.notify` does not accept the relay's notifications",
        "The detail has the receiver and its answer. Correct the variable of its URL or secret, and check with `sfcode relay notify --test`. The relay keeps trying.",
    ),
    "api_budget_low": Reason(
        "four fifths of `relay.api_calls_per_day` were used in the last 24 hours",
        "`sfcode relay status` shows what made the requests. Raise the budget, or reduce the deliveries, before deliveries have to wait.",
    ),
    "api_budget_used": Reason(
        "`relay.api_calls_per_day` is used up, and deliveries to Salesforce wait",
        "Nothing is lost: the relay continues when the requests of the last 24 hours are below the budget. `sfcode relay status` shows what made them; raise the budget if that takes too long.",
    ),
}
"""The meaning and the hint of each alarm, by its name."""


def alarm_reason(name: str) -> Reason:
    """Return the meaning and the hint of an alarm; empty texts if this version does not know the alarm."""
    return next((reason for alarm, reason in ALARMS.items() if alarm == name), Reason("", ""))


def hint_for(name: str) -> str:
    """Return the hint of a reason; "" if this version does not know the reason."""
    return explain_reason(name)[1]


def explain_reason(name: str) -> tuple[str, str]:
    """Return the meaning and the hint of a reason; empty texts if this version does not know the reason."""
    if name in REASONS:
        return REASONS[name].meaning, REASONS[name].hint
    from sfcode.relay.salesforce.error_policy import ERROR_RULES

    rule = ERROR_RULES.get(name.upper())
    hint = f"Salesforce: {rule.because}. Correct the cause in the org, then replay." if rule else ""
    return rule.because if rule else "", hint
