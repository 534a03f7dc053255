"""
The event catalog: the one table behind models, JSON Schema, `events.yaml`, reviews, plans and lint.

To handle a further event, add its row to `EVENTS`; everything else follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from sfcode.lazy_dataclasses import dataclass, field

NpsKind = Literal["score", "feedback"]

ItemKind = Literal["flow", "survey", "checklist", "goal", "form"]
"""The kind of Appcues content that an event refers to, which a user completed, answered or reached."""

ITEM_ATTRIBUTES: Mapping[ItemKind, tuple[str, ...]] = {
    "flow": ("flowName", "flowId"),
    "survey": ("flowName", "flowId"),
    "checklist": ("checklistName", "checklistId"),
    "goal": ("goalName", "goalId"),
    "form": ("flowName", "flowId", "interaction.formId"),
}
"""The attributes with name and ID of the item, by kind of item. A form has only the name of its flow."""

DETAILS: Mapping[ItemKind, tuple[str, ...]] = {
    "flow": ("flowType", "flowVersion", "stepId", "stepType", "stepChildId", "stepChildNumber", "interaction"),
    "survey": ("flowType", "flowVersion", "stepId", "stepType", "score", "feedback"),
    "checklist": ("itemId", "itemIndex", "itemLabel"),
    "goal": (),
}
"""Further attributes of events by kind of item, from Appcues' SDKs and exports."""
COMMON_ATTRIBUTES = ("eventName", "currentPageUrl", "currentPageTitle", "sessionId", "timestamp", "userId", "email")
"""Attributes that the texts of any event may use. An event may also have attributes that a product sends to Appcues."""

PREFIX = "appcues:"
"""The prefix of Appcues' own events in webhooks, which the config omits."""


@dataclass(frozen=True, slots=True)
class ActivityText:
    """The texts of an activity (Jinja2)."""

    subject: str
    comment: str


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """An Appcues event: its name, its description, and its texts in Salesforce."""

    name: str
    plural: str
    """The plural for sentences, such as `completed flows`."""
    text: ActivityText | None = None
    """The default texts of its activity; None for an event that creates no activity."""
    properties: Mapping[NpsKind, str] = field(default_factory=dict)
    """The attribute of the event for each NPS field."""
    item: ItemKind | None = None
    """The kind of content that the event belongs to; None for click-to-track events."""
    registers: bool = False
    """Whether the event may add people to a campaign."""
    help_page: bool = False
    """Whether Appcues' own connector writes the event, according to the table of the help page."""
    comment: str = ""
    """The comment above its texts in `events.yaml`."""


_CLICK_TO_TRACK = "click_to_track"

EVENTS = (
    EventDefinition(
        "nps_score",
        "NPS scores",
        ActivityText(
            "Appcues NPS Score Submitted - {{ score }}",
            "{{ score }} NPS score. Submission location: {{ currentPageUrl }} ({{ currentPageTitle }})",
        ),
        {"score": "score"},
        "survey",
        help_page=True,
    ),
    EventDefinition(
        "nps_feedback",
        "NPS feedback",
        ActivityText(
            "Appcues NPS Feedback Submitted",
            "{{ feedback }} Submission location: {{ currentPageUrl }} ({{ currentPageTitle }})",
        ),
        {"feedback": "feedback"},
        "survey",
        help_page=True,
    ),
    EventDefinition(
        "nps_score_and_feedback",
        "NPS scores with feedback",
        properties={"score": "score", "feedback": "feedback"},
        item="survey",
    ),
    EventDefinition(
        "flow_completed",
        "completed flows",
        ActivityText(
            "Appcues Flow Completed - {{ flowName }}", "User completed your Appcues flow titled “{{ flowName }}”."
        ),
        item="flow",
        registers=True,
        help_page=True,
    ),
    EventDefinition(
        "checklist_item_completed",
        "completed checklist items",
        ActivityText(
            "Appcues Checklist Item #{{ itemIndex + 1 }} Completed - {{ checklistName }}",
            "User has completed an item titled, “{{ itemLabel }}”. This is part of the “{{ checklistName }}” checklist.",
        ),
        item="checklist",
        help_page=True,
    ),
    EventDefinition(
        "checklist_completed",
        "completed checklists",
        ActivityText(
            "Appcues Checklist Fully Completed - {{ checklistName }}",
            "User has completed all items in the “{{ checklistName }}” checklist.",
        ),
        item="checklist",
        help_page=True,
    ),
    EventDefinition(
        "goal_reached",
        "reached goals",
        ActivityText("Appcues Goal Reached - {{ goalName }}", "User has completed the goal titled, “{{ goalName }}”"),
        item="goal",
        help_page=True,
    ),
    EventDefinition("form_submitted", "submitted forms", item="form", registers=True),
    EventDefinition(
        _CLICK_TO_TRACK,
        "click-to-track events",
        ActivityText(
            "Appcues Click-to-track - {{ eventName }}",
            "User triggered the event “{{ eventName }}”. Location: {{ currentPageUrl }} ({{ currentPageTitle }})",
        ),
        registers=True,
        comment="""\
Click-to-track events, of all names that a mapping lists under click_to_track. The help page
gives no text for them; {{ eventName }} is the name that the event has in Appcues.""",
    ),
)
"""All events that sfcode handles, in the order of the help page's table."""

BY_NAME = {event.name: event for event in EVENTS}
PROPERTY_EVENTS = tuple(event.name for event in EVENTS if event.properties)
"""Events that update NPS fields."""
TEXT_EVENTS = tuple(event.name for event in EVENTS if event.text)
"""Events that become activities."""
ACTIVITY_EVENTS = tuple(name for name in TEXT_EVENTS if name != _CLICK_TO_TRACK)
"""Events that a mapping may list under `activities`."""
HANDLED_EVENTS = (*ACTIVITY_EVENTS, *(event.name for event in EVENTS if not event.text))
"""Events of Appcues itself that sfcode handles."""
REGISTRATION_EVENTS = tuple(event.name for event in EVENTS if event.registers)
"""Events that may add people to a campaign."""
HELP_PAGE_ACTIVITIES = tuple(event.name for event in EVENTS if event.help_page)
"""Events that become activities in the table of Appcues' help page."""

APPCUES_EVENTS = frozenset(
    {
        *HANDLED_EVENTS,
        "checklist_dismissed",
        "checklist_item_started",
        "checklist_shown",
        "checklist_skipped",
        "experiment_entered",
        "flow_aborted",
        "flow_attempted",
        "flow_error",
        "flow_skipped",
        "flow_started",
        "form_field_submitted",
        "nps_survey_started",
        "page_view",
        "session_started",
        "step_completed",
        "step_interacted",
        "step_seen",
        "step_skipped",
        "step_started",
    }
)
"""Events that Appcues sends itself, handled or not: none of them is a click-to-track event."""


def event_attributes(name: str) -> frozenset[str]:
    """Return the known attributes of an event."""
    item = BY_NAME[name].item
    own = (*ITEM_ATTRIBUTES[item], *DETAILS[item]) if item else ()
    return frozenset((*COMMON_ATTRIBUTES, *own))


NPS_EVENTS: Mapping[NpsKind, str] = {
    kind: next(event.name for event in EVENTS if set(event.properties) == {kind}) for kind in get_args(NpsKind)
}
"""For each NPS field, the event that fills only this field."""


def events_filling(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the events that fill any of some NPS fields (`score`, `feedback`)."""
    fields = set(kinds)
    return tuple(event.name for event in EVENTS if fields & event.properties.keys())
