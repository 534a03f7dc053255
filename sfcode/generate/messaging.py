"""From Salesforce to Appcues: the outbound message, and the flow or workflow rule that fires it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate import entry_formula
from sfcode.generate.desired import Origin
from sfcode.generate.template_context import Blueprint, FlowView, OutboundMessageView, WorkflowRuleView, origin
from sfcode.mapping import naming
from sfcode.mapping.field_types import Fields
from sfcode.mapping.resolved import Exchange, Place, settings_place
from sfcode.metadata.component import Address

_OWNED = "Managed by sfcode: do not edit by hand."


def message_version(fields: Iterable[str]) -> str:
    """
    Give the short name of a field list, which the endpoint carries as `?v=`.

    By it the relay knows that a message was made from the list it has: only then does a field that
    is missing from the message mean a value that was cleared.
    """
    return hashlib.sha256("\n".join(sorted(set(fields))).encode()).hexdigest()[:8]


def endpoint_url(project: Project, one: Exchange) -> str:
    """Give the address that a mapping's messages are sent to, with the secret as a placeholder."""
    relay = project.settings.relay
    base = relay.url.rstrip("/")
    return f"{base}/outbound-messages/{one.name}/{relay.outbound_secret}?v={message_version(one.message_fields)}"


def messaging(project: Project, one: Exchange) -> Iterator[Blueprint]:
    """Describe the message of a mapping and what fires it; nothing where Appcues' connector carries the data."""
    if not (one.sends and one.by_relay):
        return
    name = naming.mapping_name(project.settings.name, one.name)
    yield _message(project, one, name)
    yield _rule(one, name) if one.trigger == "workflow_rule" else _flow(project, one, name)


def messaging_warnings(one: Exchange, fields: Fields) -> Iterator[Diagnostic]:
    """Say what will work less well than its author may think."""
    if not (one.sends and one.by_relay):
        return
    watched = set(entry_formula.watched_fields(one))
    for use in one.attributes:
        found = fields.get(use.field)
        if found is None:
            continue
        if use.field not in watched:
            continue
        if found.calculated:
            yield use.place.problem(
                f"{one.object}.{use.field} is a formula: a change that comes from another record or from the "
                "calendar is sent only when this record is next saved with a new result",
                "map the fields that it is made from, where they are on this object",
            )
        if len(found.reference_to) > 1 and one.trigger == "flow":
            yield use.place.problem(
                f"{one.object}.{use.field} may refer to {' or '.join(found.reference_to)}, and an org may refuse such a "
                "field in a flow's entry condition",
                "if it does, map a formula field with what you need of it",
            )


def _mentions(one: Exchange) -> dict[str, Place]:
    """Collect the field names that an org's message about this mapping may hold."""
    uses = [one.user_id, *one.attributes]
    if one.source is not None:
        uses.append(one.source)
    tokens: dict[str, Place] = {}
    for use in uses:
        for token in (f"{one.object}.{use.field}", use.field):
            tokens.setdefault(token, use.place)
    return tokens


def _origins(address: Address, tokens: dict[str, Place], place: Place) -> tuple[Origin, ...]:
    return (*(origin(address, token, where) for token, where in tokens.items()), origin(address, "", place))


def _message(project: Project, one: Exchange, name: str) -> Blueprint:
    address = Address("WorkflowOutboundMessage", f"{one.object}.{name}")
    view = OutboundMessageView(
        object=one.object,
        name=name,
        label=naming.label(name),
        description=f"{_OWNED} Sends the mapped fields of {one.object} to Appcues through the relay.",
        api_version=project.settings.salesforce.api_version,
        endpoint_url=endpoint_url(project, one),
        fields=one.message_fields,
        integration_user=project.settings.integration_user.username,
    )
    user = settings_place(project, "integration_user", "username")
    url = settings_place(project, "relay", "url")
    tokens = {**_mentions(one), view.integration_user: user, "integrationUser": user, "endpointUrl": url}
    return Blueprint(address, view, one.place("to_appcues"), _origins(address, tokens, one.place("to_appcues")))


def _flow(project: Project, one: Exchange, name: str) -> Blueprint:
    address = Address("Flow", name)
    view = FlowView(
        object=one.object,
        name=name,
        label=naming.label(name),
        description=f"{_OWNED} Sends {one.object} to Appcues when a mapped field changes.",
        api_version=project.settings.salesforce.api_version,
        condition=entry_formula.entry_condition(one, prefixed=True),
        record_trigger_type=entry_formula.record_trigger_type(one),
        message=f"{one.object}.{name}",
    )
    tokens = {**_mentions(one), view.message: one.place("to_appcues")}
    place = one.place("to_appcues", "trigger")
    return Blueprint(address, view, place, _origins(address, tokens, place))


def _rule(one: Exchange, name: str) -> Blueprint:
    address = Address("WorkflowRule", f"{one.object}.{name}")
    view = WorkflowRuleView(
        object=one.object,
        name=name,
        description=f"{_OWNED} Sends {one.object} to Appcues when a mapped field changes.",
        condition=entry_formula.entry_condition(one, prefixed=False),
        trigger_type=entry_formula.rule_trigger_type(one),
        message=name,
    )
    place = one.place("to_appcues", "trigger")
    return Blueprint(address, view, place, _origins(address, _mentions(one), place))
