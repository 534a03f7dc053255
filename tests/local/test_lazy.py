"""The modules that a server of the local org imports before its first request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

CODE = """
import sys
from pathlib import Path
from sfcode.local import serve
with serve(Path(sys.argv[1])) as org:
    pass
with serve(Path(sys.argv[1])) as org:
    print(*sorted(name for name in sys.modules if name.startswith(("sfcode.local.", "lark", "lxml", "cryptography", "importlib.resources"))))
"""
LATER = (
    "cryptography",
    "importlib.resources",
    "lark",
    "lxml",
    "sfcode.local.metadata",
    "sfcode.local.metadata.deploy.engine",
    "sfcode.local.metadata.operations.components",
    "sfcode.local.metadata.tooling",
    "sfcode.local.rest.bulk",
    "sfcode.local.rest.composite",
    "sfcode.local.rest.query",
    "sfcode.local.signin.endpoint",
    "sfcode.local.sobjects.access",
    "sfcode.local.control_api",
)

PATHS = {
    "/services/oauth2/token": 400,
    "/services/oauth2/userinfo": 403,
    "/services/data": 200,
    "/services/data/v62.0/jobs/query": 401,
    "/services/data/v62.0/jobs": 404,
    "/services/data/v62.0/composite": 401,
    "/services/data/v62.0/tooling/query": 401,
    "/services/data/v62.0/tooling/nothing": 404,
    "/services/data/v62.0/metadata/deployRequest": 401,
    "/services/sfcode/clock": 401,
    "/services/sfcode/nothing": 404,
    "/services/nothing": 404,
}


def test_a_server_starts_without_the_modules_of_single_apis(tmp_path: Path) -> None:
    """If the server starts with an existing state, the modules of single APIs are imported at their first request."""
    subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], check=True, capture_output=True)
    served = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], check=True, capture_output=True, text=True)
    assert sorted(set(LATER) & set(served.stdout.split())) == []


@pytest.mark.parametrize(("path", "status"), PATHS.items())
def test_every_path_finds_its_routes(org, path: str, status: int) -> None:
    """A path is handled by its routes, whether or not they were imported before."""
    import requests

    method = "POST" if path.endswith("token") else "GET"
    assert requests.request(method, org.url + path, timeout=PATIENCE).status_code == status
