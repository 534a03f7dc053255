"""
The org that a probe asks: the one that SFCODE_TEST_ORG names, and in every ordinary run the local org.

A probe settles one assumption of docs/unverified.md, whose number its docstring begins with. Probes
change nothing in an org: they read, and they deploy with checkOnly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import DeployOptions, DeployResult, Org, connect
from tests.probes import samples

Check = Callable[..., DeployResult]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Put each question to the local org and, where one is named, to a real one."""
    if "asked" in metafunc.fixturenames:
        orgs = ["local", pytest.param("real", marks=pytest.mark.org)]
        metafunc.parametrize("asked", orgs, indirect=True, scope="function")


@pytest.fixture(scope="session")
def local_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve a local org which holds what a project has deployed; its URL and token."""
    from sfcode.local import serve

    state: Path = tmp_path_factory.mktemp("probes")
    with serve(state) as local:
        environ = {"SF_ACCESS_TOKEN": local.access_token}
        with connect(local.url, environ=environ, api_version=samples.VERSION) as org:
            user = org.identity.username
            components = [
                samples.number(),
                samples.text(),
                samples.message(user, samples.TEXT_NAME),
                samples.flow("ISNEW()"),
                samples.permission_set(objects=("Contact",), read=(samples.TEXT,), edit=(samples.NUMBER,)),
            ]
            result = _deploy(org, components, (), check_only=False)
            assert result.success, result.failures
            # A field that is deployed without field access is seen by nobody, not even by who deploys it.
            (chosen,) = org.query("SELECT Id FROM PermissionSet WHERE Name = {}", samples.PREFIX)
            org.create("PermissionSetAssignment", {"AssigneeId": org.identity.user_id, "PermissionSetId": chosen["Id"]})
        yield local.url, local.access_token


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Org]:
    """Sign in to the org that is asked."""
    if request.param == "real":
        target, environ = request.getfixturevalue("org_name"), dict(os.environ)
    else:
        target, token = request.getfixturevalue("local_org")
        environ = {"SF_ACCESS_TOKEN": token}
    with connect(target, environ=environ, api_version=samples.VERSION) as org:
        yield org


@pytest.fixture
def nothing_to_ask(request: pytest.FixtureRequest) -> Callable[[str], NoReturn]:
    """End a probe for lack of something to look at; the local org is prepared so that this never happens there."""

    def end(reason: str) -> NoReturn:
        if request.node.callspec.params["asked"] == "local":
            pytest.fail(f"the local org should have been prepared: {reason}")
        pytest.skip(reason)

    return end


@pytest.fixture
def check(asked: Org) -> Check:
    """Validate a package in the org; nothing of it is kept."""

    def check(*components: Component, deleted: Iterable[Address] = ()) -> DeployResult:
        return _deploy(asked, components, deleted, check_only=True)

    return check


def _deploy(org: Org, components: Iterable[Component], deleted: Iterable[Address], *, check_only: bool) -> DeployResult:
    package = zip_files(write(components, samples.VERSION, deleted=deleted))
    options = DeployOptions(check_only=check_only)
    return org.metadata.follow(org.metadata.deploy(package, options), timeout=600)
