"""The tests of all five clients against an org in another process, known only by its address and a token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfcode.org import Org, connect
from tests.contract.target_org import API_VERSION
from tests.e2e.journey import Journey

SOME = (
    "test_sf_anywhere.py::test_missing_names_are_reported[real-data query -q SELECT+Nope__c+FROM+Contact-INVALID_FIELD]",
    "test_sdr.py::test_components_are_deleted[rest-real-PRE]",
    "test_jsforce.py::test_step[real-query in pages-jsforce]",
    "test_jsforce.py::test_step[real-metadata.upsert-jsforce]",
    "test_jsforce.py::test_signing_in[real-sign in by JWT-jsforce]",
    "simple_salesforce/test_simple_salesforce_records.py::test_records_and_queries[real-upsert]",
    "simple_salesforce/test_simple_salesforce_metadata.py::test_metadata[real-deploy]",
    "cumulusci/test_cumulusci.py::test_retrieve_and_assign[real]",
)
"""One or two tests for each client; `make test-org` runs all of them."""
COUNTED = ("Account", "Contact", "Event", "Lead", "PermissionSetAssignment", "User")
LISTED = ("CustomField", "CustomObject", "Flow", "PermissionSet", "StaticResource", "WorkflowOutboundMessage")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Serve an org in another process; only its output is known to the test."""
    with Journey(tmp_path).spawn("local", "serve", "--port", "0", "--tls", "--tls-port", "0", "--json") as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def inventory(org: Org) -> dict[str, Any]:
    counts: dict[str, Any] = {name: org.count(f"SELECT COUNT() FROM {name}") for name in COUNTED}
    return counts | {
        "components": {(component.type, component.full_name) for component in org.metadata.list_metadata(*LISTED)}
    }


def test_every_client_works_in_an_org_with_only_its_address_and_a_token(
    served: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    """
    Tests that need features of the local org are skipped, all others pass, and the org is unchanged afterwards.

    The result of each step is in the file of evidence.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environ |= {"SFCODE_TEST_ORG": served["tls_url"], "SF_ACCESS_TOKEN": served["access_token"]}
    environ |= {"REQUESTS_CA_BUNDLE": served["certificate"], "NODE_EXTRA_CA_CERTS": served["certificate"]}
    environ |= {"SFCODE_TEST_EVIDENCE": str(tmp_path / "evidence.json")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-m", "org", "-rs"]
    with connect(served["url"], environ=environ, api_version=API_VERSION) as org:
        before = inventory(org)
        tables = [str(root / "tests" / "contract" / table) for table in SOME]
        process = subprocess.run(
            [*command, *tables], cwd=root, env=environ, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stdout + process.stderr
        assert "in the local org only: its app and the password of its administrator are known" in process.stdout
        assert inventory(org) == before
    steps = json.loads((tmp_path / "evidence.json").read_text())["steps"]
    assert len(steps) == len(SOME)
    assert {step["result"] for step in steps} == {"passed", "skipped"}
    assert {step["client"] for step in steps} == {
        Path(table.partition("::")[0]).stem.removeprefix("test_") for table in SOME
    }
