"""What an event of Appcues asks for, in the project's own words. Nothing is asked of Salesforce here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from sfcode.config.event_models import Alias, Events, PropertyEvent
from sfcode.config.models import ActivityEvent
from sfcode.relay.appcues_payload import attribute
from sfcode.relay.message import ClaimedMessage, Delivered, Parked, Settlement
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.template_sandbox import number, text
from sfcode.relay.salesforce.text_limits import clean, cut

OWN = "appcues:"
"""What the names of Appcues' own events begin with; all others are its customers'."""
CLICK_TO_TRACK = "click_to_track"
BEST_SCORE = 10

_KNOWN = frozenset({*get_args(ActivityEvent), *get_args(PropertyEvent)})
_BOTH = "nps_score_and_feedback"


@dataclass(frozen=True, slots=True)
class RecordTarget:
    """What one mapping takes from an event."""

    destination: Destination
    id: str
    """Of the user, or of the group."""
    properties: Mapping[str, int | str]
    """New values of `score` and `feedback`."""
    activities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventWork:
    """One event and what is to be done with it."""

    message: ClaimedMessage
    event: str
    """As config calls it: `nps_score`, `click_to_track`; "" for one that it does not know."""
    time: datetime
    user_id: str
    targets: tuple[RecordTarget, ...]
    score: int | None
    feedback: str
    names: Mapping[str, str]
    """What attributes are called in the event, by their names in texts, where these differ."""

    @property
    def stamp(self) -> str:
        """The event's time, as it is compared."""
        return f"{self.time:%Y-%m-%dT%H:%M:%S.%f}Z"

    @property
    def is_late_feedback(self) -> bool:
        """Whether this is an answer that belongs to a score sent before it."""
        return self.score is None and bool(self.feedback)

    def value(self, name: str) -> Any:
        """Find what a text asks for."""
        if name == "eventName":
            return self.message.kind
        if name == "score" and self.score is not None:
            return self.score
        if name == "feedback" and self.feedback:
            return self.feedback
        return attribute(self.message.payload["event"], self.names.get(name, name))


def read(message: ClaimedMessage, destinations: tuple[Destination, ...], events: Events) -> EventWork | Settlement:
    """Tell what a message asks for; a settlement where there is nothing to do."""
    event = message.payload.get("event")
    if not isinstance(event, Mapping):
        return Parked("not_understood", "the message holds no event")
    known, names = _known(message.kind, events)
    answers = _answers(event, known, names, events)
    if isinstance(answers, Parked):
        return answers if _concerns(known, destinations) else Delivered("not_mapped")
    activities = _activities(known, answers)
    user_id = text(message.payload.get("user_id"))
    ids = {"user": user_id, "group": text(message.payload.get("group_id"))}
    targets = []
    for destination in destinations:
        asked = destination.click_to_track if known == CLICK_TO_TRACK else destination.activities
        wanted = tuple(one for one in activities if (message.kind if known == CLICK_TO_TRACK else one) in asked)
        properties = {
            kind: _limited(destination, value) for kind, value in answers.items() if kind in destination.fields
        }
        if ids[destination.match] and (wanted or properties):
            targets.append(RecordTarget(destination, ids[destination.match], properties, wanted))
    score, feedback = answers.get("score"), answers.get("feedback", "")
    if not targets and score is None:
        return Delivered("not_mapped")
    time = _time(message)
    return EventWork(message, known, time, user_id, tuple(targets), _whole(score), str(feedback), names)


def _known(kind: str, events: Events) -> tuple[str, Mapping[str, str]]:
    if not kind.startswith(OWN):
        return CLICK_TO_TRACK, {}
    name = kind.removeprefix(OWN)
    alias: Alias | None = events.aliases.get(name)
    if alias is not None:
        return alias.as_, alias.attributes
    return (name if name in _KNOWN else ""), {}


def _concerns(known: str, destinations: tuple[Destination, ...]) -> bool:
    """Tell whether any mapping cares for an NPS event."""
    return any(
        destination.fields or set(_activities(known, None)) & destination.activities for destination in destinations
    )


def _answers(
    event: Mapping[str, Any], known: str, names: Mapping[str, str], events: Events
) -> dict[str, int | str] | Parked:
    """Read score and feedback, where the event holds them; parked where they are none."""
    asked = events.properties.get(known, {})  # type: ignore[call-overload]  # a key that is not there
    found: dict[str, int | str] = {}
    for kind, name in asked.items():
        value = attribute(event, names.get(name, name))
        if value is None or value == "":
            continue
        read_value = _score(value) if kind == "score" else _feedback(value)
        if read_value is None:
            return Parked("bad_value", f"{name} is no {kind}: {type(value).__name__}")
        if read_value != "":  # an answer of nothing but blanks is none, and takes no other's place
            found[kind] = read_value
    if "score" in asked and not found:
        return Parked("bad_value", f"{asked['score']} is missing")
    return found


def _activities(known: str, answers: Mapping[str, object] | None) -> tuple[str, ...]:
    """Name the activities of an event: newer surveys send in one what classic ones send in two."""
    if known != _BOTH:
        return (known,) if known else ()
    return tuple(f"nps_{kind}" for kind in ("score", "feedback") if answers is None or kind in answers)


def _score(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 <= found <= BEST_SCORE and found == int(found) else None


def _feedback(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    return clean(value if isinstance(value, str) else text(value)).strip()


def _limited(destination: Destination, value: int | str) -> int | str:
    limit = destination.feedback_limit
    return cut(value, limit) if isinstance(value, str) and limit is not None else value


def _whole(score: object) -> int | None:
    return score if isinstance(score, int) else None


def _time(message: ClaimedMessage) -> datetime:
    """Read when the event happened; when it came in, where it does not say so."""
    try:
        time = datetime.fromisoformat(str(message.payload.get("timestamp")))
    except ValueError:
        time = message.received_at
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
