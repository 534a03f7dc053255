"""CumulusCI's tasks, each with its effect in the org."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Component
from sfcode.metadata.package import read
from tests.contract.cumulusci.conftest import Cumulus

pytestmark = pytest.mark.recorded("cumulusci", "shipped")

FIELD = Component("CustomField", "Contact.Made__c", {"label": "Made", "type": "Text", "length": 20})
SET = Component("PermissionSet", "Made", {"label": "Made", "description": "By deploy"})
WRONG = Component(
    "PermissionSet",
    "Wrong",
    {"label": "W", "fieldPermissions": {"Contact.No__c": {"editable": True, "readable": True}}},
)
PROBLEM = "In field: field - no CustomField named Contact.No__c found"

BOTH_WAYS = pytest.mark.parametrize("way", [(), ("-o", "rest_deploy", "True")], ids=["soap", "rest"])


@BOTH_WAYS
def test_deploy(cci: Cumulus, way: tuple[str, ...]) -> None:
    """What it deploys is in the org."""
    cci.package("src", FIELD, SET)
    done = cci.run("deploy", "--path", "src", *way)
    assert (done.returncode, "Succeeded" in done.stdout) == (0, True), done.stdout + done.stderr
    assert cci.components("PermissionSet")["Made"]["description"] == "By deploy"
    assert cci.components("CustomField")["Contact.Made__c"]["length"] == 20


@BOTH_WAYS
def test_failures_are_rendered(cci: Cumulus, way: tuple[str, ...]) -> None:
    """It finds the component, its file and the problem in the answer, and leaves with 1."""
    cci.package("src", WRONG)
    done = cci.run("deploy", "--path", "src", *way)
    assert done.returncode == 1
    rendered = (
        f"ERROR in file permissionsets/Wrong.permissionset: {PROBLEM}"
        if way
        else f"PermissionSet Wrong: Error: {PROBLEM}"
    )
    assert rendered in done.stdout
    assert "Wrong" not in cci.components("PermissionSet")


def test_check_only(cci: Cumulus) -> None:
    """A validation succeeds and changes nothing."""
    cci.package("src", SET)
    done = cci.run("deploy", "--path", "src", "-o", "check_only", "True")
    assert (done.returncode, "Succeeded" in done.stdout) == (0, True), done.stdout + done.stderr
    (report,) = cci.deploys()
    assert (report["status"], report["checkOnly"]) == ("Succeeded", True)
    assert "Made" not in cci.components("PermissionSet")


def test_retrieve_and_assign(cci: Cumulus) -> None:
    """What is in the org comes back as files, and a permission set is given to the user who asks, once."""
    cci.package("src", SET)
    assert cci.run("deploy", "--path", "src").returncode == 0
    done = cci.run("retrieve_unpackaged", "--path", "out", "--package_xml", "src/package.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    out = cci.folder / "out"
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (found,) = read(files)
    assert (found.full_name, found.body["description"]) == ("Made", "By deploy")
    done = cci.run("assign_permission_sets", "--api_names", "Made")
    assert done.returncode == 0, done.stdout + done.stderr
    (user,) = cci.rows("User", Username=cci.org.username)
    (given,) = cci.rows(
        "PermissionSetAssignment", AssigneeId=user["Id"], PermissionSetId=cci.id_of("PermissionSet", "Made")
    )
    assert given["IsActive"]
