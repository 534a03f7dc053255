"""Render docs/reference/events.md from the event catalog."""

from __future__ import annotations

from sfcode.mapping.events import COMMON_ATTRIBUTES, DETAILS, EVENTS, ITEM_ATTRIBUTES, PREFIX, EventDefinition

HEAD = f"""\
# Events of Appcues

This page is made from the event catalog, `sfcode/mapping/events.py`, by `make docs`; a test fails when it is stale.

In a webhook, the name of an event begins with `{PREFIX}`; the config omits this prefix. `to_salesforce.activities` of a [mapping](mapping-language.md) lists the events that become activities,
and `events.yaml` has their texts. A text may use the attributes below, and those that every event has:
{", ".join(f"`{name}`" for name in COMMON_ATTRIBUTES)}. Appcues does not publish the attributes of its webhooks; the table shows those of its SDKs and exports.

| event | fills | Subject | Comment | attributes |
| --- | --- | --- | --- | --- |
"""
TAIL = """
A click-to-track event has the name that you gave it in Appcues; list it under `to_salesforce.click_to_track`. The recipe
[`event_registration`](../guide/recipes.md#event-registration) uses `flow_completed`, `form_submitted` and click-to-track events.
"""


def events_page() -> str:
    """Render the page: one row for each event of Appcues itself."""
    return HEAD + "".join(f"{_row(event)}\n" for event in EVENTS if event.item) + TAIL


def _row(event: EventDefinition) -> str:
    fills = ", ".join(f"{kind} by `{attribute}`" for kind, attribute in event.properties.items())
    texts = (event.text.subject, event.text.comment) if event.text else ("", "")
    attributes = (*ITEM_ATTRIBUTES[event.item], *DETAILS.get(event.item, ())) if event.item else ()
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(attributes))
    cells = (f"`{event.name}`", fills, *(f"`{text}`" if text else "" for text in texts), names)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
