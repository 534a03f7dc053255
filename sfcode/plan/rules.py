"""Rules that complete a compared plan: refusals, warnings, and the state to record. Each is pure, and they run in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from sfcode.config.relay_config import render_relay_config
from sfcode.errors import UsageError
from sfcode.metadata.component import Address, Component
from sfcode.metadata.normalize import differ
from sfcode.plan.change import Action, Change
from sfcode.plan.compare import compare
from sfcode.plan.data_flows import data_flows, recorded_data_flows
from sfcode.plan.foreign import count_preserved
from sfcode.plan.limits import refuse_beyond_platform, refuse_too_many
from sfcode.plan.modes import Mode
from sfcode.plan.ownership import (
    explain_kept_permission_set,
    refuse_unmanaged,
    refuse_unmanaged_user,
    warn_of_cutover,
    warn_of_lost_state,
)
from sfcode.plan.plan import ObsoleteVersions, Plan, Refusal
from sfcode.plan.present_user import warn_of_other_rights
from sfcode.plan.previous_user import (
    deactivated_users,
    refuse_shared_users,
    warn_of_other_assignees,
    warn_of_sign_ins,
)
from sfcode.plan.references import References
from sfcode.plan.relay_change import RelayChange
from sfcode.plan.rollback import (
    explain_exceptions,
    keep_unchanged_components,
    refuse_missing_parts,
    refuse_unknown_secrets,
)
from sfcode.plan.snapshot import PlanInput
from sfcode.text import count_noun

Rule = Callable[[PlanInput, Plan], Plan]


def build_plan(plan_input: PlanInput) -> Plan:
    """Compare, then apply the rules of the plan's mode in order."""
    plan = compare(plan_input)
    for rule in RULES[plan_input.request.mode]:
        plan = rule(plan_input, plan)
    return plan


def list_warnings(plan_input: PlanInput, plan: Plan) -> Plan:
    """Add the warnings from the config, from reading the org, and from generation."""
    advice = map(str, plan_input.desired.warnings)
    return plan.warn(*plan_input.project.warnings, *plan_input.snapshot.warnings, *advice)


def record_state(plan_input: PlanInput, plan: Plan) -> Plan:
    """Set whether the state must be written: if it changed, or if a user changes, since a rollback needs the old values."""
    left_state = plan_input.snapshot.left_state
    differs = differ(plan_input.snapshot.applied.list_components(), plan_input.desired.components)
    differs |= any(move.in_place for move in plan_input.snapshot.moves)
    differs |= any(change.address.type == "User" and change.before and change.after for change in plan.effective)
    return replace(plan, records_state=differs or left_state is not None, left_state=left_state)


def compare_relay(plan_input: PlanInput, plan: Plan) -> Plan:
    """Compare the relay's config with the recorded one; if they differ, the state must be written."""
    change = RelayChange(plan_input.snapshot.applied.relay, render_relay_config(plan_input.project))
    differs = plan_input.snapshot.state is not None and change.before != change.after
    return replace(plan, relay=change, records_state=plan.records_state or differs)


def refuse_former_project(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse a first apply to an org in which the project is applied under another identity, and a rename without `moved:`."""
    name, moved = plan_input.project.settings.name, plan_input.project.settings.moved.name
    refusals = []
    for other_state in () if plan_input.snapshot.state else plan_input.snapshot.other_states:
        own = other_state.identity.lower() != other_state.project.lower()
        was = (
            f"write `id: {other_state.identity}` in sfcode.yaml"
            if own
            else f"write `moved: {{name: {other_state.project}}}` in sfcode.yaml"
        )
        refusals.append(
            Refusal(
                None,
                f"the org has the state of a project {other_state.project}, which has {other_state.shared[-1]} as well, and no state of {name}",
                f"if it is the state of this project, {was}; for two separate projects, give each its own integration "
                "user and fields",
            )
        )
    applied = plan_input.snapshot.applied.project
    if applied and applied.lower() not in {name.lower(), (moved or "").lower()}:
        refusals.append(
            Refusal(
                None,
                f"the project {plan_input.project.identity} is called {applied} in this org, and {name} in sfcode.yaml",
                f"to rename it, write `moved: {{name: {applied}}}` there; if it was renamed already, update your "
                "copy of the config; if this is a copy for another integration, give it its own `id`",
            )
        )
    return plan.refuse(*refusals)


def delete_state(plan_input: PlanInput, plan: Plan) -> Plan:
    """Delete the state if there is one."""
    return replace(plan, records_state=plan_input.snapshot.state is not None)


def hold_pending_email(plan_input: PlanInput, plan: Plan) -> Plan:
    """
    Leave out an e-mail address that the last apply wrote, and that is not confirmed yet.

    A changed address takes effect once the link in a mail to it is clicked; until then the org has the previous one.
    """
    changes, warnings = [], []
    for change in plan.changes:
        email = _pending_email(plan_input, change)
        if change.before is None or not email:
            changes.append(change)
            continue
        changes.append(replace(change, before=replace(change.before, body={**change.before.body, "Email": email})))
        warnings.append(
            f"{change.address} still has the e-mail address {change.before.body['Email']} in the org: {email} waits to be "
            "confirmed by the link that Salesforce mailed to it"
        )
    return replace(plan, changes=tuple(changes)).warn(*warnings)


def _pending_email(plan_input: PlanInput, change: Change) -> str:
    """Return the e-mail address that the last apply wrote, if the org still has the previous one; else ""."""
    if change.address.type != "User" or not (change.before and change.after):
        return ""
    applied = plan_input.snapshot.applied
    replaced = [entry.before[change.address] for entry in applied.history if change.address in entry.before]
    observed_email, desired_email = change.before.body.get("Email"), change.after.body.get("Email")
    applied_email = applied.records.get(change.address, {}).get("Email")
    former = {(body or {}).get("Email") for body in replaced}
    return str(desired_email) if observed_email != desired_email == applied_email and observed_email in former else ""


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


def refuse_unused_options(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse addresses in options that are not part of the plan."""
    planned = {change.address: change for change in plan.changes}
    unknown = [
        Refusal(address, "is not part of this project", "remove --adopt, or correct the address")
        for address in sorted(plan_input.adopted)
        if address not in planned
    ]
    past = {address for entry in plan_input.snapshot.applied.history for address in entry.before}
    unused = [
        address
        for address in sorted(plan_input.request.allow_delete)
        if (address not in planned or planned[address].action is not Action.DELETE)
        and address not in deactivated_users(plan.effective)
    ]
    # An address that is known from an earlier apply causes only a warning, so that a command can be repeated.
    repeated = [address for address in unused if address in past | plan.released]
    plan = plan.warn(*(f"--allow-delete {address} has no effect: this plan does not delete it" for address in repeated))
    unused = [address for address in unused if address not in repeated]
    return plan.refuse(
        *unknown,
        *(
            Refusal(address, "is not deleted by this plan", "remove --allow-delete, or correct the address")
            for address in unused
        ),
    )


def limit_to_targets(plan_input: PlanInput, plan: Plan) -> Plan:
    """
    Limit a plan to the targets; other managed components are not changed.

    Raises UsageError for an unknown target, and for an option about an address that is left out.
    """
    targets = set(plan_input.request.targets)
    if not targets:
        return plan
    if waiting := sorted(move.present for move in plan.moves if move.in_place and move.present not in targets):
        raise UsageError(
            f"--target leaves out a rename: {', '.join(map(str, waiting))}.",
            "Add it, or apply without --target.",
        )
    if unknown := sorted(targets - {change.address for change in plan.changes}):
        listed = ", ".join(map(str, unknown))
        raise UsageError(
            f"--target names addresses that are not in this plan: {listed}.", "`sfcode plan` lists the addresses."
        )
    request = plan_input.request
    for option, addresses in (("--adopt", request.adopt), ("--allow-delete", request.allow_delete)):
        if without_effect := sorted({*addresses} - targets):
            raise UsageError(
                f"--target leaves out addresses of {option}: {', '.join(map(str, without_effect))}.",
                f"Pass them with --target too, or remove {option}.",
            )
    unchanged_components = tuple(
        component for component in plan_input.snapshot.applied.list_components() if component.address not in targets
    )
    limited = replace(
        plan,
        changes=tuple(change for change in plan.changes if change.address in targets),
        # A refusal without an address is about the project, and so about every plan of it.
        refusals=tuple(refusal for refusal in plan.refusals if refusal.address is None or refusal.address in targets),
        kept=unchanged_components,
        relay=None,
    )
    # A deployment also writes the state. Without one, the state must be written separately if an adoption changes it.
    differs = not limited.effective and differ(plan_input.snapshot.applied.list_components(), limited.list_desired())
    limited = replace(limited, records_state=differs or plan.left_state is not None)
    return limited.warn(
        f"limited to {count_noun(len(targets), 'address', 'addresses')} by --target; all other changes are left out"
    )


def retire_flow_versions(plan_input: PlanInput, plan: Plan) -> Plan:
    """Find old versions of remaining flows that refer to components which the plan deletes."""
    deleted = {change.address for change in plan.effective if change.action is Action.DELETE}
    deployed_addresses = {change.address for change in plan.effective if change.after}
    old = {
        flow: [version for version in versions if flow in deployed_addresses or not version.active]
        for flow, versions in sorted(plan_input.snapshot.flow_versions.items())
        if flow not in deleted  # all of its versions are deleted
    }
    references = References(version.flow for versions in old.values() for version in versions)
    deleted_addresses: dict[Component, set[Address]] = defaultdict(set)
    for address in deleted:
        for flow_version in references.find(address):
            deleted_addresses[flow_version].add(address)
    obsolete = []
    for flow, versions in old.items():
        naming = {
            version.number: deleted_addresses[version.flow] for version in versions if version.flow in deleted_addresses
        }
        if naming:
            names = sorted(set().union(*naming.values()))
            obsolete.append(ObsoleteVersions(flow, tuple(sorted(naming)), tuple(names)))
    return replace(plan, obsolete=tuple(obsolete))


def list_data_flows(plan_input: PlanInput, plan: Plan) -> Plan:
    """Add the data flows of the mappings, and those at the last apply."""
    flows = () if plan.mode is Mode.DESTROY else data_flows(plan_input.project, plan_input.snapshot.selected)
    if not plan_input.applied:
        return replace(plan, flows=flows, previous_flows=())
    recorded = recorded_data_flows(plan_input.snapshot.applied.relay or {})
    if recorded is not None:  # the data flows of a connector are not recorded, and shown as unchanged
        recorded = (*recorded, *(flow for flow in flows if not flow.by_relay))
    return replace(plan, flows=flows, previous_flows=recorded)


def count_unmanaged(plan_input: PlanInput, plan: Plan) -> Plan:
    """Count the unmanaged components in the files that the plan writes."""
    return replace(plan, preserved=count_preserved(plan.effective, plan_input.snapshot.unmanaged))


def refuse_missing_references(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse records with references that the org does not have, before anything is written."""
    return plan.refuse(
        *(
            Refusal(
                change.address,
                f"needs the {part.kind} {part.name}, which {part.owner} does not have",
                MISSING[part.kind],
            )
            for change in plan.effective
            if change.after
            for part in plan_input.snapshot.missing_parts.get(change.address, ())
        )
    )


MISSING = {
    "profile": "set integration_user.profile to the English name of a profile, as in package.xml, which works in any "
    "language",
    "permission set": "create it first, or set the developer name of an existing one",
    "permission set license": "set integration_user.permission_set_license to the developer name of an existing one",
    "user": "create the user first, or correct the username",
    "feature license": "turn on Marketing User in Setup, Users; or let another user create the record in Salesforce, and apply again",
    "campaign": "create the campaign first, or correct its ID or name in recipes.yaml; with a name, `create: true` lets an apply create it",
    "place before the status": "an apply adds statuses after the existing ones of a campaign: create this one in Salesforce with a "
    "lower sort order, or change the order in recipes.yaml",
    "unique campaign": "several campaigns have this name: set the ID of one in recipes.yaml",
}
"""Hints about missing parts, by kind."""

RULES: dict[Mode, tuple[Rule, ...]] = {
    Mode.APPLY: (
        list_warnings,
        hold_pending_email,
        warn_of_other_assignees,
        warn_of_other_rights,
        warn_of_cutover,
        record_state,
        compare_relay,
        refuse_former_project,
        refuse_unmanaged,
        refuse_unmanaged_user,
        refuse_data_loss,
        refuse_shared_users,
        warn_of_sign_ins,
        refuse_missing_references,
        refuse_unused_options,
        explain_kept_permission_set,
        limit_to_targets,
        refuse_too_many,
        refuse_beyond_platform,
        retire_flow_versions,
        count_unmanaged,
        list_data_flows,
    ),
    Mode.DESTROY: (
        list_warnings,
        warn_of_lost_state,
        delete_state,
        refuse_data_loss,
        refuse_shared_users,
        warn_of_sign_ins,
        count_unmanaged,
        list_data_flows,
    ),
    Mode.ROLLBACK: (
        keep_unchanged_components,
        explain_exceptions,
        refuse_unknown_secrets,
        refuse_missing_parts,
        refuse_missing_references,
        refuse_data_loss,
        refuse_shared_users,
        warn_of_sign_ins,
        refuse_beyond_platform,
        retire_flow_versions,
        count_unmanaged,
    ),
    Mode.REFRESH: (),
}
"""The rules of each mode, in the order in which they are applied."""
