"""The local org's work for a package grows linearly with its size."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import reset
from sfcode.local.context import OrgContext
from sfcode.local.metadata.deploy.engine import DeployOutcome, deploy_zip
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.retrieve import retrieve
from sfcode.local.store import Store

SMALL, FACTOR = 16, 4
Package = tuple[dict[str, str], dict[str, list[str]]]


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the shipped company once."""
    state: Path = tmp_path_factory.mktemp("seed")
    reset(state)
    return state / "org.db"


def count_calls(function: Callable[[], object]) -> int:
    """Count the function calls during a call, a number that does not depend on the machine or its load."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


def fields(kit: Any, count: int) -> Package:
    """Return text fields, and a permission set with access to all of them."""
    names = [f"F{number}__c" for number in range(count)]
    rights = "".join(
        f"<fieldPermissions><editable>true</editable><field>Contact.{name}</field><readable>true</readable></fieldPermissions>"
        for name in names
    )
    files = {
        "objects/Contact.object": kit.wrap(
            "CustomObject", *(kit.field(name, "<length>40</length><type>Text</type>") for name in names)
        ),
        "permissionsets/All.permissionset": kit.permission_set(rights),
    }
    return files, {"CustomField": [f"Contact.{name}" for name in names]}


def messages(kit: Any, count: int) -> Package:
    """Return outbound messages, and rules that send them."""
    names = [f"M{number}" for number in range(count)]
    parts = [kit.message(name, "Id") for name in names] + [
        kit.rule(f"R{name}", kit.sends(name), "<formula>ISBLANK(Email)</formula>") for name in names
    ]
    members = {
        "WorkflowOutboundMessage": [f"Contact.{name}" for name in names],
        "WorkflowRule": [f"Contact.R{name}" for name in names],
    }
    return {"workflows/Contact.workflow": kit.wrap("Workflow", *parts)}, members


def objects(kit: Any, count: int) -> Package:
    """Return custom objects with a lookup each."""
    lookup = (
        "<fields><fullName>Who__c</fullName><label>Who</label><referenceTo>Contact</referenceTo>"
        "<relationshipName>{}</relationshipName><type>Lookup</type></fields>"
    )
    template = (
        "<deploymentStatus>Deployed</deploymentStatus>{}<label>Thing</label><nameField><label>Name</label><type>Text</type>"
        "</nameField><pluralLabel>Things</pluralLabel><sharingModel>ReadWrite</sharingModel>"
    )
    names = [f"Thing{number}__c" for number in range(count)]
    files = {
        f"objects/{name}.object": kit.wrap("CustomObject", template.format(lookup.format(name[:-3]))) for name in names
    }
    return files, {"CustomObject": names}


@pytest.mark.parametrize("make", [fields, messages, objects])
def test_four_times_the_components_take_four_times_the_work(
    kit: Any, seed: Path, tmp_path: Path, make: Callable[[Any, int], Package]
) -> None:
    """The test measures a deploy, the same deploy again, a retrieve and a deletion."""

    def measure(count: int) -> dict[str, int]:
        files, members = make(kit, count)
        state = tmp_path / f"{count}.db"
        shutil.copy(seed, state)
        outcomes: list[DeployOutcome] = []
        with Store(state) as store:
            with store.read() as tx:
                admin = tx.settings.get("admin_id") or ""

            def deploy(package: dict[str, str]) -> int:
                options = DeployRequestOptions(rollbackOnError=True, autoUpdatePackage=True)
                data = kit.zipped(package)
                return count_calls(
                    lambda: deploy_zip(
                        OrgContext(store),
                        data,
                        options,
                        admin,
                        lambda _, deploy_outcome: outcomes.append(deploy_outcome),
                    )
                )

            package = {"package.xml": kit.manifest(members), **files}
            counts = {"deploy": deploy(package), "again": deploy(package)}
            with store.read() as tx:
                counts["retrieve"] = count_calls(lambda: retrieve(tx, members, "62.0"))
            deleted = {"package.xml": kit.manifest({}), "destructiveChanges.xml": kit.manifest(members, version="")}
            counts["delete"] = deploy(deleted)
        assert [outcome.failures for outcome in outcomes] == [()] * 3
        return counts

    measure(1)  # loads modules and fills caches
    small, large = measure(SMALL), measure(SMALL * FACTOR)
    growth = {operation: large[operation] / small[operation] for operation in small}
    assert {operation: times for operation, times in growth.items() if times > FACTOR * 1.1} == {}
