"""Generate the outbound message of a mapping, and the flow or workflow rule that sends it."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate import entry_formula
from sfcode.generate.template_context import Blueprint, FlowView, OutboundMessageView, WorkflowRuleView, origin
from sfcode.mapping import naming
from sfcode.mapping.desired import Origin
from sfcode.mapping.fields import Fields
from sfcode.mapping.naming import MANAGED
from sfcode.mapping.place import Place
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Address


def message_blueprints(project: Project, mapping: ResolvedMapping, fields: Fields) -> Iterator[Blueprint]:
    """Return the message of a mapping and its flow or workflow rule; nothing if Appcues' connector sends the data."""
    if not (mapping.sends and mapping.by_relay):
        return
    yield _message(project, mapping)
    yield _rule(mapping, fields) if mapping.trigger == "workflow_rule" else _flow(project, mapping, fields)


def messaging_warnings(mapping: ResolvedMapping, fields: Fields) -> Iterator[Diagnostic]:
    """Return warnings about fields that are sent less often than expected."""
    if not (mapping.sends and mapping.by_relay):
        return
    watched = set(mapping.watched_fields)
    for use in mapping.attributes:
        field = fields.get(use.field)
        if field is None:
            continue
        if use.field not in watched:
            continue
        if field.calculated:
            yield use.place.advice(
                f"{mapping.object}.{use.field} is a formula: a change because of another record or of the "
                "date is sent only when this record is next saved with a new result",
                "map the fields of the formula, if they belong to this object",
            )


def _mentions(mapping: ResolvedMapping) -> dict[str, Place]:
    """Collect the field names that an org's message about this mapping may contain."""
    uses = [mapping.user_id, *mapping.attributes]
    if mapping.source is not None:
        uses.append(mapping.source)
    tokens: dict[str, Place] = {}
    for use in uses:
        for token in (f"{mapping.object}.{use.field}", use.field):
            tokens.setdefault(token, use.place)
    for condition in mapping.where:
        for token in (f"{mapping.object}.{condition.compared_field}", condition.compared_field):
            tokens.setdefault(token, condition.place)
    return tokens


def _origins(address: Address, tokens: dict[str, Place], place: Place) -> tuple[Origin, ...]:
    return (*(origin(address, token, position) for token, position in tokens.items()), origin(address, "", place))


def _message(project: Project, mapping: ResolvedMapping) -> Blueprint:
    address = Address("WorkflowOutboundMessage", f"{mapping.object}.{mapping.developer_name}")
    view = OutboundMessageView(
        object=mapping.object,
        name=mapping.developer_name,
        label=naming.label(mapping.developer_name),
        description=f"{MANAGED} Sends the mapped fields of {mapping.object} to Appcues through the relay.",
        api_version=project.settings.salesforce.api_version,
        endpoint_url=mapping.endpoint_url,
        fields=mapping.message_fields,
        integration_user=project.settings.integration_user.username,
    )
    user = project.place("integration_user", "username")
    url = project.place("relay", "url")
    tokens = {**_mentions(mapping), view.integration_user: user, "integrationUser": user, "endpointUrl": url}
    return Blueprint(address, view, mapping.place("to_appcues"), _origins(address, tokens, mapping.place("to_appcues")))


def _flow(project: Project, mapping: ResolvedMapping, fields: Fields) -> Blueprint:
    address = Address("Flow", mapping.developer_name)
    view = FlowView(
        object=mapping.object,
        name=mapping.developer_name,
        label=naming.label(mapping.developer_name),
        description=f"{MANAGED} Sends {mapping.object} to Appcues when a mapped field changes.",
        api_version=project.settings.salesforce.api_version,
        condition=entry_formula.entry_condition(mapping, fields, prefixed=True),
        record_trigger_type=entry_formula.record_trigger_type(mapping),
        message=f"{mapping.object}.{mapping.developer_name}",
    )
    tokens = {**_mentions(mapping), view.message: mapping.place("to_appcues")}
    place = mapping.place("to_appcues", "trigger")
    return Blueprint(address, view, place, _origins(address, tokens, place))


def _rule(mapping: ResolvedMapping, fields: Fields) -> Blueprint:
    address = Address("WorkflowRule", f"{mapping.object}.{mapping.developer_name}")
    view = WorkflowRuleView(
        object=mapping.object,
        name=mapping.developer_name,
        description=f"{MANAGED} Sends {mapping.object} to Appcues when a mapped field changes.",
        condition=entry_formula.entry_condition(mapping, fields, prefixed=False),
        trigger_type=entry_formula.rule_trigger_type(mapping),
        message=mapping.developer_name,
    )
    place = mapping.place("to_appcues", "trigger")
    return Blueprint(address, view, place, _origins(address, _mentions(mapping), place))
