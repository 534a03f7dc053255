"""
The components that the repository's own config/ generates, as golden files.

The files show a reviewer how a change of code, template or config affects an org. To accept a change, run
`UPDATE_GOLDEN=1 pytest tests/generate/test_golden.py`, and review the difference in git.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.generate import generate
from sfcode.metadata.objects import standard
from sfcode.metadata.package import read, write
from sfcode.metadata.schema import validate_strictly
from sfcode.metadata.xml import to_bytes, to_element

GOLDEN = Path(__file__).parent / "golden"


def generated(root: Path, environment: str) -> dict[str, bytes]:
    result = generate(load(root / "config", environment), standard())
    files = {
        f"{component.type}-{component.full_name}.xml": to_bytes(to_element(component))
        for component in result.components
    }
    records = {str(record.address): record.body for record in result.records}
    return {**files, "records.json": (json.dumps(records, indent=2, ensure_ascii=False) + "\n").encode()}


def test_the_repositorys_config_generates_the_golden_files(root: Path) -> None:
    files = generated(root, "production")
    if os.environ.get("UPDATE_GOLDEN"):
        for old in GOLDEN.iterdir():
            old.unlink()
        for name, data in files.items():
            (GOLDEN / name).write_bytes(data)
    golden = {path.name: path.read_bytes() for path in GOLDEN.iterdir()}
    assert sorted(files) == sorted(golden)
    for name, data in files.items():
        assert data.decode() == golden[name].decode(), name


@pytest.mark.parametrize("environment", ["local", "sandbox", "production"])
def test_each_environment_generates_valid_metadata(root: Path, environment: str) -> None:
    files = generated(root, environment)
    assert [validate_strictly(data) for name, data in files.items() if name.endswith(".xml")] == [()] * (len(files) - 1)


def test_each_file_of_the_generated_package_is_valid(root: Path) -> None:
    """The validated files are those that are sent, with children in their containers."""
    components = generate(load(root / "config", "production"), standard()).components
    files = write(components, "63.0")
    assert len(files) == 1 + len({"Activity", "Contact", "Lead"}) + len({"Contact", "Lead"}) + 2 + 2
    assert {name: validate_strictly(data) for name, data in files.items()} == dict.fromkeys(files, ())
    assert set(read(files)) == set(components)


def test_the_repositorys_config_has_no_warnings(root: Path) -> None:
    assert generate(load(root / "config", "production"), standard()).warnings == ()


def test_the_secret_of_the_endpoint_stays_a_placeholder(root: Path) -> None:
    """The value of the secret is inserted only when a package is sent."""
    files = generated(root, "production")
    message = files["WorkflowOutboundMessage-Contact.Appcues_contact.xml"].decode()
    assert "/outbound-messages/contact/${secret:SFCODE_RELAY_OUTBOUND_SECRET}?v=" in message
