"""Recognize components of Appcues integrations by names, hosts and formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from sfcode.importing.scan_result import Formula, Message, MessageTrigger
from sfcode.mapping.field_types import USER_ID_FORMULAS
from sfcode.metadata.component import Body, Component, Value
from sfcode.metadata.objects import Field

CONNECTOR_HOST = "integration-hook.com"
"""The host to which Appcues' own connector sends, from a public backup of an org."""
APPCUES_HOST = "appcues.com"
CONNECTOR_NAME = re.compile(r"AppcuesOn\w+_[A-Za-z0-9]+")

_ONE = r"\s*([A-Za-z]\w*)\s*"
_BLANK = r"\s*(?:\"\"|''|NULL)\s*"
_AS_TEXT = (
    rf"TEXT\({_ONE}\)",
    rf"IF\(\s*ISBLANK\({_ONE}\)\s*,{_BLANK},\s*TEXT\({_ONE}\)\s*\)",
    rf"IF\(\s*NOT\(\s*ISBLANK\({_ONE}\)\s*\)\s*,\s*TEXT\({_ONE}\)\s*,{_BLANK}\)",
)
_DOES_MORE = (
    *("apexPluginCalls", "assignments", "collectionProcessors", "customErrors", "decisions", "experiments", "loops"),
    *("orchestratedStages", "recordCreates", "recordDeletes", "recordLookups", "recordRollbacks", "recordUpdates"),
    *("screens", "stages", "steps", "subflows", "transforms", "waits"),
)
"""Elements with which a flow does more than send messages."""


def find_messages(workflows: Iterable[Component], flows: Iterable[Component]) -> tuple[Message, ...]:
    """Find the outbound messages to Appcues, and their triggers."""
    messages = [message for workflow in workflows if (message := _message(workflow))]
    # A flow has the name of a message as somebody has typed it.
    appcues_names = {message.address.full_name.lower() for message in messages}
    fired: dict[str, list[MessageTrigger]] = {}
    for component in (*workflows, *flows):
        sent_names = {name.lower() for name in _sends(component)}
        for full_name in sent_names & appcues_names:
            firing = MessageTrigger(
                component.address, alone=sent_names <= appcues_names and not _does_other_things(component)
            )
            fired.setdefault(full_name, []).append(firing)
    return tuple(
        Message(
            message.address,
            message.host,
            message.by_connector,
            message.user,
            message.fields,
            tuple(sorted(fired.get(message.address.full_name.lower(), ()), key=lambda entry: entry.address)),
        )
        for message in sorted(messages, key=lambda entry: entry.address)
    )


def _message(component: Component) -> Message | None:
    if component.type != "WorkflowOutboundMessage":
        return None
    host = urlsplit(str(component.body.get("endpointUrl", ""))).hostname or ""
    name = component.full_name.partition(".")[2]
    by_connector = _below(host, CONNECTOR_HOST) or CONNECTOR_NAME.fullmatch(name) is not None
    if not (by_connector or _below(host, APPCUES_HOST)):
        return None
    fields = component.body.get("fields")
    names = tuple(map(str, fields)) if isinstance(fields, list | tuple) else ()
    return Message(component.address, host, by_connector, str(component.body.get("integrationUser", "")), names)


def _below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _sends(component: Component) -> Iterator[str]:
    """List the full names of the messages that a rule or flow sends; other actions have the name ""."""
    if component.type == "WorkflowRule":
        owner = component.full_name.partition(".")[0]
        for name, action in _rows(component.body.get("actions")):
            yield f"{owner}.{name}" if action.get("type") == "OutboundMessage" else f"{action.get('type')} {name}"
    elif component.type == "Flow":
        for _, action in _rows(component.body.get("actionCalls")):
            name, kind = str(action.get("actionName")), action.get("actionType")
            yield name if kind == "outboundMessage" else f"{kind} {name}"


def _does_other_things(component: Component) -> bool:
    if component.type == "WorkflowRule":
        return bool(component.body.get("workflowTimeTriggers"))
    return any(component.body.get(part) for part in _DOES_MORE)


def _rows(value: Value) -> Iterator[tuple[str, Mapping[str, Value]]]:
    for name, row in value.items() if isinstance(value, Mapping) else ():
        if isinstance(row, Mapping):
            yield name, row


def formula(body: Body, fields: Mapping[str, Field]) -> Formula:
    """Parse the formula of a text field; `fields` are those of its object."""
    text = str(body.get("formula", ""))
    source = as_text_of(text)
    field = fields.get(source)
    number = field is not None and field.type in USER_ID_FORMULAS
    return Formula(text, body.get("formulaTreatBlanksAs") == "BlankAsZero", source if number else "")


def as_text_of(text: str) -> str:
    """Return the field that a formula converts to text, "" for other formulas."""
    for pattern in _AS_TEXT:
        match = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
        if match and len(set(match.groups())) == 1:
            return match[1]
    return ""
