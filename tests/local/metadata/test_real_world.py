"""Metadata of real orgs: deployed, retrieved and deployed again, without a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sfcode.local import serve
from sfcode.local.metadata.deploy import package_items
from sfcode.metadata.normalize import normalize
from sfcode.metadata.package import read
from tests.local.metadata.conftest import Client, Kit

FOLDER = Path(__file__).parent / "real" / "package"
FILES = {str(path.relative_to(FOLDER)): path.read_bytes() for path in sorted(FOLDER.rglob("*")) if path.is_file()}


def _members() -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for item in package_items.read_items(FILES, "", frozenset(), 63.0).found:
        if not item.bare:
            members.setdefault(item.component.type, []).append(item.component.full_name)
    return members


MEMBERS = _members()
PACKAGE = FILES | {"package.xml": Kit.manifest(MEMBERS, "63.0").encode()}


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Serve an org into which the package was deployed once."""
    state = tmp_path_factory.mktemp("real")
    with serve(state) as served:
        client = Client(served, state)
        first = client.deploy(PACKAGE)
        assert first.status == "Succeeded", first.problems
        yield client


def _changed(result: Any) -> list[tuple[str, str]]:
    assert result.status == "Succeeded", result.problems
    return [
        (success["componentType"], success["fullName"]) for success in result.successes if success["changed"] == "true"
    ]


def _component_count() -> int:
    return sum(len(names) for names in MEMBERS.values())


def test_the_sample_has_many_types_of_components() -> None:
    """The sample has many components of many types, both modeled and unmodeled ones."""
    assert len(FILES) >= 47
    assert _component_count() >= 70
    assert len(MEMBERS) >= 30


def test_deploying_the_same_files_again_changes_nothing(org: Client) -> None:
    """The test deploys the original files a second time."""
    result = org.deploy(PACKAGE)
    assert _changed(result) == []
    assert result.report["numberComponentsTotal"] == str(len(result.successes) - 1)


@pytest.mark.parametrize("version", ["55.0", "60.0", "63.0"])
def test_deploying_retrieved_files_changes_nothing(org: Client, version: str) -> None:
    """A retrieve in any API version since entry formulas, deployed unchanged, changes nothing."""
    retrieved_files = org.retrieve(MEMBERS, version=version, single=True)
    assert retrieved_files["messages"] == []
    assert retrieved_files["files"].keys() == PACKAGE.keys()
    assert _changed(org.deploy(retrieved_files["files"])) == []


def test_retrieved_components_equal_the_deployed_ones(org: Client) -> None:
    """Each retrieved component equals the deployed one."""
    retrieved_files = org.retrieve(MEMBERS, version="63.0", single=True)["files"]
    original, back = (
        {component.address: normalize(component).body for component in read(_keep_modeled(files))}
        for files in (PACKAGE, retrieved_files)
    )
    # A retrieved object also has the fields that the org itself added.
    assert original.keys() <= back.keys()
    assert {address: back[address] for address in original if _plain(back[address]) != _plain(original[address])} == {}


def _keep_modeled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    folders = ("objects/", "workflows/", "flows/", "permissionsets/", "staticresources/", "reportTypes/")
    return {name: data for name, data in files.items() if name.startswith(folders) or name == "package.xml"}


def _plain(value: Any) -> Any:
    """Leave out elements that an org adds: false flags, empty elements, and notes of Flow Builder."""
    if isinstance(value, Mapping):
        plain_values = {name: _plain(member) for name, member in value.items()}
        return {
            name: member
            for name, member in plain_values.items()
            if member not in (False, "", {}, None) and name != "versionSegment"
        }
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    "name", sorted(name for name in FILES if name.split("/", 1)[0] in {"classes", "layouts", "lwc", "labels"})
)
def test_unmodeled_components_are_retrieved_byte_for_byte(org: Client, name: str) -> None:
    """Classes, layouts and components are stored unchanged."""
    assert org.retrieve(MEMBERS, single=True)["files"][name] == FILES[name]


def test_list_metadata_returns_every_deployed_component(org: Client) -> None:
    """listMetadata returns every deployed component with its name and its file."""
    listed = set()
    for type_ in MEMBERS:
        root = org.soap(f"<listMetadata><queries><type>{type_}</type></queries></listMetadata>")
        listed |= {
            (element.findtext("{*}type"), element.findtext("{*}fullName"))
            for element in root.iter("{http://soap.sforce.com/2006/04/metadata}result")
        }
    assert {(type_, name) for type_, names in MEMBERS.items() for name in names} <= listed


@pytest.mark.parametrize(
    "name", sorted(name for name in FILES if name.endswith((".object", ".workflow", ".flow", ".permissionset")))
)
def test_retrieved_files_are_well_formed(org: Client, name: str) -> None:
    """Modeled components are written with the same root, in the metadata namespace."""
    root = etree.fromstring(org.retrieve(MEMBERS, single=True)["files"][name])
    assert root.tag == etree.fromstring(FILES[name]).tag
