"""Look at an org: read what is there at the addresses that concern a project, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Body, Component
from sfcode.metadata.package import read
from sfcode.org import Org
from sfcode.plan.foreign import container_of, only
from sfcode.plan.observed import Observed, Target
from sfcode.plan.sandbox_names import moved, named, with_valid_email
from sfcode.plan.secrets import Mask
from sfcode.plan.state import from_component, state_address

UNFILTERABLE = {"LongTextArea", "Html"}
"""Field types that SOQL cannot filter on: all their values are read."""


def target_of(org: Org) -> Target:
    """Return which org this is."""
    identity = org.identity
    return Target(identity.org_id, identity.name, identity.instance_url, identity.username)


def observe(
    org: Org, name: str, wanted: Mapping[Address, Body], secrets: Mapping[str, str], *, user: str = ""
) -> Observed:
    """
    Read what is at the wanted addresses, and the applied state of project `name`.

    In a sandbox `user` is what the integration user is called there; the state may know its original name.

    One retrieve, in parallel with the record queries; a second one only for addresses that are
    ours and no longer wanted.
    """
    addresses = sorted(wanted)
    state = state_address(name)
    with ThreadPoolExecutor(max_workers=2) as pool:
        rows = pool.submit(records_at, org, [address for address in addresses if address.is_record])
        found, others = _retrieve(org, [address for address in addresses if not address.is_record] + [state])
        records = rows.result()
    kept = found.pop(state, None)
    applied = from_component(kept)
    sandbox = org.identity.sandbox
    if user:
        found = {key: replace(each, body=named(each.body, user, sandbox=sandbox)) for key, each in found.items()}
    if user and sandbox:
        applied = moved(applied, user)
        records = {
            key: with_valid_email(row, wanted[key]) if key.type == "User" else row for key, row in records.items()
        }
    leftover = [address for address in applied.components if address not in found and address not in addresses]
    more, beside = _retrieve(org, leftover)
    found.update(more)
    mask = Mask(secrets, applied.secrets, org.identity.org_id, applied.org_id or "")
    components = {
        address: mask.masked(component, wanted.get(address), applied.components.get(address))
        for address, component in (found | records).items()
    }
    going = [found[address] for address in leftover if address in found]
    components.update(_assignments(org, going))
    return Observed(
        target_of(org),
        components,
        applied,
        state=kept,
        values=_values(org, going),
        others=frozenset(others | beside) - set(addresses) - set(applied.components),
    )


def _retrieve(org: Org, addresses: list[Address]) -> tuple[dict[Address, Component], set[Address]]:
    """Fetch some components, and tell what else is in the workflow files that they are in."""
    if not addresses:
        return {}, set()
    members: dict[str, set[str]] = {}
    for address in addresses:
        members.setdefault(address.type, set()).add(address.full_name)
        container = container_of(address)
        if container and container.type == "Workflow":  # objects are too big to fetch for what is only counted
            members.setdefault(container.type, set()).add(container.full_name)
    asked = set(addresses)
    files, seen = only(org.metadata.retrieve(members).files, asked)
    return {component.address: component for component in read(files) if component.address in asked}, seen


def records_at(org: Org, addresses: Iterable[Address]) -> dict[Address, Component]:
    """Read the records that are at some addresses."""
    found = (_record(org, address) for address in addresses)
    return {component.address: component for component in found if component}


def _record(org: Org, address: Address) -> Component | None:
    """Read one record by its address; the body has the attributes that `generate` asks for."""
    if address.type == "User":
        rows = org.query(
            "SELECT Username, LastName, Email, Profile.Name, IsActive FROM User WHERE Username = {}", address.full_name
        )
        # Usernames ignore case and may come back in lower case: the row that was found is the one that was asked for.
        asked = {"Username": address.full_name}
        bodies = [{**row, **asked, "Profile": (row.pop("Profile") or {}).get("Name")} for row in rows]
    else:
        what, username = address.full_name.rsplit("/", 1)
        if address.type == "PermissionSetLicenseAssign":
            where = "PermissionSetLicense.DeveloperName = {} AND Assignee.Username = {}"
            body = {"Assignee": username, "PermissionSetLicense": what}
        else:
            where = "PermissionSet.Name = {} AND Assignee.Username = {}"
            body = {"Assignee": username, "PermissionSet": what}
        soql = f"SELECT Id FROM {address.type} WHERE {where}"  # noqa: S608  (one of two types; values are bound)
        bodies = [body for _ in org.query(soql, what, username)]
    return Component(address.type, address.full_name, bodies[0]) if bodies else None


def assignees(org: Org, permission_set: str) -> list[str]:
    """List the usernames that a permission set is assigned to, sorted."""
    rows = org.query(
        "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.Name = {}", permission_set
    )
    return sorted(row["Assignee"]["Username"] for row in rows)


def _assignments(org: Org, going: list[Component]) -> dict[Address, Component]:
    """Read who has the permission sets that may be deleted: an org deletes none that is assigned."""
    return {
        Address("PermissionSetAssignment", f"{name}/{username}"): Component(
            "PermissionSetAssignment", f"{name}/{username}", {"Assignee": username, "PermissionSet": name}
        )
        for name in (component.full_name for component in going if component.type == "PermissionSet")
        for username in assignees(org, name)
    }


def _values(org: Org, going: list[Component]) -> dict[Address, int | None]:
    """Count the records that hold a value in fields that may be deleted; formulas hold none."""
    fields = [field for field in going if field.type == "CustomField" and "formula" not in field.body]
    return {field.address: _held(org, field) for field in fields}


def _held(org: Org, field: Component) -> int | None:
    object_name, field_name = field.full_name.split(".", 1)
    # A custom field of Activity is a field of both events and tasks; Activity itself cannot be queried.
    objects = ("Event", "Task") if object_name == "Activity" else (object_name,)
    # Names come from the org's own metadata and cannot be bound as values can.
    total = 0
    try:
        for name in objects:
            if field.body.get("type") in UNFILTERABLE:
                rows = org.query(f"SELECT {field_name} FROM {name}")  # noqa: S608
                total += sum(row[field_name] is not None for row in rows)
            else:
                total += org.count(f"SELECT COUNT() FROM {name} WHERE {field_name} != NULL")  # noqa: S608
    except OrgError as error:
        if error.code == "INVALID_FIELD":
            return None
        raise
    return total
