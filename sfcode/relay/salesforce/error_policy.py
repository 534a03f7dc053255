"""
How each error code of Salesforce settles a message: one table.

The codes are those of
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
(StatusCode) and https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm .
docs/relay-salesforce.md shows this table to people; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal

from sfcode.errors import OrgError, SignInError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.collections import CallRefused, RecordError
from sfcode.org.retry import NoAnswer
from sfcode.relay.message import Parked, Retry

if TYPE_CHECKING:
    from sfcode.config.notify_models import AlarmName

SOON = 1.0
BUSY = 5.0
LATER = 60.0
MUCH_LATER = 300.0
FEW_DELAYS = (5.0, 30.0, 120.0)
"""Seconds before the retries after an unknown error code; they are few, since the user's next events wait."""

LOCKED = "UNABLE_TO_LOCK_ROW"
TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
AUTOMATION = frozenset({TRIGGER, FLOW, "APEX_FAILED", "CUSTOM_APEX_ERROR", "FLOW_EXCEPTION", "PROCESSING_HALTED"})
"""Codes of triggers and flows; their messages quote the inner error."""
DUPLICATE = "DUPLICATE_VALUE"
QUOTA = "REQUEST_LIMIT_EXCEEDED"
LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """
    How a message is settled after an error code.

    retry: retry up to the limit of attempts, then give up; wait: retry without a limit, since the message is
    not the cause; once: look the record up again, retry once, then park; few: retry after each of
    `FEW_DELAYS`, then park; park: keep the message until a person corrects the cause and replays it.
    """

    handling: Literal["retry", "wait", "once", "few", "park"]
    because: str
    after: float | None = None
    alarm: AlarmName | Literal[""] = ""
    """The name of the alarm, if a person must correct the cause before deliveries can continue."""


_RIGHTS: Final = "salesforce_access"
_FULL: Final = "salesforce_storage"

ERROR_RULES: dict[str, ErrorRule] = {
    LOCKED: ErrorRule("retry", "another transaction holds the record or its account"),
    "UNABLE_TO_LOCK_RECORD": ErrorRule("retry", "another transaction holds the record"),
    "RECORD_IN_USE_BY_WORKFLOW": ErrorRule("retry", "a workflow of the org is changing the record"),
    "COLLISION_DETECTED": ErrorRule("retry", "another transaction changed the record at the same time"),
    "CONFLICT": ErrorRule("retry", "another transaction changed the record at the same time"),
    "OPERATION_CONFLICT": ErrorRule("retry", "another transaction changed the record at the same time"),
    "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE": ErrorRule("retry", "another transaction changed the record"),
    "RECORD_LOCKED": ErrorRule("retry", "the record is locked, by an approval for example", LATER),
    "ENTITY_IS_LOCKED": ErrorRule("retry", "the record is locked, by an approval for example", LATER),
    "QUERY_TIMEOUT": ErrorRule("retry", "the query took too long"),
    "REQUEST_RUNNING_TOO_LONG": ErrorRule("retry", "triggers took too long"),
    "UNKNOWN_EXCEPTION": ErrorRule("retry", "an error inside Salesforce"),
    "INTERNAL_ERROR": ErrorRule("retry", "an error inside Salesforce"),
    "TOO_MANY_APEX_REQUESTS": ErrorRule("retry", "too many Apex requests run at the same time", BUSY),
    "LIMIT_EXCEEDED": ErrorRule("retry", "the org reached a limit", LATER),
    "SERVER_UNAVAILABLE": ErrorRule("wait", "Salesforce is not available"),
    "SERVICE_UNAVAILABLE": ErrorRule("wait", "Salesforce is not available"),
    "BAD_GATEWAY": ErrorRule("wait", "Salesforce is not available"),
    "RESOURCE_NOT_AVAILABLE": ErrorRule("wait", "Salesforce is not available"),
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": ErrorRule(
        "wait", "the org is read-only during maintenance", LATER
    ),
    "TERRITORY_REALIGN_IN_PROGRESS": ErrorRule("wait", "the org's territories are being realigned", LATER),
    "API_CURRENTLY_DISABLED": ErrorRule("wait", "the API is disabled temporarily", LATER),
    "ORG_LOCKED": ErrorRule("wait", "the org is locked", LATER, "salesforce_locked"),
    "STORAGE_LIMIT_EXCEEDED": ErrorRule("wait", "the org has no data storage left", MUCH_LATER, _FULL),
    QUOTA: ErrorRule("wait", "the daily API requests are used up", MUCH_LATER, "salesforce_quota"),
    "API_DISABLED_FOR_ORG": ErrorRule("wait", "the org or its edition has no API access", MUCH_LATER, _RIGHTS),
    "INVALID_FIELD": ErrorRule(
        "wait", "a field was deleted, or the integration user can no longer read it", MUCH_LATER, _RIGHTS
    ),
    "INVALID_FIELD_FOR_INSERT_UPDATE": ErrorRule(
        "wait", "the integration user has no edit access to a field", MUCH_LATER, _RIGHTS
    ),
    "INVALID_TYPE": ErrorRule(
        "wait", "an object was deleted, or the integration user can no longer read it", MUCH_LATER, _RIGHTS
    ),
    "INVALID_TYPE_FOR_OPERATION": ErrorRule(
        "wait", "the integration user has no edit access to an object", MUCH_LATER, _RIGHTS
    ),
    "CANNOT_INSERT_UPDATE": ErrorRule(
        "wait", "the integration user has no edit access to an object", MUCH_LATER, _RIGHTS
    ),
    "ENTITY_IS_DELETED": ErrorRule("once", "the record was deleted after it was found"),
    "INVALID_CROSS_REFERENCE_KEY": ErrorRule("once", "the record was deleted, or activities cannot relate to it"),
    "NOT_FOUND": ErrorRule("once", "the record was deleted after it was found"),
    "CANNOT_UPDATE_CONVERTED_LEAD": ErrorRule("once", "the lead was converted after it was found"),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": ErrorRule("park", "a validation rule of the org refuses the record"),
    "FIELD_FILTER_VALIDATION_EXCEPTION": ErrorRule("park", "a lookup filter of the org refuses the record"),
    "FIELD_INTEGRITY_EXCEPTION": ErrorRule("park", "a value does not fit the record"),
    "REQUIRED_FIELD_MISSING": ErrorRule("park", "the org requires a field that the relay does not write"),
    "STRING_TOO_LONG": ErrorRule("park", "a text is too long for a field that the project does not manage"),
    "NUMBER_OUTSIDE_VALID_RANGE": ErrorRule(
        "park", "a number is too large for a field that the project does not manage"
    ),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": ErrorRule(
        "park", "a restricted picklist does not have the value, such as the status Completed of a task"
    ),
    "INSUFFICIENT_ACCESS": ErrorRule("park", "the integration user has no edit access to the record"),
    "INSUFFICIENT_ACCESS_OR_READONLY": ErrorRule("park", "the integration user has no edit access to the record"),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": ErrorRule(
        "park", "the integration user has no edit access to a related record"
    ),
    TRIGGER: ErrorRule(
        "park", "a trigger or flow of the org fails; the relay retries if the message names a locked row"
    ),
    FLOW: ErrorRule("park", "a flow of the org fails; the relay retries if the message names a locked row"),
    "FLOW_EXCEPTION": ErrorRule("park", "a flow of the org fails"),
    "APEX_FAILED": ErrorRule("park", "Apex code of the org fails"),
    "CUSTOM_APEX_ERROR": ErrorRule("park", "Apex code of the org fails"),
    "PROCESSING_HALTED": ErrorRule("park", "an automation of the org fails"),
    "ENTITY_IS_ARCHIVED": ErrorRule("park", "the record is archived"),
    "INACTIVE_OWNER_OR_USER": ErrorRule("park", "the record's owner is inactive"),
    "TXN_SECURITY_NO_ACCESS": ErrorRule("park", "a transaction security policy of the org blocks the request"),
    "DUPLICATES_DETECTED": ErrorRule("park", "a duplicate rule of the org refuses the record"),
    DUPLICATE: ErrorRule(
        "park",
        "another unique field has the value already; for the external ID of an activity the relay retries and finds the existing record",
    ),
    "DUPLICATE_EXTERNAL_ID": ErrorRule("park", "several activities have this external ID"),
}
"""Rules by error code, of a record or of a whole call."""

MAPPING_CODES = frozenset(
    {
        "CANNOT_INSERT_UPDATE",
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "INVALID_TYPE_FOR_OPERATION",
    }
)
"""Codes with which an org refuses all records of one mapping, but not those of other mappings."""

UNLISTED = ErrorRule("few", "an error code that this version does not know")
"""
The rule for all other codes. Those in the StatusCode list concern features that the relay does not use (packages, mail,
orders), or the record; codes of later API versions are unknown. A few retries over minutes neither block the user's next
events for hours nor burden the org.
"""


def settle_record(
    error: RecordError, *, attempts: int, external_id: str, values_to_mask: Collection[str]
) -> Retry | Parked:
    """Settle a refused record; a record to create has no external ID. Values are masked in the detail."""
    rule = ERROR_RULES.get(error.code, UNLISTED)
    detail = describe_error(error, values_to_mask)
    if not external_id and error.code == DUPLICATE and attempts < len(FEW_DELAYS):
        return Retry(detail, FEW_DELAYS[attempts])  # created by another process in the meantime: the retry finds it
    if (error.code in AUTOMATION and LOCKED in error.message) or (external_id and _is_race(error, external_id)):
        return Retry(detail, SOON)
    if rule.handling == "park" or (rule.handling == "once" and attempts):
        return Parked(error.code.lower(), detail)
    if rule.handling == "few":
        if attempts >= len(FEW_DELAYS):
            return Parked(error.code.lower() or "unknown_code", detail)
        return Retry(detail, FEW_DELAYS[attempts])
    return Retry(detail, rule.after, counts=rule.handling != "wait")


def settle_call(error: OrgError) -> tuple[Retry, AlarmName | Literal[""]]:
    """Settle a call that was refused or not answered; also return the name of the alarm to raise, or ""."""
    if isinstance(error, SignInError):
        return Retry(error.code or "SIGN_IN", max(LATER, error.retry_after or 0.0), counts=False), "salesforce_sign_in"
    if isinstance(error, NoAnswer):
        return Retry("no answer" if error.sent else "no connection", error.retry_after, counts=False), ""
    if not isinstance(error, CallRefused):
        return Retry("an answer of another shape", LATER), "salesforce_refused"
    if error.code not in ERROR_RULES and (error.status >= 500 or error.status == 429):
        return Retry(error.code or f"status {error.status}", error.retry_after, counts=False), ""
    if is_concurrency_limit(error):
        return Retry(f"{error.code} (concurrent)", error.retry_after or BUSY, counts=False), ""
    rule = ERROR_RULES.get(error.code, UNLISTED)
    if rule.handling in ("park", "once") or rule is UNLISTED:
        # The org refuses the call itself, not a single record.
        return Retry(error.code, MUCH_LATER, counts=False), "salesforce_refused"
    after = max(rule.after or 0.0, error.retry_after or 0.0) or None
    return Retry(error.code, after, counts=rule.handling != "wait"), rule.alarm


def exceeds_governor_limit(error: RecordError) -> bool:
    """
    Return whether a trigger or a flow exceeded a governor limit, which fewer records per call may avoid.

    https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_gov_limits.htm
    """
    return error.code in AUTOMATION and ("System.LimitException" in error.message or "LIMIT_EXCEEDED" in error.message)


def is_refusal_of_mapping(error: OrgError) -> bool:
    """Return whether a call was refused because of one object: its name, its fields, or the access to them."""
    if not isinstance(error, CallRefused) or error.status >= 500 or error.status in (401, 429):
        return False
    return error.code in MAPPING_CODES or ERROR_RULES.get(error.code, UNLISTED).handling in ("park", "once", "few")


def is_record_refusal_of_mapping(error: RecordError) -> bool:
    """Return whether a record was refused because its object, or one of its fields, cannot be written at all."""
    return error.code in MAPPING_CODES


def is_concurrency_limit(error: OrgError) -> bool:
    """Return whether too many calls ran at the same time, which ends within seconds, unlike the daily limit."""
    return isinstance(error, CallRefused) and error.code == QUOTA and "concurrent" in error.message.lower()


def may_be_of_one_value(error: RecordError) -> bool:
    """Return whether a record may have been refused because of one value, so that the others could be written."""
    is_lock = error.code in AUTOMATION and LOCKED in error.message
    return not is_lock and ERROR_RULES.get(error.code, UNLISTED).handling in ("park", "once", "few")


def alarm_of(error: RecordError) -> AlarmName | Literal[""]:
    """Return the alarm for a record's error; "" for none."""
    return ERROR_RULES.get(error.code, UNLISTED).alarm


def _is_race(error: RecordError, external_id: str) -> bool:
    """Return whether another process wrote the same activity at the same time, so that a retry finds it."""
    return error.code == DUPLICATE and (external_id in error.fields or external_id in error.message)


def explain_refusal(error: RecordError, values: Collection[str]) -> str:
    """
    Return why a mapping is refused, in parentheses, such as the name of a field; "" if only the record is refused.

    The text is the same for all records of the mapping, so that they raise one alarm.
    """
    return f" ({describe_error(error, values)})" if is_record_refusal_of_mapping(error) else ""


def describe_error(error: RecordError, values: Collection[str]) -> str:
    """Return the error of a record, without the values that it quotes."""
    fields = f" ({', '.join(error.fields)})" if error.fields else ""
    return f"{error.code}{fields}: {mask(error.message, values)}"[:LONGEST_DETAIL]


def mask(message: str, values: Collection[str]) -> str:
    """Return Salesforce's message without the values that it quotes."""
    for value in sorted(filter(None, values), key=len, reverse=True):
        message = message.replace(value, "…")
    return message
