"""jsforce, in both its packages, against the local org: one Node process, and a step at a time."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfcode.local import LocalOrg, register_app, serve
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import Org, connect
from tests.contract.jsforce_steps import QUERIES, RECORDS, SIGN_IN, STEPS, Step
from tests.contract.like import like
from tests.contract.sf import Clients
from tests.contract.states import APP, PASSWORD, for_jsforce

VERSION = "62.0"
LIBRARIES = ("jsforce", "@jsforce/jsforce-node")
RECORDED = pytest.mark.recorded("jsforce", "for_jsforce", shared=True)
SCRIPT = Path(__file__).parent / "node" / "jsforce.mjs"


@dataclass
class Node:
    """A Node process that runs pieces of JavaScript."""

    process: subprocess.Popen[str]
    common: dict[str, Any]

    def __call__(self, library: str, code: str, **args: Any) -> Any:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"library": library, "code": code, "args": self.common | args}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, "Node has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """Make the key of an app."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def shared_org(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Iterator[LocalOrg]:
    """Serve an org that knows the app and its key."""
    state = tmp_path_factory.mktemp("jsforce")
    for_jsforce(state)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    register_app(state, APP | {"certificate": public.decode()})
    with serve(state, tls=True) as org:
        yield org


@pytest.fixture(scope="module")
def start(node_clients: Clients, key: rsa.RSAPrivateKey, shared_org: LocalOrg) -> Iterator[Callable[[bool], Node]]:
    """Give a function that starts Node over http, or over https with the org's certificate trusted."""
    if not (node_clients.modules / "jsforce").is_dir():
        pytest.fail("there is no jsforce beside sf: run scripts/install_sf.sh again")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    common = {"app": APP, "key": private.decode(), "password": PASSWORD}
    running: dict[bool, Node] = {}

    def started(tls: bool) -> Node:
        if tls not in running:
            assert shared_org.tls_url is not None
            url = shared_org.tls_url if tls else shared_org.url
            arguments = (SCRIPT, node_clients.modules, url, shared_org.access_token, VERSION)
            process = subprocess.Popen(
                [node_clients.node, "--no-warnings", *map(str, arguments)],
                env={"NODE_EXTRA_CA_CERTS": str(shared_org.certificate)} if tls else {},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            running[tls] = Node(process, common)
        return running[tls]

    yield started
    for node in running.values():
        node.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def shared_ours(shared_org: LocalOrg) -> Iterator[Org]:
    """Look into the org with our own client."""
    with connect(shared_org.url, environ={"SF_ACCESS_TOKEN": shared_org.access_token}, api_version=VERSION) as client:
        yield client


def run(node: Node, ours: Org, library: str, step: Step, scheme: str = "") -> None:
    tag = "J" + re.sub(r"\W+", "", step.name.title())[:18] + str(LIBRARIES.index(library)) + scheme
    field = Component("CustomField", f"Contact.{tag}__c", {"label": "Field", "type": "Text", "length": 12})
    zipped = base64.b64encode(zip_files(write([field], VERSION))).decode()
    value = node(library, step.code, tag=tag, zip=zipped)
    expected = filled(step.gives, tag)
    assert like(value, expected), (value, expected)
    if step.query:
        rows = ours.query(step.query.replace("{tag}", tag).replace("{value[id]}", _id(value)))
        assert like(rows, filled(step.rows, tag)), rows
    if step.component:
        address = Address.parse(step.component.replace("{tag}", tag))
        found = ours.metadata.read_metadata(address.type, [address.full_name])
        body = found[0].body if found else None
        assert like(body, filled(step.body, tag)), body


def filled(expected: Any, tag: str) -> Any:
    if isinstance(expected, str):
        return expected.replace("{tag}", tag)
    if isinstance(expected, dict):
        return {filled(key, tag): filled(value, tag) for key, value in expected.items()}
    return [filled(each, tag) for each in expected] if isinstance(expected, list) else expected


def _id(value: Any) -> str:
    return str(value["id"]) if isinstance(value, dict) and "id" in value else ""


@pytest.mark.parametrize("library", [pytest.param(LIBRARIES[0], marks=RECORDED), LIBRARIES[1]])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_step(start: Callable[[bool], Node], shared_ours: Org, step: Step, library: str) -> None:
    """The step gives what it gives on an org, and the org then is as it should be."""
    run(start(False), shared_ours, library, step)


@pytest.mark.parametrize("step", [RECORDS[0], QUERIES[0], SIGN_IN[0], SIGN_IN[5]], ids=lambda step: step.name)
def test_step_over_tls(start: Callable[[bool], Node], shared_ours: Org, step: Step) -> None:
    """The same over TLS, with nothing but the org's certificate trusted."""
    run(start(True), shared_ours, LIBRARIES[0], step, "S")
