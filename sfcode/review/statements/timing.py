"""Statements about when data is sent, and of which records."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.phrases import code, describe_saves, join_list, records
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context, Pair

_TRIGGERS = {"flow": "a flow", "workflow_rule": "a workflow rule"}
_BECAUSE = "other changes of records are sent than before"


def timing_statements(context: Context) -> Iterator[Statement]:
    """Describe a changed trigger."""
    for pair in context.pairs:
        if pair.before is None or pair.after is None:
            continue
        yield from _selection(pair, pair.before.mapping, pair.after.mapping)
        if not (pair.before.mapping.sends and pair.after.mapping.sends):
            continue
        old, new, subject = pair.before.mapping, pair.after.mapping, records(pair.object)
        if old.on != new.on:
            text = f"{subject} will be sent when they are {describe_saves(new.on)}, instead of when they are {describe_saves(old.on)}"
            yield Statement(Group.WHEN, text, Risk.MEDIUM, _BECAUSE, new.place("to_appcues", "on").position)
        if old.trigger != new.trigger and old.by_relay and new.by_relay:
            text = f"Changes of {subject} will be sent by {_TRIGGERS[new.trigger]} instead of {_TRIGGERS[old.trigger]}"
            because = "the automation that sends is replaced"
            yield Statement(Group.WHEN, text, Risk.MEDIUM, because, new.place("to_appcues", "trigger").position)


def _selection(pair: Pair, old: ResolvedMapping, new: ResolvedMapping) -> Iterator[Statement]:
    """Describe a changed selection of records (`where`)."""
    before, after = (_all_or_those(mapping) for mapping in (old, new))
    if before != after:
        text = f"Of {records(pair.object)}, {after} will take part instead of {before}"
        yield Statement(
            Group.WHEN, text, Risk.MEDIUM, "other records take part than before", new.place("where").position
        )


def _all_or_those(mapping: ResolvedMapping) -> str:
    return f"those whose {join_list(code(condition) for condition in mapping.where)}" if mapping.where else "all"
