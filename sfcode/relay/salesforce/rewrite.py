"""
Write the newest value of a record once more, after a call that may have arrived late.

A call whose outcome nobody knows may be carried out after newer values were written, and turn them back. So its records
are written again with the newest values that were delivered, when the longest call is over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sfcode.relay.message import ClaimedMessage, FollowUp, InboxMessage, LatestState
from sfcode.relay.salesforce.actions.action import RecordWrite

KIND = "sfcode:rewrite"


def rewrite(
    mapping: str, object_: str, record_id: str, fields: Mapping[str, str], *, token: str, after: float
) -> FollowUp:
    """
    Return the message that writes a record's fields again.

    `fields` are names of latest states by field; `token` tells this occasion from others. Rewrites of one record that
    concern different fields are different messages: one claim may write a score and, in its next call, a feedback.
    """
    payload = {"mapping": mapping, "object": object_, "id": record_id, "fields": dict(fields)}
    name = f"rewrite:{object_}:{record_id}"
    message_id = f"{name}:{','.join(sorted(fields))}:{token}"
    return FollowUp(InboxMessage("appcues", message_id, name, KIND, {"rewrite": payload}), after)


def states_of(message: ClaimedMessage) -> Mapping[str, str]:
    """Return the names of latest states by field that a rewrite needs; {} for other messages."""
    payload: Mapping[str, Any] = message.payload.get("rewrite") or {}
    fields: Mapping[str, str] = payload.get("fields") or {}
    return fields if message.kind == KIND else {}


def plan_rewrite(message: ClaimedMessage, latest: Mapping[str, LatestState]) -> RecordWrite | None:
    """Return the write of a rewrite; None where no newest value is known."""
    payload: Mapping[str, Any] = message.payload["rewrite"]
    newest = {
        field: latest[name] for field, name in states_of(message).items() if name in latest and latest[name].value
    }
    if not newest:
        return None
    values = {field: json.loads(state.value) for field, state in newest.items()}
    return RecordWrite(payload["mapping"], "update", payload["object"], "Id", payload["id"], values, newest)
