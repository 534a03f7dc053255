"""Why messages are parked: what it means, and what makes a replay worth while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, as people read it."""

    what: str
    cure: str


REASONS: dict[str, Reason] = {
    # Of what came in: docs/relay-ingress.md.
    "not_understood": Reason("it is authentic, and nothing in it can be understood", "look at what it holds"),
    "no_name": Reason("the event does not say what happened", "look at what it holds"),
    "no_user_id": Reason(
        "the event or record is nobody's", "give the record a user id; visitors who are not identified need nothing"
    ),
    "no_data": Reason("the record was deleted before its message was sent", "nothing"),
    "other_object": Reason(
        "the record is of another object than the mapping that its address names",
        "plan and apply, then save the record",
    ),
    # Of events on their way to Salesforce: docs/relay-salesforce.md.
    "unknown_user": Reason("no record of a mapping has this user id", "give a record the id, then replay"),
    "several_matches": Reason("several records of a mapping have this user id", "merge them, then replay"),
    "converted_lead": Reason("only converted leads have this user id", "give the contact the id, then replay"),
    "bad_value": Reason("the score is no whole number from 0 to 10, or the feedback no text", ""),
    "bad_text": Reason("the texts of events.yaml cannot be filled in for it", "correct them, then replay"),
    "field_custom_validation_exception": Reason(
        "a validation rule of the org refuses it", "change the rule, or let the integration user pass, then replay"
    ),
    "field_filter_validation_exception": Reason(
        "a lookup filter of the org refuses it", "change the filter, then replay"
    ),
    "field_integrity_exception": Reason(
        "a value does not go with the record",
        "look at the words of Salesforce; activities must be allowed for the object",
    ),
    "required_field_missing": Reason(
        "the org asks for a field that is not written here", "give the field a default value, then replay"
    ),
    "string_too_long": Reason("a text does not fit into its field", "make the field longer, then replay"),
    "number_outside_valid_range": Reason(
        "the score does not fit into its field", "give the field two digits, then replay"
    ),
    "invalid_or_null_for_restricted_picklist": Reason(
        "a picklist lacks the value", "add it (a task's status is Completed), then replay"
    ),
    "insufficient_access": Reason(
        "the integration user may not write this record", "share it, or write `record_access: modify_all`, then replay"
    ),
    "insufficient_access_or_readonly": Reason(
        "the integration user may not write this record", "share it, or write `record_access: modify_all`, then replay"
    ),
    "insufficient_access_on_cross_reference_entity": Reason(
        "the integration user may not write to what the record belongs to", "share that, then replay"
    ),
    "cannot_insert_update_activate_entity": Reason(
        "a trigger or flow of the org fails on it", "correct that, then replay"
    ),
    "duplicates_detected": Reason(
        "a duplicate rule of the org refuses it", "let the integration user pass it, then replay"
    ),
    "duplicate_value": Reason(
        "a field that must be unique has this value elsewhere", "look at the words of Salesforce"
    ),
    "duplicate_external_id": Reason("several activities have this id", "delete all but one, then replay"),
    "entity_is_deleted": Reason("the record is deleted", "restore it, then replay; else nothing"),
    "invalid_cross_reference_key": Reason(
        "the record is gone, or cannot have activities", "allow activities for the object, then replay"
    ),
    "not_found": Reason("the record is deleted", "restore it, then replay; else nothing"),
    "cannot_update_converted_lead": Reason("the lead is converted", "give the contact the id, then replay"),
    # Of records on their way to Appcues: docs/relay-appcues.md.
    "no_mapping": Reason(
        "the mapping is gone from the config, or no longer sends to Appcues", "put it back, then replay; else nothing"
    ),
    "bad_user_id": Reason("the user id is . or .., which no address can hold", "correct the record"),
    "appcues_not_found": Reason(
        "Appcues knows no such address: the account id is wrong, or of another region",
        "correct `appcues` in sfcode.yaml, then replay",
    ),
    "appcues_refused": Reason(
        "Appcues refused the values, for the reason that is shown", "correct the record or the mapping, then replay"
    ),
}


def cure(name: str) -> str:
    """Say what to do about a reason; nothing for one that this version does not know."""
    return REASONS[name].cure if name in REASONS else ""
