"""Changes that a person with another tool makes in an org."""

from __future__ import annotations

from dataclasses import replace

from sfcode.local import LocalOrg
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import read, write, zip_files
from sfcode.org import Org, connect
from sfcode.org.results import DeployOptions

API = "63.0"


def opened(org: LocalOrg) -> Org:
    return connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API)


def component(org: LocalOrg, address: Address) -> Component | None:
    """Read one component with its secrets."""
    with opened(org) as client:
        files = client.metadata.retrieve({address.type: [address.full_name]}).files
    return next((candidate for candidate in read(files) if candidate.address == address), None)


def deploy(org: LocalOrg, *components: Component, deleted: tuple[Address, ...] = ()) -> None:
    """Deploy without sfcode's state or approval, as another tool does."""
    with opened(org) as client:
        package = zip_files(write(components, API, deleted=deleted))
        result = client.metadata.follow(client.metadata.deploy(package, DeployOptions()))
    assert result.success, result.failures


def deploy_field_label(org: LocalOrg, full_name: str, label: str) -> None:
    """Rename a field's label by hand."""
    field = component(org, Address("CustomField", full_name))
    assert field is not None
    deploy(org, replace(field, body={**field.body, "label": label}))


def show_fields(org: LocalOrg) -> None:
    """Give the administrator access to the fields that sfcode created, which nobody else can read."""
    with opened(org) as client:
        fields = client.metadata.read_metadata(
            "CustomField",
            [item.full_name for item in client.metadata.list_metadata("CustomField") if ".Appcues_" in item.full_name],
        )
        field_permissions = {
            field.full_name.replace("Activity.", "Event."): {"editable": "formula" not in field.body, "readable": True}
            for field in fields
        }
        deploy(org, Component("PermissionSet", "People", {"label": "People", "fieldPermissions": field_permissions}))
        assign(client, "People")


def assign(client: Org, permission_set: str) -> None:
    """Assign a permission set to the signed-in user."""
    (admin,) = client.query("SELECT Id FROM User WHERE Username = {}", client.identity.username)
    (row,) = client.query("SELECT Id FROM PermissionSet WHERE Name = {}", permission_set)
    client.create("PermissionSetAssignment", {"AssigneeId": admin["Id"], "PermissionSetId": row["Id"]})
