"""Small components, and an org that contains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfcode.config.project import Project
from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address, Component
from sfcode.plan.modes import PlanRequest
from sfcode.plan.plan import Plan
from sfcode.plan.rules import build_plan
from sfcode.plan.secrets import fingerprint
from sfcode.plan.snapshot import OrgSnapshot, PlanInput, Target
from sfcode.plan.state import Applied

TARGET = Target("00D000000000001EAA", "Northwind Traders", "http://127.0.0.1:1", "admin@example.com")
SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "0123456789abcdef0123456789abcdef"}


def number(name: str, precision: int = 3) -> Component:
    body = {"label": "Score", "precision": precision, "scale": 0, "type": "Number"}
    return Component("CustomField", f"Contact.{name}", body)


def permissions(**fields: bool) -> Component:
    rows = {f"Contact.{name}": {"editable": editable, "readable": True} for name, editable in fields.items()}
    return Component("PermissionSet", "Appcues_Integration", {"label": "Appcues", "fieldPermissions": rows})


USER = Component("User", "appcues@example.com", {"Username": "appcues@example.com", "Profile": "P", "IsActive": True})


def desired(*components: Component, records: tuple[Component, ...] = ()) -> Desired:
    return Desired(tuple(sorted(components)), records, ())


def observed(*components: Component, applied: tuple[Component, ...] = (), **more: object) -> OrgSnapshot:
    applied_state = Applied({component.address: component.body for component in applied})
    return OrgSnapshot(TARGET, {component.address: component for component in components}, applied_state, **more)


def build(
    project: Project,
    desired_state: Desired,
    snapshot: OrgSnapshot,
    *,
    secrets: Mapping[str, str] = SECRETS,
    generated: Desired | None = None,
    **options: Any,
) -> Plan:
    """Make a plan without an org; further arguments are options of the request."""
    prints = {name: fingerprint(value, snapshot.target.org_id) for name, value in secrets.items()}
    return build_plan(
        PlanInput(project, desired_state, snapshot, prints, PlanRequest(**options), generated or desired_state)
    )


def addresses(*texts: str) -> tuple[Address, ...]:
    return tuple(Address.parse(text) for text in texts)
