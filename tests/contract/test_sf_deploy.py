"""
The unmodified sf CLI against the local org and the named org: deployments, retrieves and deletions of packages.

Each step runs one command of sf, and its effect is read with another client.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfcode.local.metadata.deploy import engine
from sfcode.metadata.component import Address
from sfcode.metadata.manifest import read_manifest
from sfcode.org import Org
from tests.contract.project import Rendered, bodies, deploy
from tests.contract.sf import SfCli
from tests.contract.target_org import TargetOrg
from tests.local.metadata.test_jobs import Gate
from tests.waiting import PATIENCE

TRANSPORTS = {"soap": "false", "rest": "true"}
TYPES_OF_FILES = {"Workflow"}
"""Types that sf lists in addition to the components: those of the files which contain the components."""

WORKFLOW = "force-app/main/default/workflows/Contact.workflow-meta.xml"
RECORDED = pytest.mark.recorded("@salesforce/cli", "with_integration_user")

SCORE = "force-app/main/default/objects/Contact/fields/Appcues_NPS_Score__c.field-meta.xml"


@pytest.fixture(params=sorted(TRANSPORTS))
def either(request: pytest.FixtureRequest, at_org: SfCli) -> SfCli:
    """Return sf, once for deployments over REST and once over SOAP."""
    at_org.environ["SF_ORG_METADATA_REST_DEPLOY"] = TRANSPORTS[request.param]
    return at_org


@pytest.fixture
def project(package: Rendered, tmp_path: Path) -> Path:
    return package.lay_out(tmp_path / "project")


def states(answer: dict[str, Any]) -> dict[str, str]:
    """Return the state of each component in the output of sf."""
    return {
        f"{file['type']}:{file['fullName']}": file["state"]
        for file in answer["result"]["files"]
        if file["type"] not in TYPES_OF_FILES
    }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_package_is_validated_deployed_and_changed(
    either: SfCli, project: Path, client: Org, package: Rendered
) -> None:
    """Validate, quick-deploy, deploy again, change, stop waiting, resume, and request the report."""
    addresses = {str(address) for address in package.bodies}

    answer = either("project deploy validate -d force-app --test-level RunLocalTests", folder=project)
    validation = answer["result"]["id"]
    assert (answer["result"]["status"], answer["result"]["checkOnly"]) == ("Succeeded", True)
    assert bodies(client, package.bodies) == {}

    answer = either("project deploy quick", "--job-id", validation, folder=project)
    assert answer["result"]["status"] == "Succeeded"
    assert bodies(client, package.bodies) == package.bodies

    answer = either("project deploy start -d force-app", folder=project)
    assert states(answer) == dict.fromkeys(addresses, "Unchanged")
    assert (answer["result"]["numberComponentErrors"], answer["result"]["success"]) == (0, True)

    edit(project / package.named(SCORE), "<label>", "<label>Our ")
    answer = either("project deploy start -d force-app --async", folder=project)
    job = answer["result"]["id"]
    assert (answer["result"]["status"], answer["result"]["done"]) == ("Queued", False)
    answer = either("project deploy resume", "--job-id", job, folder=project)
    changed = package.named("CustomField:Contact.Appcues_NPS_Score__c")
    assert states(answer) == dict.fromkeys(addresses, "Unchanged") | {changed: "Changed"}
    address = Address.parse(changed)
    label = package.bodies[address]["label"]
    assert bodies(client, [address])[address] == package.bodies[address] | {"label": f"Our {label}"}

    answer = either("project deploy report", "--job-id", job, folder=project)
    assert (answer["result"]["id"], answer["result"]["status"]) == (job, "Succeeded")


@RECORDED
def test_failures_are_shown_at_their_place_in_the_local_files(
    either: SfCli, project: Path, client: Org, package: Rendered
) -> None:
    """
    If sf sends a file unchanged, line and column are those of the source.

    No component of the package remains in the org.
    """
    edit(project / WORKFLOW, f"<integrationUser>{package.user}", "<integrationUser>nobody@example.com")
    score = project / package.named(SCORE)
    edit(score, "<precision>2</precision>", "<precision>20</precision>")
    answer = either("project deploy start -d force-app", folder=project, code=1)
    assert (answer["result"]["status"], answer["result"]["success"]) == ("Failed", False)
    failed = {entry["fullName"]: entry for entry in answer["result"]["files"] if entry["state"] == "Failed"}
    names = [package.named(entry) for entry in ("Contact.Appcues_NPS_Score__c", "Contact.Appcues_contact")]
    assert sorted(failed) == names

    message = failed[names[1]]
    lines = (project / WORKFLOW).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "<outboundMessages>" in text)
    assert message["filePath"] == str(project / WORKFLOW)
    assert (message["lineNumber"], message["columnNumber"]) == (line, len(lines[line - 1]) + 1)
    problem = "In field: integrationUser - no User named nobody@example.com found"
    assert message["error"] == f"{problem} ({line}:{message['columnNumber']})"
    assert message["problemType"] == "Error"

    # A field is sent in the file of its object, whose lines are not those of the field's own file.
    assert failed[names[0]]["filePath"] == str(score)
    assert bodies(client, package.bodies) == {}


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(engine.open_package)
    monkeypatch.setattr(engine, "open_package", gate)
    yield gate
    gate.open.set()


@pytest.mark.local_only("the deployment is held up in the org itself")
def test_a_running_deploy_is_canceled(at_org: SfCli, project: Path, client: Org, package: Rendered, gate: Gate) -> None:
    job = at_org("project deploy start -d force-app --async", folder=project)["result"]["id"]
    assert gate.inside.wait(PATIENCE)
    at_org("project deploy cancel --async", "--job-id", job, folder=project)
    gate.open.set()
    answer = at_org("project deploy report", "--job-id", job, folder=project)
    assert answer["result"]["status"] == "Canceled"
    assert answer["result"]["canceledByName"]
    assert bodies(client, package.bodies) == {}


@RECORDED
def test_components_of_the_org_are_listed_and_retrieved(
    at_org: SfCli, org: TargetOrg, client: Org, package: Rendered, tmp_path: Path
) -> None:
    """The test lists types and components, generates a manifest from the org, and retrieves a project with that manifest."""
    deploy(client, package)

    answer = at_org("org list metadata-types")
    types = {entry["xmlName"]: entry for entry in answer["result"]["metadataObjects"]}
    assert types["Workflow"]["directoryName"] == "workflows"
    assert "CustomField" in types["CustomObject"]["childXmlNames"]

    answer = at_org("org list metadata -m CustomField")
    assert {entry["fullName"] for entry in answer["result"]} >= {
        address.full_name for address in package.bodies if address.type == "CustomField"
    }

    project = tmp_path / "retrieved"
    (project / "force-app").mkdir(parents=True)
    (project / "sfdx-project.json").write_bytes(package.source["sfdx-project.json"])
    words = [word for name in ("Flow", "PermissionSet", "Workflow") for word in ("--metadata", name)]
    at_org("project generate manifest --from-org", org.access_token, *words, folder=project)
    manifest = read_manifest((project / "package.xml").read_bytes())
    listed = {address for address in package.bodies if address.type in {"Flow", "PermissionSet"}}
    assert listed <= set(manifest.addresses)

    (project / "package.xml").write_bytes(package.source["manifest/package.xml"])
    at_org("project retrieve start -x package.xml", folder=project)
    back = {str(path.relative_to(project)) for path in (project / "force-app").rglob("*") if path.is_file()}
    assert {name for name in package.source if name.startswith("force-app")} <= back


def test_a_component_is_deleted(at_org: SfCli, project: Path, client: Org, package: Rendered) -> None:
    """`delete source` removes the field from the org and from the project."""
    deploy(client, package)
    deleted_address = package.address("CustomField:Contact.Appcues_NPS_Score__c")
    at_org("project delete source --no-prompt -m", str(deleted_address), folder=project)
    bodies_in_org = bodies(client, package.bodies)
    assert deleted_address not in bodies_in_org
    assert bodies_in_org.keys() == package.bodies.keys() - {deleted_address}
    assert not (project / package.named(SCORE)).exists()


@pytest.mark.local_only("a scratch org or sandbox may track sources")
def test_the_org_tracks_no_sources(at_org: SfCli, project: Path) -> None:
    """As in production, a preview is refused, and a deploy without a list deploys all components."""
    answer = at_org("project deploy preview", folder=project, code=1)
    assert answer["name"] == "NonSourceTrackedOrgError"
