"""The components of recipes: the object for NPS answers with its fields, and roll-ups on accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sfcode.mapping.limits import LONG_TEXT_LENGTH, TEXT_LENGTH
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.mapping.targets import CreatedField
from sfcode.metadata.objects import Field

PEOPLE = ("Contact", "Lead")
"""The objects of people, who answer surveys."""

ACCOUNT_FIELD = "Account__c"
"""The lookup field of an answer to its account."""
RESPONSE_ID_FIELD = "Response_Id__c"
"""The external ID of an answer."""


def _count(condition: str) -> str:
    # Without the check a blank score would count as below 7.
    return f"IF(ISBLANK(Score__c), 0, IF({condition}, 1, 0))"


RESPONSE_FIELDS = {
    "Score__c": CreatedField("nps_score", "double", "The score, 0 to 10."),
    "Feedback__c": CreatedField("long_text", "textarea", "What the person wrote.", LONG_TEXT_LENGTH),
    "Answered_At__c": CreatedField("time", "datetime", "When the survey was answered."),
    "Survey__c": CreatedField("text", "string", "The name of the survey in Appcues.", TEXT_LENGTH),
    "Survey_Id__c": CreatedField("text", "string", "The id of the survey in Appcues.", TEXT_LENGTH),
    "Page__c": CreatedField("text", "string", "The page on which it was answered.", TEXT_LENGTH),
    RESPONSE_ID_FIELD: CreatedField(
        "event_id", "string", "The answer in Appcues, so that none is kept twice.", TEXT_LENGTH
    ),
    "Category__c": CreatedField(
        "text_formula",
        "string",
        "Promoter (9 and 10), Passive (7 and 8) or Detractor (0 to 6).",
        formula='IF(ISBLANK(Score__c), "", IF(Score__c >= 9, "Promoter", IF(Score__c >= 7, "Passive", "Detractor")))',
    ),
    "Promoter__c": CreatedField(
        "number_formula", "double", "1 for a promoter, for sums.", formula=_count("Score__c >= 9")
    ),
    "Detractor__c": CreatedField(
        "number_formula", "double", "1 for a detractor, for sums.", formula=_count("Score__c <= 6")
    ),
}
"""The fields of an answer besides its lookups, by name."""

WRITTEN_FIELDS = tuple(name for name, field in RESPONSE_FIELDS.items() if not field.formula)
"""The fields of an answer that the relay writes."""


class AccountCount(NamedTuple):
    """A roll-up on accounts: the number of answers with scores in a range."""

    description: str
    lowest: int
    highest: int


ACCOUNT_COUNTS = {
    "Responses": AccountCount("The number of NPS answers.", 0, 10),
    "Promoters": AccountCount("The number of NPS answers of 9 or 10.", 9, 10),
    "Detractors": AccountCount("The number of NPS answers of 0 to 6.", 0, 6),
}
"""Roll-ups by the last part of the field's name. A blank score is in no range."""


def select_people_mappings(mappings: Iterable[ResolvedMapping]) -> tuple[ResolvedMapping, ...]:
    """Return the mappings of people that receive events through the relay, so that NPS answers can be stored."""
    return tuple(
        mapping
        for mapping in mappings
        if mapping.receives and mapping.by_relay and mapping.match == "user" and mapping.object in PEOPLE
    )


def response_fields(mappings: Iterable[ResolvedMapping], *, detail: bool) -> Iterator[Field]:
    """Yield the fields of an answer as a describe would."""
    for name, field in RESPONSE_FIELDS.items():
        yield Field(name, field.type, custom=True, calculated=bool(field.formula), updateable=not field.formula)
    for mapping in select_people_mappings(mappings):
        yield Field(f"{mapping.object}__c", "reference", custom=True)
    yield Field(ACCOUNT_FIELD, "reference", custom=True, required=detail, permissionable=not detail)


def account_fields(project: str) -> Iterator[Field]:
    """Yield the fields of accounts that count answers, as a describe would."""
    for name in (*(f"{project}_NPS_{part}__c" for part in ACCOUNT_COUNTS), f"{project}_NPS__c"):
        yield Field(name, "double", custom=True, calculated=True, updateable=False)
