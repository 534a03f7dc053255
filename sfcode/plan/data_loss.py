"""Refuse to delete fields with values unless the deletion is allowed by address, and suggest a rename."""

from __future__ import annotations

from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import PlanInput
from sfcode.text import count_noun


def refuse_data_loss(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse to delete fields with values, unless --allow-delete has their address."""
    refusals = []
    for change in plan.changes:
        count = plan_input.snapshot.values.get(change.address, 0)
        if change.action is not Action.DELETE or count == 0 or change.address in plan_input.request.allow_delete:
            continue
        allow = f"pass --allow-delete {change.address} to delete its values"
        if count is None:
            reason = f"would be deleted, and {plan.target.username} cannot see whether records have a value in it"
            hint = f"run `sfcode viewers add`, which gives you access, and plan again, or {allow}"
        else:
            reason = f"would be deleted with the values that {count_noun(count, 'record')} {'holds' if count == 1 else 'hold'} in it"
            hint = f"keep it, or {allow}"
        refusals.append(Refusal(change.address, reason, hint + _suggest_move(change, plan)))
    return plan.refuse(*refusals)


def _suggest_move(deletion: Change, plan: Plan) -> str:
    """Suggest that a deleted field and a created one of the same kind may be a rename; "" if there is none."""
    owner = deletion.address.full_name.partition(".")[0].lower()
    created_names = [
        change.address.full_name
        for change in plan.changes
        if change.action is Action.CREATE
        and change.address.type == deletion.address.type == "CustomField"
        and change.address.full_name.partition(".")[0].lower() == owner
        and change.after
        and deletion.before
        and change.after.body.get("type") == deletion.before.body.get("type")
    ]
    if len(created_names) != 1:
        return ""
    return f"; if it is now called {created_names[0]}, write `moved: {{fields: {{{deletion.address.full_name}: {created_names[0]}}}}}` in sfcode.yaml"
