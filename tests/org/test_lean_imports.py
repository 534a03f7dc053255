"""requests and simple-salesforce are loaded without unused modules, which are loaded on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from sfcode.org.rest import load_client_class
client = load_client_class()(instance_url="http://127.0.0.1:9", session_id="x", version="62.0")
heavy = {"zeep", "cryptography", "jwt", "more_itertools"} & {name.partition(".")[0] for name in sys.modules}
assert not heavy, heavy
{more}
"""


def run(root: Path, more: str = "") -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM.replace("{more}", more)]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def test_unused_modules_are_not_imported(root: Path) -> None:
    run(root)


def test_other_modules_of_the_library_are_imported_on_use(root: Path) -> None:
    """On use, the real metadata module, token signing and package are imported."""
    run(
        root,
        """
import jwt, simple_salesforce
from simple_salesforce.metadata import SfdcMetadataApi
assert isinstance(client.mdapi, SfdcMetadataApi)
assert simple_salesforce.metadata.SfdcMetadataApi is SfdcMetadataApi
assert simple_salesforce.Salesforce is load_client_class()
assert simple_salesforce.login.jwt.encode({}, "k" * 32, algorithm="HS256") == jwt.encode({}, "k" * 32, algorithm="HS256")
client.mdapi._client.transport.session.close()
""",
    )


@pytest.mark.parametrize("use", ["import simple_salesforce.bulk, simple_salesforce.bulk2", "import simple_salesforce"])
@pytest.mark.parametrize(("module", "kind"), [("bulk", "SFBulkHandler"), ("bulk2", "SFBulk2Handler")])
def test_the_bulk_clients_of_the_library_are_imported_on_use(root: Path, use: str, module: str, kind: str) -> None:
    run(
        root,
        f"""
{use}
assert type(client.{module}) is simple_salesforce.{module}.{kind} is simple_salesforce.{kind}
try:
    simple_salesforce.nothing
except AttributeError as error:
    assert str(error) == "module 'simple_salesforce' has no attribute 'nothing'", error
""",
    )


def test_modules_that_are_imported_before_are_kept(root: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "import simple_salesforce as s; from sfcode.org.rest import load_client_class as c; assert c() is s.Salesforce; s.metadata.SfdcMetadataApi.__mro__",
    ]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


CONNECTION = """
import sys
from sfcode.org import load_connection_class
load_connection_class()
assert not {"charset_normalizer", "idna", "importlib.metadata"} & {*sys.modules}
"""


@pytest.mark.parametrize(
    "more",
    [
        "",
        "import requests; assert requests.Request('GET', 'http://gr\u00fc\u00dfe.example').prepare().url == 'http://xn--gre-6ka8l.example/'",
        "import charset_normalizer, requests; assert requests.charset_normalizer_version == charset_normalizer.__version__",
        "import requests; r = requests.Response(); r._content = 'gr\u00fc\u00dfe, '.encode() * 9; assert r.apparent_encoding == 'utf-8', r.apparent_encoding",
        "import requests.compat, charset_normalizer; assert requests.compat.chardet.from_bytes is charset_normalizer.from_bytes",
        "import importlib.metadata, urllib3.http2; assert urllib3.http2.version('urllib3') == importlib.metadata.version('urllib3')",
    ],
    ids=["not loaded", "host", "version", "encoding", "detection", "metadata"],
)
def test_requests_is_loaded_without_the_detection_of_encodings(root: Path, more: str) -> None:
    """Warnings are errors, and requests warns if it does not know the version of the library that detects encodings."""
    command = [sys.executable, "-W", "error", "-c", f"{CONNECTION}\n{more}"]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
