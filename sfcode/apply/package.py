"""Build the zip of one deployment, including the new applied state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping

from sfcode.apply.steps import Deploy, Trial
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.plan.change import Action
from sfcode.plan.next_state import Mark, state_after
from sfcode.plan.plan import Plan
from sfcode.plan.sandbox_names import USER_NAMES
from sfcode.plan.secrets import reveal_component
from sfcode.plan.state import Applied
from sfcode.plan.state_format import readable_text, state_text, to_component


def package(plan: Plan, step: Deploy, mark: Mark, secrets: Mapping[str, str]) -> bytes:
    """
    Build the zip of one deployment.

    Secrets are inserted only here; the state in the same zip keeps the placeholders. The state is deleted with the last
    managed component.
    """
    return zip_files(_files(plan, step, mark, [reveal_component(component, secrets) for component in step.components]))


def package_digest(plan: Plan, step: Deploy, mark: Mark) -> str:
    """Return the SHA-256 of a package with placeholders for its secrets; a plan contains fingerprints of these."""
    files = _files(plan, step, mark, list(step.components), format_state=readable_text)
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path} {hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(
    plan: Plan,
    step: Deploy,
    mark: Mark,
    components: list[Component],
    *,
    format_state: Callable[[Applied], str] = state_text,
) -> dict[str, bytes]:
    if not step.owned and not step.keeps_state:
        return write(components, plan.api_version, deleted=[*step.deleted, plan.state])
    state = to_component(plan.state, state_after(plan, step.owned, mark), format_state)
    return write([*components, state], plan.api_version, deleted=step.deleted)


def trial_package(
    plan: Plan, step: Trial, secrets: Mapping[str, str], versions: Mapping[Address, Collection[int]]
) -> bytes:
    """
    Build the package that validates all steps of a plan together.

    `versions` are the deleted versions of each flow. The package deactivates flows that are deleted.
    """
    components = [reveal_component(component, secrets) for component in replace_missing_users(plan, step.components)]
    switched_off = [
        Component("FlowDefinition", flow.full_name, {"activeVersionNumber": 0})
        for flow in step.flows
        if versions.get(flow)
    ]
    deleted = [
        Address("Flow", f"{flow.full_name}-{number}") for flow, numbers in versions.items() for number in numbers
    ]
    return zip_files(write([*components, *switched_off], plan.api_version, deleted=[*step.deleted, *deleted]))


def replace_missing_users(plan: Plan, components: Iterable[Component]) -> tuple[Component, ...]:
    """Replace an integration user that the apply will create, activate or rename by the signed-in user."""
    missing = missing_users(plan)

    def replace_user(component: Component) -> Component:
        keys = [key for key in USER_NAMES if component.body.get(key) in missing]
        body = {**component.body, **dict.fromkeys(keys, plan.target.username)}
        return Component(component.type, component.full_name, body)

    return tuple(map(replace_user, components))


def missing_users(plan: Plan) -> set[str]:
    """Return the users that the apply will create, activate or rename."""
    users = [change for change in plan.changes if change.address.type == "User"]
    return {
        change.address.full_name
        for change in users
        if change.action is Action.CREATE
        or change.moved_from
        or (change.before and change.before.body.get("IsActive") is False and _is_active(change.after))
    }


def _is_active(user: Component | None) -> bool:
    return user is not None and user.body.get("IsActive") is True
