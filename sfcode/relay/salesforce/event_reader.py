"""Read an event of Appcues by the rules of `events.yaml`, independent of mappings and of Salesforce."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sfcode.config.event_models import Alias, Events
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.events import BY_NAME, HANDLED_EVENTS, ITEM_ATTRIBUTES, PREFIX
from sfcode.relay.appcues_payload import attribute, value_at
from sfcode.relay.message import LONGEST_ID, PAST, ClaimedMessage, Parked
from sfcode.relay.salesforce.template_sandbox import number, text
from sfcode.relay.salesforce.text_limits import clean
from sfcode.relay.state_names import RECORD_LIST

CLICK_TO_TRACK = "click_to_track"
BEST_SCORE = 10
REDACTED = "[redacted]"

_BOTH = "nps_score_and_feedback"


@dataclass(frozen=True, slots=True)
class AppcuesEvent:
    """One event of Appcues, read by the rules of `events.yaml`."""

    message: ClaimedMessage
    name: str
    """The name of the event in the config, such as `nps_score` or `click_to_track`; "" for an unknown event."""
    time: datetime
    user_id: str
    group_id: str
    answers: Mapping[str, int | str]
    """Answers to an NPS survey: `score`, `feedback`."""
    problem: Parked | None
    """Why the answers are invalid."""
    attribute_names: Mapping[str, str]
    """Names of attributes in the event, by template variable if these names differ."""

    @property
    def message_id(self) -> str:
        """The ID of the event's message, also in a follow-up message for one mapping."""
        return str(self.message.payload.get("message_id") or self.message.message_id)

    @property
    def mapping(self) -> str:
        """The only mapping that a follow-up message concerns; "" for the event's own message."""
        return str(self.message.payload.get("mapping") or "")

    @property
    def is_past(self) -> bool:
        """Whether the event was loaded from an export, so that it must not change the present state of a record."""
        return self.message.payload.get("origin") == PAST

    @property
    def stamp(self) -> str:
        """The event's time in the form of `LatestState.stamp`."""
        return f"{self.time:%Y-%m-%dT%H:%M:%S.%f}Z"

    @property
    def activities(self) -> tuple[str, ...]:
        """Names of the event's activities, several if an event of a newer survey has both score and feedback."""
        if self.name != _BOTH:
            return (self.name,) if self.name else ()
        kinds = ("score", "feedback")
        return tuple(f"nps_{kind}" for kind in kinds if self.problem or kind in self.answers)

    @property
    def score(self) -> int | None:
        """The score of the answer."""
        score = self.answers.get("score")
        return score if isinstance(score, int) else None

    @property
    def is_late_feedback(self) -> bool:
        """Whether this is a feedback whose score was sent in an earlier event."""
        return self.score is None and bool(self.answers.get("feedback"))

    @property
    def item(self) -> tuple[str, ...]:
        """Name and ID of the event's flow, survey, checklist or goal, as far as the event has them."""
        definition = BY_NAME.get(self.name)
        kind = definition.item if definition else None
        return tuple(filter(None, (text(self._value_at(path)) for path in ITEM_ATTRIBUTES[kind]))) if kind else ()

    def _value_at(self, path: str) -> Any:
        name, _, tail = path.partition(".")
        return value_at(self.value(name), tail) if tail else self.value(name)

    def id_for(self, match: str) -> str:
        """Return the ID of the user or the group; "" if the event has none."""
        return self.user_id if match == "user" else self.group_id

    def value(self, name: str) -> Any:
        """Return the value of a template variable; None if the event does not have it."""
        if name == "eventName":
            return self.message.kind
        if self.answers.get(name) not in (None, ""):
            return self.answers[name]
        return attribute(self.message.payload["event"], self.attribute_names.get(name, name))


def redact(event: AppcuesEvent) -> Mapping[str, Any]:
    """Return the payload of an event's message, with the feedback text replaced at each place where it occurs."""
    feedback = event.answers.get("feedback")

    def replace_nested(value: Any) -> Any:
        if isinstance(value, str):
            return REDACTED if _read_feedback(value) == feedback else value
        if isinstance(value, Mapping):
            return {key: replace_nested(item) for key, item in value.items()}
        return [replace_nested(item) for item in value] if isinstance(value, list) else value

    payload = event.message.payload
    return {
        **payload,
        **{key: replace_nested(payload[key]) for key in ("event", "received", "envelope") if key in payload},
    }


def read_event(message: ClaimedMessage, events: Events) -> AppcuesEvent | Parked:
    """Read the event of a message."""
    event = message.payload.get("event")
    if not isinstance(event, Mapping):
        return Parked("not_understood", "the message holds no event")
    name, attribute_names = config_name(message.kind, events)
    answers = _read_answers(event, name, attribute_names, events)
    problem = answers if isinstance(answers, Parked) else None
    return AppcuesEvent(
        message,
        name,
        _read_time(message),
        text(message.payload.get("user_id")),
        text(message.payload.get("group_id")),
        {} if isinstance(answers, Parked) else answers,
        problem,
        attribute_names,
    )


def score_name(user_id: str) -> str:
    """Return the name of the state with a user's newest score."""
    return f"score:user:{_short(user_id)}"


def records_name(user_id: str) -> str:
    """Return the name of the state with the IDs of the records that were written for a user."""
    return f"{RECORD_LIST}:user:{_short(user_id)}"


def _short(user_id: str) -> str:
    """Return an ID, or its hash if the ID is too long for an index or not printable."""
    if len(user_id) <= LONGEST_ID and user_id.isprintable():
        return user_id
    return f"sha256-{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()}"


def config_name(kind: str, events: Events) -> tuple[str, Mapping[str, str]]:
    """
    Return the name of an event in the config, and the names of its attributes if they differ.

    Aliases match with and without the prefix `appcues:`; every other name without it is a click-to-track event.
    """
    name = kind.removeprefix(PREFIX)
    alias: Alias | None = events.aliases.get(name)
    if alias is not None:
        return alias.as_, alias.attributes
    if not kind.startswith(PREFIX):
        return CLICK_TO_TRACK, {}
    return (name if name in HANDLED_EVENTS else ""), {}


def _read_answers(
    event: Mapping[str, Any], event_name: str, names: Mapping[str, str], events: Events
) -> dict[str, int | str] | Parked:
    """Read score and feedback, if the event contains them; Parked if they are invalid."""
    attributes = events.properties.get(event_name, {})
    answers: dict[str, int | str] = {}
    for kind, name in attributes.items():
        value = attribute(event, names.get(name, name))
        if value is None or value == "":
            continue
        answer = _read_score(value) if kind == "score" else _read_feedback(value)
        if answer is None:
            return Parked("bad_value", f"{name} is no {kind}: {type(value).__name__}")
        if answer != "":  # a blank answer is ignored, and does not replace another one
            answers[kind] = answer
    if "score" in attributes and not answers:
        return Parked("bad_value", f"{attributes['score']} is missing")
    return answers


def _read_score(value: Any) -> int | None:
    score = number(value)
    return int(score) if score is not None and 0 <= score <= BEST_SCORE and score == int(score) else None


def _read_feedback(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    return clean(value if isinstance(value, str) else text(value)).strip()


def _read_time(message: ClaimedMessage) -> datetime:
    """Return when the event happened, or when it was received if the event has no time."""
    try:
        time = datetime.fromisoformat(str(message.payload.get("timestamp")))
    except ValueError:
        time = message.received_at
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
