"""Statements about when data is sent."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context
from sfcode.review.statements.phrases import records, when

_TRIGGERS = {"flow": "a flow", "workflow_rule": "a workflow rule"}
_BECAUSE = "other changes of records are sent than before"


def timing_statements(context: Context) -> Iterator[Statement]:
    """Describe a changed trigger."""
    for pair in context.pairs:
        if pair.before is None or pair.after is None or not (pair.before.one.sends and pair.after.one.sends):
            continue
        old, new, where = pair.before.one, pair.after.one, records(pair.object)
        if old.on != new.on:
            text = f"{where} will be sent when they are {when(new.on)}, instead of when they are {when(old.on)}"
            yield Statement(Group.WHEN, text, Risk.MEDIUM, _BECAUSE, new.place("to_appcues", "on").position)
        if old.trigger != new.trigger and old.by_relay and new.by_relay:
            text = f"Changes of {where} will be sent by {_TRIGGERS[new.trigger]} instead of {_TRIGGERS[old.trigger]}"
            because = "the automation that sends is replaced"
            yield Statement(Group.WHEN, text, Risk.MEDIUM, because, new.place("to_appcues", "trigger").position)
