"""
The names of latest states: a kind, and what the state belongs to, joined by colons.

`relay forget` finds the states of a person's records by the kinds that are listed here.
"""

from __future__ import annotations

from typing import Literal, get_args

RecordStateKind = Literal["field", "answers", "member", "nps"]
"""The kinds of states that belong to a record. Only earlier versions stored `nps`, with a mapping instead of an object."""
RECORD_KINDS: tuple[RecordStateKind, ...] = get_args(RecordStateKind)
RECORD_LIST = "records"
"""The kind of the state with the IDs of the records that were written for a user."""
NULL_GUARD = "clearing"
"""The kind of the states that store null guards."""


def name_record_state(kind: RecordStateKind, owner: str, record_id: str, *parts: str) -> str:
    """Return the name of a state of a record; `owner` is the object, and `parts` identify the state in the record."""
    return ":".join((kind, owner, record_id, *parts))


def read_kind(name: str) -> str:
    """Return the kind in the name of a state."""
    return name.partition(":")[0]
