"""One relay for each test, on the same project."""

from __future__ import annotations

import pytest

from sfcode.config import Project
from tests.relay.ingress.asking import Relay, project


@pytest.fixture(scope="session")
def contact_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project(tmp_path_factory.mktemp("ingress"))


@pytest.fixture
def relay(contact_project: Project) -> Relay:
    return Relay(contact_project)
