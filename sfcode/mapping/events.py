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
"""What an event is about: the item of Appcues that a user completed, answered or reached."""

ITEM_ATTRIBUTES: Mapping[ItemKind, tuple[str, ...]] = {
    "flow": ("flowName", "flowId"),
    "survey": ("flowName", "flowId"),
    "checklist": ("checklistName", "checklistId"),
    "goal": ("goalName", "goalId"),
    "form": ("flowName", "flowId", "interaction.formId"),
}
"""By kind of item, the attributes of an event that hold its name and its id. A form has no name but that of its flow."""

DETAILS: Mapping[ItemKind, tuple[str, ...]] = {
    "flow": ("flowType", "flowVersion", "stepId", "stepType", "stepChildId", "stepChildNumber", "interaction"),
    "survey": ("flowType", "flowVersion", "stepId", "stepType", "score", "feedback"),
    "checklist": ("itemId", "itemIndex", "itemLabel"),
    "goal": (),
}
"""By kind of item, further attributes of its events, as far as Appcues' SDKs and exports show them."""
COMMON_ATTRIBUTES = ("eventName", "currentPageUrl", "currentPageTitle", "sessionId", "timestamp", "userId", "email")
"""What a text about any event may name. An event also holds whatever the product tells Appcues of its users."""

PREFIX = "appcues:"
"""How the names of Appcues' own events begin in webhooks; the config leaves it out."""


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
    """What a sentence calls several of them: completed flows."""
    text: ActivityText | None = None
    """The default texts of its activity; None for an event that creates no activity."""
    properties: Mapping[NpsKind, str] = field(default_factory=dict)
    """By NPS field, the attribute of the event that fills it."""
    item: ItemKind | None = None
    """The kind of content that the event belongs to; None for click-to-track events."""
    registers: bool = False
    """Whether it may make people members of a campaign."""
    help_page: bool = False
    """Whether the table of Appcues' help page has it, so that Appcues' own connector writes it."""
    comment: str = ""
    """What `events.yaml` says above its texts."""


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
"""Events that may make people members of a campaign."""
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
    """Return the attributes that an event is known to have."""
    item = BY_NAME[name].item
    own = (*ITEM_ATTRIBUTES[item], *DETAILS[item]) if item else ()
    return frozenset((*COMMON_ATTRIBUTES, *own))


NPS_EVENTS: Mapping[NpsKind, str] = {
    kind: next(event.name for event in EVENTS if set(event.properties) == {kind}) for kind in get_args(NpsKind)
}
"""By NPS field, the event that fills it alone."""


def events_filling(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the events that fill any of these NPS fields (`score`, `feedback`)."""
    fields = set(kinds)
    return tuple(event.name for event in EVENTS if fields & event.properties.keys())
