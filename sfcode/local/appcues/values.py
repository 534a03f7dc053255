"""
The account that every local Appcues has, and the values that Appcues accepts.

Texts, numbers, booleans and null are values. Arrays and objects are silently ignored:

https://docs.appcues.com/users-groups-events/supported-data-types
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass

ACCOUNT_ID = "1"
API_KEY = "local-appcues-key"
API_SECRET = "local-appcues-secret"  # noqa: S105 (of the account that every machine has; no secret of anybody's)
STATE_FILE = "appcues.db"
RATE = 60.0
"""Requests per second that an account may make."""


@dataclass(frozen=True, slots=True)
class LocalAppcues:
    """A running local Appcues: its URL and its credentials."""

    url: str
    account_id: str = ACCOUNT_ID
    api_key: str = API_KEY
    api_secret: str = API_SECRET


Value = str | int | float | bool | None
RESERVED = "_"
"""The prefix of Appcues' own properties."""


def accepted_attributes(attributes: Mapping[str, Any]) -> dict[str, Value]:
    """Return the attributes with a value of a supported type; null removes an attribute."""
    return {name: value for name, value in attributes.items() if value is None or isinstance(value, str | int | float)}


def auto_properties(name: str, attributes: Mapping[str, Any]) -> dict[str, Value]:
    """
    Return the properties that Appcues sets by itself for an NPS answer.

    Only the name `_appcuesSatisfaction_MostRecentNPSScore` is published; the name for the feedback is derived from it.
    """
    properties: dict[str, Value] = {}
    if name in ("appcues:nps_score", "appcues:nps_score_and_feedback"):
        properties["_appcuesSatisfaction_MostRecentNPSScore"] = attributes.get("score")
    if name in ("appcues:nps_feedback", "appcues:nps_score_and_feedback"):
        properties["_appcuesSatisfaction_MostRecentNPSFeedback"] = attributes.get("feedback")
    return accepted_attributes({key: value for key, value in properties.items() if value is not None})
