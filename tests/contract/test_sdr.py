"""
source-deploy-retrieve as a library, in one Node process, against the local org and the named org.

The sf CLI, the VS Code extensions and many pipelines deploy with this library. Each test has its own org, and its
effect is read with another client.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.metadata import schema_table
from sfcode.metadata.component import Address
from sfcode.org import Org
from tests.contract.project import INTEGRATION_USER, Rendered, bodies, deploy
from tests.contract.sf import QUIET, Clients
from tests.contract.target_org import CLIENT_VERSION, TargetOrg
from tests.waiting import PATIENCE

SCRIPT = Path(__file__).parent / "node" / "sdr.mjs"
MAIN = "force-app/main/default"
WORKFLOW = f"{MAIN}/workflows/Contact.workflow-meta.xml"
SCORE = f"{MAIN}/objects/Contact/fields/Appcues_NPS_Score__c.field-meta.xml"
PERMISSIONS = f"{MAIN}/permissionsets/Appcues_Viewer.permissionset-meta.xml"
TRANSPORTS = {"soap": False, "rest": True}
RECORDED = pytest.mark.recorded("@salesforce/source-deploy-retrieve", "with_integration_user")


class SdrError(Exception):
    """Raised for an error of the library."""


@dataclass
class Sdr:
    """The Node process, and the org that it uses."""

    process: subprocess.Popen[str]
    org: TargetOrg | None = None
    rest: bool = False

    def __call__(self, action: str, **request: Any) -> Any:
        """Execute one operation."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.org is not None
        org = {"url": self.org.url, "token": self.org.access_token}
        self.process.stdin.write(json.dumps({"org": org, "do": action, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the process has ended"}')
        if "error" in answer:
            raise SdrError(answer["error"])
        return answer["result"]

    def deploy(self, folder: Path, **options: Any) -> Any:
        return self("deploy", folder=str(folder / "force-app"), options={"rest": self.rest, **options})

    def destroy(self, folder: Path, *addresses: Address, when: str = "POST", **options: Any) -> Any:
        return self(
            "destroy",
            folder=str(folder / "force-app"),
            addresses=[str(address) for address in addresses],
            when=when,
            options={"rest": self.rest, **options},
        )


@pytest.fixture(scope="session")
def node(node_clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """Start the library once."""
    home = tmp_path_factory.mktemp("home")
    with subprocess.Popen(
        [node_clients.node, str(SCRIPT), str(node_clients.modules.parent)],
        cwd=home,
        env={**os.environ, **QUIET, "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=PATIENCE)


@pytest.fixture
def sdr(node: subprocess.Popen[str], org: TargetOrg) -> Sdr:
    return Sdr(node, org)


@pytest.fixture(params=sorted(TRANSPORTS))
def either(request: pytest.FixtureRequest, sdr: Sdr) -> Sdr:
    """Return the library, once for deployments over REST and once over SOAP."""
    sdr.rest = TRANSPORTS[request.param]
    return sdr


@pytest.fixture
def project(package: Rendered, tmp_path: Path) -> Path:
    return package.lay_out(tmp_path / "project")


def edit(path: Path, old: str, new: str) -> str:
    """Change a file; return its former content."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return text


def states(result: Any) -> dict[str, str]:
    return {file["address"]: file["state"] for file in result["files"] if not file["address"].startswith("Workflow:")}


def failures(result: Any) -> dict[str, str]:
    return {failure["address"]: failure["problem"] for failure in result["failures"]}


@RECORDED
def test_a_package_is_checked_deployed_and_deployed_again(
    either: Sdr, project: Path, client: Org, package: Rendered
) -> None:
    """A check changes nothing, a deployment creates all components, and a second deployment changes nothing."""
    addresses = [str(address) for address in package.bodies]
    checked = either.deploy(project, checkOnly=True)
    assert (checked["status"], checked["checkOnly"]) == ("Succeeded", True)
    assert bodies(client, package.bodies) == {}
    assert states(either.deploy(project)) == dict.fromkeys(addresses, "Created")
    assert bodies(client, package.bodies) == package.bodies
    assert states(either.deploy(project)) == dict.fromkeys(addresses, "Unchanged")


def test_a_changed_component_is_distinguished_from_unchanged_ones(
    either: Sdr, project: Path, client: Org, package: Rendered
) -> None:
    deploy(client, package)
    edit(project / package.named(SCORE), "<label>", "<label>Our ")
    states_by_address = states(either.deploy(project))
    changed = package.named("CustomField:Contact.Appcues_NPS_Score__c")
    assert {address for address, state in states_by_address.items() if state == "Changed"} == {changed}
    address = Address.parse(changed)
    assert str(bodies(client, [address])[address]["label"]).startswith("Our ")


FAULTS = [
    pytest.param(
        WORKFLOW,
        f"<integrationUser>{INTEGRATION_USER}",
        "<integrationUser>nobody@example.com",
        "WorkflowOutboundMessage:Contact.Appcues_contact",
        "In field: integrationUser - no User named nobody@example.com found",
        id="unknown user",
    ),
    pytest.param(
        PERMISSIONS,
        "<field>Contact.Appcues_NPS_Score__c</field>",
        "<field>Contact.Appcues_Nope__c</field>",
        "PermissionSet:Appcues_Viewer",
        "In field: field - no CustomField named Contact.Appcues_Nope__c found",
        id="unknown field",
    ),
]
NOT_IN_SCHEMA = [
    pytest.param(
        SCORE,
        "<type>Number</type>",
        "<type>Numbers</type>",
        "CustomObject:Contact",
        "'Numbers' is not a valid value for the enum 'FieldType'",
        id="no such type of field",
    ),
    pytest.param(
        PERMISSIONS,
        "<label>",
        "<nonsense>1</nonsense><label>",
        "PermissionSet:Appcues_Viewer",
        "Element {http://soap.sforce.com/2006/04/metadata}nonsense invalid at this location in type PermissionSet",
        id="unknown element",
    ),
]
"""Names that the local org's schema does not have. A package of a newer API version may contain them, and a package of the
schema's own version is refused."""


@pytest.mark.parametrize(
    ("file", "old", "new", "address", "words", "version"),
    [
        pytest.param(*fault.values, version, id=fault.id)
        for faults, version in ((FAULTS, CLIENT_VERSION), (NOT_IN_SCHEMA, schema_table.api_version()))
        for fault in faults
    ],
)
def test_a_refusal_is_reported_with_the_local_file(  # noqa: PLR0917
    either: Sdr,
    project: Path,
    client: Org,
    package: Rendered,
    file: str,
    old: str,
    new: str,
    address: str,
    words: str,
    version: str,
) -> None:
    """The problem has the org's text and the local file, and no other component of the package is deployed."""
    file, old, new, address, words = (
        package.named(text.replace(INTEGRATION_USER, package.user)) for text in (file, old, new, address, words)
    )
    edit(project / file, old, new)
    result = either.deploy(project, sourceApiVersion=version)
    assert result["status"] == "Failed"
    assert words in failures(result)[address]
    paths = {entry["address"]: entry["filePath"] for entry in result["files"] if entry["state"] == "Failed"}
    # The library combines fields into a file of the object, which is not a file of the project.
    assert paths.get(address) == (None if address == "CustomObject:Contact" else str(project / file))
    assert bodies(client, package.bodies) == {}


def test_without_rollback_the_rest_is_deployed(either: Sdr, project: Path, client: Org, package: Rendered) -> None:
    """Only failed components are missing, and the result reports it."""
    score = package.named("<field>Contact.Appcues_NPS_Score__c</field>")
    viewer = package.address("PermissionSet:Appcues_Viewer")
    edit(project / package.named(PERMISSIONS), score, "<field>Contact.Nope__c</field>")
    result = either.deploy(project, rollbackOnError=False)
    assert result["status"] == "SucceededPartial"
    assert set(failures(result)) == {str(viewer)}
    assert bodies(client, package.bodies).keys() == package.bodies.keys() - {viewer}


@pytest.mark.parametrize("when", ["POST", "PRE"])
def test_components_are_deleted(either: Sdr, project: Path, client: Org, package: Rendered, when: str) -> None:
    """Only the listed components are deleted: in a separate deployment, or before or after a package."""
    deploy(client, package)
    addresses = [
        package.address(text) for text in ("CustomField:Contact.Appcues_NPS_Score__c", "PermissionSet:Appcues_Viewer")
    ]
    result = either.destroy(project, *addresses, when=when)
    assert {address: state for address, state in states(result).items() if state == "Deleted"} == {
        str(address): "Deleted" for address in addresses
    }
    assert bodies(client, package.bodies).keys() == package.bodies.keys() - {*addresses}


@RECORDED
def test_a_component_in_use_is_not_deleted(either: Sdr, project: Path, client: Org, package: Rendered) -> None:
    """The field that an outbound message sends is not deleted, and neither are the other listed components."""
    deploy(client, package)
    used = package.address("CustomField:Contact.Appcues_User_Id__c")
    result = either.destroy(project, used, package.address("PermissionSet:Appcues_Viewer"))
    assert result["status"] == "Failed"
    assert "referenced elsewhere" in failures(result)[str(used)]
    assert bodies(client, package.bodies) == package.bodies


def test_a_retrieve_returns_the_components_of_the_org(sdr: Sdr, client: Org, package: Rendered, tmp_path: Path) -> None:
    """Deploying the files of a retrieve to the same org changes nothing; missing components are reported."""
    deploy(client, package)
    output = tmp_path / "back" / "force-app"
    missing = Address("Flow", "Nope")
    result = sdr("retrieve", addresses=[str(address) for address in (*package.bodies, missing)], output=str(output))
    assert result["problems"] == ["Entity of type 'Flow' named 'Nope' cannot be found"]
    files = {path.rpartition("/main/default/")[2] for path in result["files"]}
    assert {name.removeprefix(f"{MAIN}/") for name in package.source if name.startswith(MAIN)} <= files
    assert states(sdr.deploy(tmp_path / "back")) == dict.fromkeys(map(str, package.bodies), "Unchanged")


@RECORDED
def test_the_org_is_listed_as_components(sdr: Sdr, client: Org, package: Rendered) -> None:
    deploy(client, package)
    types = ["CustomField", "Flow", "PermissionSet"]
    addresses = {str(address) for address in package.bodies if address.type in types}
    assert addresses <= set(sdr("list", types=types))


def test_an_invalid_token_is_refused(sdr: Sdr, org: TargetOrg, project: Path) -> None:
    sdr.org = replace(org, access_token=f"{org.access_token[:15]}!nonsense")
    with pytest.raises(SdrError, match="INVALID_SESSION_ID"):
        sdr.deploy(project)
