"""Special cases of packages: the root, files outside of all known folders, and the project file of the source layout."""

from __future__ import annotations

import json

import pytest

from sfcode.metadata.component import Component
from sfcode.metadata.package import find_root, read_contents, write

PACKAGE = (
    b'<?xml version="1.0"?><Package xmlns="http://soap.sforce.com/2006/04/metadata"><version>63.0</version></Package>'
)
SET = b'<?xml version="1.0"?><PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><label>A</label></PermissionSet>'
PATH = "permissionsets/A.permissionset"


@pytest.mark.parametrize(
    ("paths", "root"),
    [
        (("package.xml", PATH), ""),
        (("unpackaged/package.xml", f"unpackaged/{PATH}"), "unpackaged/"),
        (("a/package.xml", "a/deep/er/package.xml"), "a/"),
        (("a/deep/package.xml", "b/package.xml"), "b/"),
        ((f"a/{PATH}", "a/x.txt"), "a/"),
        ((f"a/{PATH}", f"b/{PATH}"), ""),
        ((PATH,), ""),
        ((f"a/{PATH}", "readme.txt"), ""),
        (("a",), ""),
        ((), ""),
    ],
)
def test_the_root_is_the_folder_of_the_outermost_manifest_or_the_only_folder(paths: tuple[str, ...], root: str) -> None:
    assert find_root(dict.fromkeys(paths, b"")) == root


def test_files_outside_of_the_package_folders_are_skipped() -> None:
    contents = read_contents({"package.xml": PACKAGE, PATH: SET, "A.permissionset": SET, "other/A.permissionset": SET})
    assert [str(component.address) for component in contents.components] == ["PermissionSet:A"]
    assert contents.skipped == ("A.permissionset", "other/A.permissionset")


def test_the_project_file_of_the_source_layout_is_valid_for_sf() -> None:
    files = write([Component("PermissionSet", "A", {"label": "A"})], "63.0", layout="source")
    text = files["sfdx-project.json"].decode()
    assert json.loads(text) == {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "namespace": "",
        "sfdcLoginUrl": "https://login.salesforce.com",
        "sourceApiVersion": "63.0",
    }
    assert text.splitlines()[1].startswith('  "')


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_boolean_may_be_written_as_a_digit(text: str, value: bool) -> None:
    body = SET.replace(
        b"<label>A</label>", f"<hasActivationRequired>{text}</hasActivationRequired><label>A</label>".encode()
    )
    (component,) = read_contents({"package.xml": PACKAGE, PATH: body}).components
    # Elements that an org omits are omitted from the parsed body too.
    assert component.body.get("hasActivationRequired", False) is value
