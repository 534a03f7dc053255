"""Turn a row into a message: an NPS answer like one from a webhook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sfcode.config.event_models import Events
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.events import ITEM_ATTRIBUTES, PREFIX, PROPERTY_EVENTS
from sfcode.relay.ingress.appcues_parser import format_user_id
from sfcode.relay.ingress.message_id import digest
from sfcode.relay.ingress.timestamps import AHEAD, BEHIND, format_time, parse_time
from sfcode.relay.load.rows import ExportRow
from sfcode.relay.message import LONGEST_ID, PAST, InboxMessage
from sfcode.relay.salesforce.event_reader import BEST_SCORE, config_name
from sfcode.relay.salesforce.template_sandbox import number, text

KIND = "nps_score_and_feedback"
SURVEY_NAME, SURVEY_ID = ITEM_ATTRIBUTES["survey"]
PAGE = "currentPageUrl"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "user_id": ("userid", "user"),
    "timestamp": ("timestamp", "time", "answeredat", "submittedat", "createdat", "date"),
    "score": ("score", "npsscore"),
    "feedback": ("feedback", "npsfeedback", "comment"),
    "event": ("name", "event", "eventname"),
    "survey": ("flowname", "surveyname", "survey"),
    "survey_id": ("flowid", "surveyid"),
    "page": ("currentpageurl", "pageurl", "page", "url"),
}
"""The names of the columns of each value: lower-case letters and digits, without the prefix `attributes`."""
_HOLDERS = re.compile(r"^(attributes|properties|identity)+")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not a valid answer."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads answers by the rules of a project; `columns` has the columns that the user has passed, by the keys of `COLUMNS`."""

    events: Events
    received: datetime
    columns: Mapping[str, str]

    def read(self, row: ExportRow) -> InboxMessage | BadRow | None:
        """Return the message of a row; None if the row is an event that is not an answer."""
        if row.problem:
            return BadRow(row.line, row.problem)
        values = self._name_values(row.values)
        name = text(values.get("event"))
        if name and config_name(name if ":" in name else f"{PREFIX}{name}", self.events)[0] not in PROPERTY_EVENTS:
            return None
        answer = self._answer(values)
        return BadRow(row.line, answer) if isinstance(answer, str) else answer

    def _name_values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a row by the keys of `COLUMNS`."""
        plain = {_HOLDERS.sub("", re.sub(r"[^a-z0-9]", "", name.lower())): value for name, value in row.items()}
        values = {role: next((plain[name] for name in names if name in plain), None) for role, names in COLUMNS.items()}
        return values | {role: row.get(column) for role, column in self.columns.items()}

    def _answer(self, values: Mapping[str, Any]) -> InboxMessage | str:
        """Return the message of an answer, or the reason why it is invalid."""
        user_id, time = format_user_id(values["user_id"]), parse_time(values["timestamp"])
        if not user_id or len(user_id) > LONGEST_ID:
            return "has a user ID that is too long" if user_id else "has no user ID"
        if time is None:
            return "has no time" if values["timestamp"] is None else "has a time that cannot be read"
        if not BEHIND <= time <= self.received + AHEAD:
            return "has a time in the future" if time > self.received else f"has a time before {BEHIND.year}"
        score, feedback = values["score"], text(values["feedback"]).strip()
        answer = None if score is None else number(score)
        if score is not None and not (answer is not None and 0 <= answer <= BEST_SCORE and answer == int(answer)):
            return f"has a score that is not a whole number from 0 to {BEST_SCORE}"
        if answer is None and not feedback:
            return "has neither a score nor feedback"
        names = self.events.properties[KIND]
        attributes = {
            names.get("score", "score"): None if answer is None else int(answer),
            names.get("feedback", "feedback"): feedback or None,
            SURVEY_NAME: text(values["survey"]) or None,
            SURVEY_ID: text(values["survey_id"]) or None,
            PAGE: text(values["page"]) or None,
        }
        timestamp = format_time(time)
        event = {
            "name": f"{PREFIX}{KIND}",
            "user_id": user_id,
            "timestamp": timestamp,
            "attributes": {name: value for name, value in attributes.items() if value is not None},
        }
        payload = {"event": event, "user_id": user_id, "group_id": None, "timestamp": timestamp, "origin": PAST}
        return InboxMessage("appcues", f"{PAST}:{digest(event)}", f"user:{user_id}", f"{PREFIX}{KIND}", payload)
