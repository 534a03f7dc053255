"""Statements about added, removed and renamed mappings."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.phrases import code, join_list, records
from sfcode.checks.risk import LOST
from sfcode.mapping import naming
from sfcode.metadata.component import Address
from sfcode.plan.change import Action
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context, Half, Pair, holds_values
from sfcode.text import count_noun

_WAYS = {"both": "both ways", "to_appcues": "to Appcues only", "to_salesforce": "from Appcues only"}
_SENDERS = {"flow": "flow", "workflow_rule": "workflow rule"}
_CARRIERS = {"relay": "the relay", "connector": "Appcues' own connector"}


def mapping_statements(context: Context) -> tuple[list[Statement], frozenset[Address]]:
    """Describe added, removed and renamed mappings; also return the deletions that this explains."""
    statements: list[Statement] = []
    explained_deletions: set[Address] = set()
    for pair in context.pairs:
        if pair.after is None and pair.before is not None:
            deletions = _find_deleted(context, pair.before)
            explained_deletions.update(deletions)
            statements.append(_describe_removed(context, pair.before, deletions))
        elif pair.before is None and pair.after is not None and context.before is not None:
            statements.append(_describe_added(context, pair.after))
        else:
            statements.extend(_describe_renamed(pair))
            statements.extend(_direction(pair))
            statements.extend(_delivery(pair))
    return statements, frozenset(explained_deletions)


def _find_deleted(context: Context, half: Half) -> frozenset[Address]:
    addresses = context.made_by(context.before, half.file) if context.before else frozenset()
    return frozenset(component.address for component in context.list_deleted() if component.address in addresses)


def _describe_removed(context: Context, half: Half, deletions: frozenset[Address]) -> Statement:
    text = f"{records(half.mapping.object)} will no longer be synced"
    if deletions:
        text += f": {count_noun(len(deletions), 'component')} will be deleted"
    fields = sorted(
        component.full_name
        for component in context.list_deleted()
        if component.address in deletions and holds_values(component)
    )
    if not fields:
        return Statement(Group.LEAVING, text, Risk.MEDIUM, "a mapping is removed")
    noun, pronoun = ("fields", "their") if len(fields) > 1 else ("field", "its")
    text += f", {noun} {join_list(fields)} with {pronoun} values among them"
    return Statement(Group.LEAVING, text, Risk.HIGH, LOST)


def _describe_added(context: Context, half: Half) -> Statement:
    addresses = context.made_by(context.after, half.file)
    new = sum(change.address in addresses for change in context.changes if change.action is Action.CREATE)
    way = _WAYS[half.mapping.direction]
    carrier = _CARRIERS[half.mapping.delivery]
    text = f"{records(half.mapping.object)} will be synced with Appcues, {way}, by {carrier}"
    text += f": {count_noun(new, 'component')} will be created" if new else ""
    return Statement(Group.LEAVING, text, Risk.MEDIUM, "a mapping is added", half.mapping.place("object").position)


def _describe_renamed(pair: Pair) -> Iterator[Statement]:
    if pair.before is None or pair.after is None or pair.before.mapping.name == pair.after.mapping.name:
        return
    old, new = pair.before.mapping, pair.after.mapping
    text = f"The mapping {code(old.name)} is renamed to {code(new.name)}"
    if old.name.lower() == new.name.lower():
        text += ", which is the same name to Salesforce: its components are updated in place"
        yield Statement(Group.SETUP, text, Risk.LOW, "", new.place("object").position)
    elif old.sends and new.sends and old.by_relay and new.by_relay:
        names = [
            naming.mapping_name(half.project.settings.name, half.mapping.name) for half in (pair.before, pair.after)
        ]
        sender = _SENDERS[old.trigger]
        text += (
            f": its outbound message and {sender} {code(names[0])} will be deleted and created as {code(names[1])}, "
            "and Salesforce will send to another URL of the relay"
        )
        because = "components are replaced by ones with other names"
        yield Statement(Group.SETUP, text, Risk.MEDIUM, because, new.place("object").position)
    else:
        yield Statement(Group.SETUP, text, Risk.LOW, "", new.place("object").position)


def _direction(pair: Pair) -> Iterator[Statement]:
    if pair.before is None or pair.after is None:
        return
    old, new = pair.before.mapping.direction, pair.after.mapping.direction
    if old != new:
        text = f"{records(pair.object)} will be synced {_WAYS[new]} instead of {_WAYS[old]}"
        yield Statement(Group.SETUP, text, Risk.LOW, "", pair.after.mapping.place("direction").position)


def _delivery(pair: Pair) -> Iterator[Statement]:
    if pair.before is None or pair.after is None:
        return
    old, new = pair.before.mapping.delivery, pair.after.mapping.delivery
    if old != new:
        text = (
            f"{_CARRIERS[new][0].upper()}{_CARRIERS[new][1:]} will carry the data of {records(pair.object)} instead of "
        )
        text += _CARRIERS[old]
        if pair.before.mapping.sends and old == "relay":
            sender = _SENDERS[pair.before.mapping.trigger]
            text += f": the outbound message and the {sender} that fires it will be deleted"
        because = "another program carries the data"
        yield Statement(Group.SETUP, text, Risk.MEDIUM, because, pair.after.mapping.place("delivery").position)
