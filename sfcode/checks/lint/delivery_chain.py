"""
Check the chain from a mapped field to an Appcues attribute (SF101 to SF110).

The checks use the components that would be deployed, so that errors of a
project's own template are found too, and reported at the affected line of the mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sfcode.checks.lint.chain_links import Chain, chains
from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.diagnostics import Diagnostic, Position
from sfcode.mapping import naming
from sfcode.mapping.resolved import FieldUse
from sfcode.metadata.component import Component, Value

_ALWAYS = {"Id": "to identify the record", "SystemModstamp": "to order messages"}
_HINT = "add it to the project's own template, or remove that template to use sfcode's"


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Check the chain of every mapping."""
    every = chains(side)
    event_id = _find_event_id(side)
    for chain in every:
        yield from _check_generated(chain, event_id)
        if chain.mapping.sends and chain.mapping.by_relay:
            yield from _check_message(chain)
            yield from _check_trigger(chain)
    yield from _check_types(every)


def _check_message(chain: Chain) -> Iterator[Diagnostic]:
    mapping, side = chain.mapping, chain.side
    related = side.template_line("WorkflowOutboundMessage", "<fields>")
    attributes = _by_attribute(chain)
    for name, use in attributes.items():
        if use.field not in chain.sent_fields:
            message = f"{mapping.object}.{use.field} is sent as {name}, but the outbound message does not contain it"
            yield report("SF101", use.place, message, _HINT, related=related)
    for field, meaning in {**_ALWAYS, mapping.user_id.field: "to identify the profile"}.items():
        if field not in chain.sent_fields:
            message = f"the outbound message lacks {field}, which the relay needs {meaning}"
            yield report("SF102", mapping.place("to_appcues"), message, _HINT, related=related)
    for field in sorted(chain.sent_fields - {*mapping.message_fields}):
        message = f"the outbound message sends {mapping.object}.{field}, which no mapping contains"
        position = related or mapping.place("to_appcues").position
        yield report("SF110", position, message, "remove it from the template, or map it")
    yield from _check_endpoint(chain)


def _check_endpoint(chain: Chain) -> Iterator[Diagnostic]:
    message = chain.message or {}
    side, place = chain.side, chain.mapping.place("to_appcues")
    mapping_url, message_url = chain.mapping.endpoint_url, str(message.get("endpointUrl", ""))
    if message_url != mapping_url:
        # Both contain only the secret's name, unless a template contains the secret itself; so they are not quoted.
        part = "its version (?v=)" if message_url.partition("?")[0] == mapping_url.partition("?")[0] else "its address"
        text = f"the outbound message does not reach this mapping in the relay: {part} is not the one that the relay expects"
        related = side.template_line("WorkflowOutboundMessage", "<endpointUrl>")
        yield report("SF106", place, text, "write {{ message.endpoint_url }} in the template", related=related)
    user = side.project.settings.integration_user.username
    if message.get("integrationUser") != user:
        text = "the outbound message is sent as another user than the integration user, whose field access determines its fields"
        related = side.template_line("WorkflowOutboundMessage", "<integrationUser>")
        yield report("SF106", place, text, "write {{ message.integration_user }} in the template", related=related)


def _check_trigger(chain: Chain) -> Iterator[Diagnostic]:
    mapping, side = chain.mapping, chain.side
    place = mapping.place("to_appcues", "trigger")
    type_ = "WorkflowRule" if mapping.trigger == "workflow_rule" else "Flow"
    for piece, text in _faults(chain):
        yield report("SF107", place, text, _HINT, related=side.template_line(type_, piece))
    condition_fields = chain.condition_fields
    if condition_fields is None or "update" not in mapping.on:
        return
    piece = "<formula>" if type_ == "WorkflowRule" else "<filterFormula>"
    watched = mapping.watched_fields
    for field in watched:
        if field.lower() not in condition_fields:
            text = f"a change of {mapping.object}.{field} sends nothing: the entry condition does not contain it"
            yield report("SF103", _place_of(chain, field), text, _HINT, related=side.template_line(type_, piece))


def _faults(chain: Chain) -> Iterator[tuple[str, str]]:
    """Find the reasons why the flow or rule does not send the message, each with the text of the template that causes it."""
    mapping, message = chain.mapping, f"{chain.mapping.object}.{chain.name}"
    if chain.rule is not None:
        if chain.rule.get("active") is not True:
            yield "<active>", "the workflow rule is not active, so nothing sends the outbound message"
        if not any(name == chain.name for name, _ in _rows(chain.rule.get("actions"))):
            yield "<actions>", f"the workflow rule does not send the outbound message {message}"
        return
    flow = chain.flow or {}
    start = flow.get("start")
    start = start if isinstance(start, Mapping) else {}
    if flow.get("status") != "Active":
        yield "<status>", "the flow is not active, so nothing sends the outbound message"
    if start.get("object") != mapping.object or start.get("triggerType") != "RecordAfterSave":
        yield "<start>", f"the flow does not start after a {mapping.object} is saved"
    sends = [row for _, row in _rows(flow.get("actionCalls")) if row.get("actionType") == "outboundMessage"]
    if not any(row.get("actionName") == message for row in sends):
        yield "<actionCalls>", f"the flow does not send the outbound message {message}"


def _rows(value: Value) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """List the entries of a repeated element, keyed or not."""
    if isinstance(value, Mapping):
        yield from ((name, row) for name, row in value.items() if isinstance(row, Mapping))
    elif isinstance(value, list | tuple):
        yield from ((str(row.get("name", "")), row) for row in value if isinstance(row, Mapping))


def _place_of(chain: Chain, field: str) -> Position:
    """Return the place of a field in a mapping; for a part of a compound field, that of the compound field."""
    uses = [*chain.mapping.attributes, chain.mapping.user_id, *([chain.mapping.source] if chain.mapping.source else [])]
    places = {use.field: use.place for use in reversed(uses)}
    places |= {
        condition.compared_field: condition.place
        for condition in chain.mapping.where
        if condition.compared_field not in places
    }
    return places.get(field, chain.mapping.place("to_appcues")).position


def _find_event_id(side: Snapshot) -> Component | None:
    """Return the external ID field of activities, on any object."""
    name = f".{naming.event_id_field(side.project.settings.name)}"
    fields = (component for component in side.desired.components if component.type == "CustomField")
    return next((field for field in fields if field.full_name.endswith(name)), None)


def _check_generated(chain: Chain, event_id: Component | None) -> Iterator[Diagnostic]:
    mapping, side = chain.mapping, chain.side
    if mapping.source is not None:
        body = chain.find_generated(mapping.user_id.field) or {}
        blank = body.get("formulaTreatBlanksAs", "BlankAsZero") == "BlankAsBlank"
        if body.get("type") != "Text" or mapping.source.field not in str(body.get("formula", "")) or not blank:
            text = f"{mapping.object}.{mapping.user_id.field} is not {mapping.source.field} as text, blank where that is blank"
            yield report(
                "SF108", mapping.user_id.place, text, _HINT, related=side.template_line("CustomField", "<formula>")
            )
    for target in mapping.targets:
        body = chain.find_generated(target.field) or {}
        allowed_types = target.value.metadata_types
        if target.create and (body.get("type") not in allowed_types or "formula" in body):
            text = f"{mapping.object}.{target.field} cannot hold the {target.value.noun}: it must be a {allowed_types[0]} field"
            yield report("SF108", target.place, text, _HINT, related=side.template_line("CustomField", "<type>"))
    if event_id and mapping.activities and mapping.by_relay:
        is_external_id = event_id.body.get("externalId") is True and event_id.body.get("unique") is True
        if not is_external_id or event_id.body.get("type") != "Text":
            text = f"{event_id.full_name} is not a unique external ID, so the relay would write activities twice"
            yield report(
                "SF108",
                mapping.activities_place,
                text,
                _HINT,
                related=side.template_line("CustomField", "<externalId>"),
            )


def _check_types(every: Iterable[Chain]) -> Iterator[Diagnostic]:
    """Find attributes that two mappings send with different types to the same kind of profile."""
    first: dict[tuple[str, str], tuple[Chain, FieldUse, str]] = {}
    for chain in every:
        for name, use in _by_attribute(chain).items():
            type_ = chain.type_of(use)
            if not type_:
                continue
            first_chain, other_use, other_type = first.setdefault((chain.mapping.match, name), (chain, use, type_))
            if other_type != type_:
                text = (
                    f"{name} is sent as {type_} from {chain.mapping.object}.{use.field}, and as {other_type} from "
                    f"{first_chain.mapping.object}.{other_use.field}: Appcues cannot compare them"
                )
                hint = (
                    f"write {name}: {{field: {use.field}, type: string}}, the same in both, or map fields of one type"
                )
                yield report("SF109", use.place, text, hint)


def _by_attribute(chain: Chain) -> dict[str, FieldUse]:
    return {use.attribute: use for use in chain.mapping.attributes}
