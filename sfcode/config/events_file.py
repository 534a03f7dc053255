"""The shipped `events.yaml`: the defaults of the event catalog, with comments for users who edit the file."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

from sfcode.config.event_models import Events
from sfcode.mapping.events import EVENTS

_HEAD = """\
# yaml-language-server: $schema=.schema/events.json

# The activities and scores that Appcues events become in Salesforce. Omitted events keep the texts shown here.
version: 1

# Events that update the NPS fields of a mapping (to_salesforce.nps), with their attributes for score
# and feedback. Classic NPS surveys send the first two events, newer surveys the third.
properties:
"""
_ACTIVITIES = """
# Events that add an activity (to_salesforce.activities): its subject and its comment, as in the
# table of Appcues' help page on the Salesforce integration, with two corrections:
#
# - The help page prints {{ itemIndex }} instead of the names of the item and of its checklist.
#   These texts use {{ itemLabel }} and {{ checklistName }}.
# - The help page does not close the bracket after {{ currentPageTitle }}. These texts do.
#
# The language is Jinja2; {{ }} contains attributes of the event. itemIndex begins at 0, so the texts add 1.
activities:
"""
_ALIASES = """
# Other events of Appcues that are handled as one of the events above; by default, none. Newer
# experiences (flows of the new editor, but also pins, banners and launchpads) send v2 events.
# It is not known whether a flow of the new editor also sends flow_completed. If yours do not:
#
# aliases:
#   v2:experience_completed:
#     as: flow_completed
#     attributes: {flowName: experienceName} # flowName in texts is experienceName in the event
"""


def render_events_file() -> str:
    """Return the text of `events.yaml` with all defaults."""
    return "".join((_HEAD, *_render_properties(), _ACTIVITIES, *_render_activities(), _ALIASES))


@functools.cache
def default_events() -> Events:
    """Return the settings of the events that a project's `events.yaml` omits."""
    return Events.model_validate(
        {
            "version": 1,
            "properties": {event.name: event.properties for event in EVENTS if event.properties},
            "activities": {
                event.name: {"subject": event.text.subject, "comment": event.text.comment}
                for event in EVENTS
                if event.text
            },
        }
    )


def _render_properties() -> Iterator[str]:
    for event in EVENTS:
        if event.properties:
            entries = ", ".join(f"{kind}: {attribute}" for kind, attribute in event.properties.items())
            yield f"  {event.name}: {{{entries}}}\n"


def _render_activities() -> Iterator[str]:
    for event in EVENTS:
        if event.text is None:
            continue
        if event.comment:
            yield "\n" + "".join(f"  # {line}\n" for line in event.comment.splitlines())
        yield f"  {event.name}:\n"
        yield f"    subject: {json.dumps(event.text.subject, ensure_ascii=False)}\n"
        yield f"    comment: {json.dumps(event.text.comment, ensure_ascii=False)}\n"
