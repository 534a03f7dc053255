"""Salesforce's own CLI reads the generated files in both layouts, and converts each to the other."""

from __future__ import annotations

from pathlib import Path

from sfcode.config.recipe_models import RECIPES
from sfcode.metadata.manifest import read_manifest
from sfcode.metadata.package import Layout, read, write
from tests.contract.conftest import Sf
from tests.contract.target_org import CLIENT_VERSION
from tests.e2e.journey import Journey
from tests.metadata.samples import ALL


def lay_out(folder: Path, layout: Layout) -> Path:
    for name, data in write(ALL, CLIENT_VERSION, layout=layout).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_sf_converts_our_source_to_our_package(sf: Sf, tmp_path: Path) -> None:
    """`sf project convert source` converts our source files to the same package that we write, file by file."""
    source = lay_out(tmp_path / "source", "source")
    sf(source, "project", "convert", "source", "--output-dir", str(tmp_path / "made"))
    converted_files = files_in(tmp_path / "made")
    files = write(ALL, CLIENT_VERSION)
    assert read(converted_files) == ALL
    assert {name for name, data in files.items() if converted_files.get(name) != data} <= {"package.xml"}


def test_sf_converts_every_file_of_the_recipes(sf: Sf, tmp_path: Path) -> None:
    journey = Journey(tmp_path)
    created = journey.run("init", "--with", ",".join(("account", "lead", *RECIPES)))
    assert created.code == 0, created.err
    for layout in ("source", "mdapi"):
        rendered = journey.run("render", "--out", layout, "--layout", layout)
        assert rendered.code == 0, rendered.err
    sf(tmp_path / "source", "project", "convert", "source", "--output-dir", str(tmp_path / "made"))
    converted, own = read(files_in(tmp_path / "made")), read(files_in(tmp_path / "mdapi"))
    assert {component.address.type for component in own} > {"Report", "ReportFolder", "CustomObject"}
    assert converted == own


def test_sf_lists_the_members_that_we_list(sf: Sf, tmp_path: Path) -> None:
    """The package.xml that sf writes lists the same members as ours, and in addition the containers of workflow children."""
    source = lay_out(tmp_path / "source", "source")
    sf(source, "project", "convert", "source", "--output-dir", str(tmp_path / "made"))
    members_of_sf = {*read_manifest((tmp_path / "made" / "package.xml").read_bytes()).addresses}
    own_members = {*read_manifest(write(ALL, CLIENT_VERSION)["package.xml"]).addresses}
    assert {str(address) for address in members_of_sf ^ own_members} == {"Workflow:Contact"}


def test_sf_converts_our_package_to_our_source(sf: Sf, tmp_path: Path) -> None:
    """`sf project convert mdapi` converts our package to our source files, and adds empty files for the standard objects."""
    source = write(ALL, CLIENT_VERSION, layout="source")
    package = lay_out(tmp_path / "package", "mdapi")
    project = tmp_path / "project"
    (project / "force-app").mkdir(parents=True)
    (project / "sfdx-project.json").write_bytes(source["sfdx-project.json"])
    sf(project, "project", "convert", "mdapi", "--root-dir", str(package), "--output-dir", "force-app")
    converted_files = {f"force-app/{name}": data for name, data in files_in(project / "force-app").items()}
    own_files = {name: data for name, data in source.items() if name.startswith("force-app/")}
    assert {name: data for name, data in converted_files.items() if name in own_files} == own_files
    assert sorted(converted_files.keys() - own_files.keys()) == [
        "force-app/main/default/objects/Activity/Activity.object-meta.xml",
        "force-app/main/default/objects/Contact/Contact.object-meta.xml",
    ]
