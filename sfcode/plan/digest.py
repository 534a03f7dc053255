"""The digest of a plan, which is equal for plans with the same changes to the same org."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sfcode.metadata.normalize import normal_body
from sfcode.plan.plan import Plan


def changes_digest(plan: Plan) -> str:
    """
    Return the SHA-256 of the org, the environment and every change.

    It does not cover the author, the time and the warnings of the plan.
    """
    changes = [
        {
            "address": str(change.address),
            "action": change.action.value,
            "adopted": change.adopted,
            "replaced": change.replaced,
            "before": normal_body(change.before),
            "after": normal_body(change.after),
        }
        for change in plan.effective
    ]
    does: dict[str, Any] = {
        "org": plan.target.org_id,
        "environment": plan.environment,
        "api_version": plan.api_version,
        "records_state": plan.records_state,
        "secrets": dict(plan.secrets),
        "changes": changes,
    }
    if plan.moves:
        does["moves"] = [[str(move.former), str(move.present), move.in_place] for move in plan.moves]
    if plan.relay and plan.relay.before != plan.relay.after:
        does["relay"] = list(plan.relay.digests)
    if plan.obsolete:
        does["obsolete_versions"] = [[str(old.flow), list(old.numbers)] for old in plan.obsolete]
    text = json.dumps(does, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
