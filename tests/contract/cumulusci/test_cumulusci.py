"""CumulusCI's tasks, each with its effect in the org."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Component
from sfcode.metadata.package import read
from tests.contract.cumulusci.conftest import Cumulus
from tests.contract.like import like
from tests.contract.target_org import TargetOrg, rows

pytestmark = pytest.mark.recorded("cumulusci", "shipped")

PROBLEM = "In field: field - no CustomField named Contact.No__c found"


def field(org: TargetOrg) -> Component:
    return Component("CustomField", f"Contact.{org.word}Made__c", {"label": "Made", "type": "Text", "length": 20})


def permissions(org: TargetOrg) -> Component:
    return Component("PermissionSet", org.word, {"label": org.word, "description": "By deploy"})


def wrong(org: TargetOrg) -> Component:
    refused = {"Contact.No__c": {"editable": True, "readable": True}}
    return Component("PermissionSet", org.word, {"label": "W", "fieldPermissions": refused})


BOTH_WAYS = pytest.mark.parametrize("way", [(), ("-o", "rest_deploy", "True")], ids=["soap", "rest"])


@BOTH_WAYS
def test_deploy(cci: Cumulus, way: tuple[str, ...]) -> None:
    """The components of a deployed package exist in the org."""
    cci.package("src", field(cci.org), permissions(cci.org))
    result = cci.run("deploy", "--path", "src", *way)
    assert (result.returncode, "Succeeded" in result.stdout) == (0, True), result.stdout + result.stderr
    assert like(cci.org.component("PermissionSet", cci.org.word), {"description": "By deploy"})
    assert like(cci.org.component("CustomField", field(cci.org).full_name), {"length": 20})


@BOTH_WAYS
def test_failures_are_rendered(cci: Cumulus, way: tuple[str, ...]) -> None:
    """CumulusCI shows the component, its file and the problem, and exits with 1."""
    cci.package("src", wrong(cci.org))
    result = cci.run("deploy", "--path", "src", *way)
    assert result.returncode == 1
    rendered = (
        f"ERROR in file permissionsets/{cci.org.word}.permissionset: {PROBLEM}"
        if way
        else f"PermissionSet {cci.org.word}: Error: {PROBLEM}"
    )
    assert rendered in result.stdout
    assert cci.org.component("PermissionSet", cci.org.word) is None


def test_check_only(cci: Cumulus) -> None:
    """A validation succeeds and changes nothing."""
    cci.package("src", permissions(cci.org))
    result = cci.run("deploy", "--path", "src", "-o", "check_only", "True")
    assert (result.returncode, "Succeeded" in result.stdout) == (0, True), result.stdout + result.stderr
    assert cci.org.component("PermissionSet", cci.org.word) is None


def test_retrieve_and_assign(cci: Cumulus) -> None:
    """Components of the org are retrieved as files, and a permission set is assigned to the signed-in user once."""
    cci.package("src", permissions(cci.org))
    assert cci.run("deploy", "--path", "src").returncode == 0
    result = cci.run("retrieve_unpackaged", "--path", "out", "--package_xml", "src/package.xml")
    assert result.returncode == 0, result.stdout + result.stderr
    out = cci.folder / "out"
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (component,) = read(files)
    assert (component.full_name, component.body["description"]) == (cci.org.word, "By deploy")
    result = cci.run("assign_permission_sets", "--api_names", cci.org.word)
    assert result.returncode == 0, result.stdout + result.stderr
    records = rows(
        cci.org.client, f"SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = '{cci.org.word}'"
    )
    assert records == [{"AssigneeId": cci.org.user_id}]
