"""Both packages of jsforce against the local org and the named org, with one Node process for each package, step by step."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfcode.local import register_app, serve
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from tests.contract.jsforce_steps import QUERIES, RECORDS, SIGN_IN, STEPS, Step
from tests.contract.like import like
from tests.contract.sf import Clients
from tests.contract.states import APP, COMPANY, PASSWORD, for_jsforce
from tests.contract.target_org import CLIENT_VERSION, TargetOrg, local
from tests.waiting import PATIENCE

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
    """Create the private key of an app."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def shared_org(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Iterator[TargetOrg]:
    """Serve an org with a registered app and its key."""
    state = tmp_path_factory.mktemp("jsforce")
    for_jsforce(state)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    register_app(state, APP | {"certificate": public.decode()})
    with serve(state, tls=True) as org, local(org) as target_org:
        yield replace(target_org, firm=COMPANY)


Start = Callable[[TargetOrg, str], Node]


@pytest.fixture(scope="module")
def start(node_clients: Clients, key: rsa.RSAPrivateKey) -> Iterator[Start]:
    """Return a function that starts Node once for each address of an org."""
    if not (node_clients.modules / "jsforce").is_dir():
        pytest.fail("there is no jsforce beside sf: run scripts/install_sf.sh again")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    common = {"app": APP, "key_of_app": private.decode(), "password": PASSWORD}
    running: dict[str, Node] = {}

    def started(target_org: TargetOrg, url: str) -> Node:
        if url not in running:
            arguments = (SCRIPT, node_clients.modules, url, target_org.access_token, CLIENT_VERSION)
            process = subprocess.Popen(
                [node_clients.node, "--no-warnings", *map(str, arguments)],
                env=dict(target_org.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            running[url] = Node(process, common)
        return running[url]

    yield started
    for node in running.values():
        node.process.communicate(timeout=PATIENCE)


@pytest.fixture
def target_org(target: str, request: pytest.FixtureRequest) -> TargetOrg:
    """Return the org that all tests share; or the named one, with a unique word for the names of this test's data."""
    if target == "real":
        return cast(TargetOrg, request.getfixturevalue("shared_data").for_test())
    return cast(TargetOrg, request.getfixturevalue("shared_org"))


def run(node: Node, target_org: TargetOrg, library: str, step: Step, scheme: str = "") -> None:
    tag = "J" + re.sub(r"\W+", "", step.name.title())[:18] + str(LIBRARIES.index(library)) + scheme
    # In the local org, tests are distinguished by their names; in a named org, by the word of this run as well.
    tag = target_org.word + tag if target_org.is_real else tag
    field = Component("CustomField", f"Contact.{tag}__c", {"label": "Field", "type": "Text", "length": 12})
    zipped = base64.b64encode(zip_files(write([field], CLIENT_VERSION))).decode()
    words = {
        "tag": tag,
        "key": target_org.external_id,
        "number": target_org.number,
        "firm": target_org.firm,
        "username": target_org.username,
        "person": target_org.person,
    }
    value = node(library, step.code, zip=zipped, **words)
    expected = filled(step.gives, words)
    assert like(value, expected), (value, expected)
    if step.query:
        rows = target_org.client.query(filled(step.query, words).replace("{value[id]}", _id(value)))
        assert like(rows, filled(step.rows, words)), rows
    if step.component:
        address = Address.parse(filled(step.component, words))
        body = target_org.component(address.type, address.full_name)
        assert like(body, filled(step.body, words)), body


def filled(expected: Any, words: Mapping[str, str]) -> Any:
    if isinstance(expected, str):
        for name, word in words.items():
            expected = expected.replace(f"{{{name}}}", word)
        return expected
    if isinstance(expected, dict):
        return {filled(key, words): filled(value, words) for key, value in expected.items()}
    return [filled(member, words) for member in expected] if isinstance(expected, list) else expected


def _id(value: Any) -> str:
    return str(value["id"]) if isinstance(value, dict) and "id" in value else ""


IN_ANY_ORG = [step for step in STEPS if step not in SIGN_IN]


@pytest.mark.parametrize("library", [pytest.param(LIBRARIES[0], marks=RECORDED), LIBRARIES[1]])
@pytest.mark.parametrize("step", IN_ANY_ORG, ids=lambda step: step.name)
def test_step(start: Start, target_org: TargetOrg, step: Step, library: str) -> None:
    """The step returns the expected result, and the org then has the expected data."""
    run(start(target_org, target_org.url), target_org, library, step)


@pytest.mark.local_only("its app and the password of its administrator are known")
@pytest.mark.parametrize("library", [pytest.param(LIBRARIES[0], marks=RECORDED), LIBRARIES[1]])
@pytest.mark.parametrize("step", SIGN_IN, ids=lambda step: step.name)
def test_signing_in(start: Start, target_org: TargetOrg, step: Step, library: str) -> None:
    """The session belongs to the expected user."""
    run(start(target_org, target_org.url), target_org, library, step)


@pytest.mark.parametrize("step", [RECORDS[0], QUERIES[0], SIGN_IN[0], SIGN_IN[5]], ids=lambda step: step.name)
def test_step_over_tls(start: Start, shared_org: TargetOrg, step: Step) -> None:
    """The step has the same effect over TLS, if only the org's certificate is trusted."""
    assert shared_org.tls_url is not None
    run(start(shared_org, shared_org.tls_url), shared_org, LIBRARIES[0], step, "S")
