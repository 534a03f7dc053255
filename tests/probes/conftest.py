"""The local org that the probes query in every test run, prepared so that each probe has data to check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.evidence import samples
from sfcode.local import LocalOrg, serve
from sfcode.metadata.package import write, zip_files
from sfcode.org import DeployOptions, Org, connect


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """Serve a local org with the components of an applied project."""
    state: Path = tmp_path_factory.mktemp("probes")
    with serve(state) as local:
        with local_client(local) as org:
            components = [
                samples.number(),
                samples.text(),
                samples.message(org.identity.username, samples.TEXT_NAME),
                samples.flow("ISNEW()"),
                samples.permission_set(objects=("Contact",), read=(samples.TEXT,), edit=(samples.NUMBER,)),
            ]
            package = zip_files(write(components, samples.VERSION))
            result = org.metadata.follow(org.metadata.deploy(package, DeployOptions()), timeout=600)
            assert result.success, result.failures
            # Without field access nobody can read a deployed field, including the user who deployed it.
            (row,) = org.query("SELECT Id FROM PermissionSet WHERE Name = {}", samples.PREFIX)
            org.create("PermissionSetAssignment", {"AssigneeId": org.identity.user_id, "PermissionSetId": row["Id"]})
        yield local


def local_client(local: LocalOrg) -> Org:
    return connect(local.url, environ={"SF_ACCESS_TOKEN": local.access_token}, api_version=samples.VERSION)


@pytest.fixture
def local_org(prepared: LocalOrg) -> Iterator[Org]:
    """Sign in to the prepared local org."""
    with local_client(prepared) as org:
        yield org
