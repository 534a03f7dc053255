"""The local org gives the same answers as real orgs."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from tests.local.automation.building import Control, deploy, flow, message
from tests.local.automation.receiver import receiving
from tests.recorded.comparer import differences, xml_as_json
from tests.recorded.conftest import VERSION, RecordedWorld
from tests.recorded.pairs import KINDS, RecordedPair, read_pairs
from tests.waiting import PATIENCE

PAIRS = read_pairs()
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACES = {"m": "http://soap.sforce.com/2006/04/metadata", "u": "urn:partner.soap.sforce.com"}
PACKAGE = "http://soap.sforce.com/2006/04/metadata"


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{pair.file}: {pair.name}" for pair in PAIRS])
def test_the_local_org_answers_as_a_real_org(pair: RecordedPair, world: RecordedWorld) -> None:
    request, expected = _filled(pair.request, world), _filled(pair.answer, world)
    found_differences = list(differences(ask(request, world), expected))
    if pair.differs:
        assert found_differences, "it no longer differs: take the line away"
    else:
        assert found_differences == []


def test_there_are_enough_of_them_and_each_has_a_source() -> None:
    names = Counter((pair.area, pair.name) for pair in PAIRS)
    assert [name for name, count in names.items() if count > 1] == []
    assert {pair.kind for pair in PAIRS} <= set(KINDS)
    # Pairs that `make evidence` adds are from a private org, so they have no URL as source.
    anywhere = [pair for pair in PAIRS if not pair.file.startswith("org-")]
    assert [pair.name for pair in anywhere if not re.match(r"https?://[^/]+/\S+", pair.source)] == []
    assert len(PAIRS) >= 150


def ask(request: Mapping[str, Any], world: RecordedWorld) -> dict[str, Any]:
    """Send the request of a pair, and return the parts of the answer that can be compared."""
    if "deploy" in request:
        return _deploy(request["deploy"], world)
    if "soap" in request:
        return _soap(request, world)
    if "outbound" in request:
        return _outbound(request["outbound"], world)
    headers = {"Authorization": f"Bearer {world.org.access_token}"} if request.get("signed_in", True) else {}
    headers |= request.get("headers", {})
    base = "" if request["path"].startswith("/services") else f"/services/data/v{VERSION}"
    more = {"json": request["body"]} if "body" in request else {"data": request.get("form") or request.get("text")}
    session = requests.Session()
    session.trust_env = False
    answer = session.request(
        request["method"], f"{world.org.url}{base}{request['path']}", headers=headers, timeout=PATIENCE, **more
    )
    actual = _answer(answer)
    if "field" in request:
        actual["body"] = next(field for field in actual["body"]["fields"] if field["name"] == request["field"])
    return actual


def _answer(answer: requests.Response) -> dict[str, Any]:
    text = answer.text
    if not text:
        return {"status": answer.status_code}
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind:
        return {"status": answer.status_code, "body": answer.json()}
    if "xml" in kind:
        return {"status": answer.status_code, "xml": xml_as_json(answer.content)}
    return {"status": answer.status_code, "text": text}


def _soap(request: Mapping[str, Any], world: RecordedWorld) -> dict[str, Any]:
    service = request.get("service", "m")
    token = request.get("session", world.org.access_token)
    header = f'<SessionHeader xmlns="{NAMESPACES[service]}"><sessionId>{token}</sessionId></SessionHeader>'
    body = re.sub(r"^<(\w+)", rf'<\1 xmlns="{NAMESPACES[service]}"', request["soap"])
    envelope = f'<e:Envelope xmlns:e="{SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>'
    path = f"/services/Soap/{service}/{VERSION}"
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer = requests.post(f"{world.org.url}{path}", data=envelope.encode(), headers=headers, timeout=PATIENCE)
    soap_body = xml_as_json(answer.content)["Envelope"]["Body"]
    if "deployResponse" in soap_body:
        _wait_for(str(re.search(rb"<id>(\w+)</id>", answer.content)[1], "ascii"), world)  # type: ignore[index]
    return {"status": answer.status_code, "body": soap_body}


def _wait_for(deploy_id: str, world: RecordedWorld) -> None:
    """Wait for the end of a deployment, during which an org refuses other metadata changes."""
    from sfcode.org import connect

    with connect(world.org.url, environ={"SF_ACCESS_TOKEN": world.org.access_token}, api_version=VERSION) as org:
        org.metadata.follow(deploy_id, timeout=PATIENCE)


def _deploy(files: Mapping[str, str], world: RecordedWorld) -> dict[str, Any]:
    """Check a package, and return its component failures."""
    from sfcode.org import DeployOptions, connect

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for name, text in files.items():
            root = "Package" if name == "package.xml" else text.split("<", 1)[1].split(">", 1)[0].split()[0]
            package.writestr(name, text.replace(f"<{root}>", f'<{root} xmlns="{PACKAGE}">', 1))
    environ = {"SF_ACCESS_TOKEN": world.org.access_token}
    with connect(world.org.url, environ=environ, api_version=VERSION) as org:
        metadata = org.metadata
        result = metadata.follow(metadata.deploy(archive.getvalue(), DeployOptions(check_only=True)), timeout=PATIENCE)
    failures = [
        {"problem": failure.problem, "type": failure.type, "name": failure.full_name, "file": failure.file_name}
        for failure in result.failures
    ]
    return {"success": result.success, "failures": failures}


def _outbound(question: Mapping[str, Any], world: RecordedWorld) -> dict[str, Any]:
    """Create a contact whose message has some fields, and return the message."""
    name = f"Recorded_{question['name']}"
    with receiving() as receiver:
        outbound_message = message(receiver.url, question["fields"], name=f"Contact.{name}")
        condition = {"filterFormula": f'AND(ISNEW(), {{!$Record.Department}} = "{name}")'}
        deploy(world.org, outbound_message, flow(condition, sends=f"Contact.{name}", name=name))
        world.rest.create("Contact", LastName="Recorded", Department=name, **question["values"])
        Control(world.rest).deliver()
        (post,) = receiver.take()
    return {"type": post.headers["Content-Type"], "xml": xml_as_json(post.body)}


def _filled(value: Any, world: RecordedWorld) -> Any:
    """Replace the placeholders of records and `{basic:user:secret}`."""
    text = json.dumps(value)
    for name, record in world.names.items():
        text = text.replace(f"{{{name}}}", record)
    text = re.sub(r"\{basic:([^}]*)\}", lambda match: base64.b64encode(match[1].encode()).decode(), text)
    return json.loads(text)


class TestComparer:
    @pytest.mark.parametrize(
        ("actual", "expected"),
        [
            ({"a": 1}, {"a": 1}),
            ({"a": 1, "b": 2}, {"a": 1, "<more>": True}),
            ([1, 2, 3], [1, "<more>"]),
            ("003000000000001AAA", "<id>"),
            ("no 003000000000001 here", "no <id> here"),
            ("2026-03-18T12:00:00.000+0000", "<time>"),
            (7, "<number>"),
            ("7.5", "<number>"),
            (None, None),
            (None, "<any>"),
            ({"a": {"b": [True]}}, {"a": {"b": [True]}}),
        ],
    )
    def test_equal_answers_have_no_difference(self, actual: Any, expected: Any) -> None:
        assert list(differences(actual, expected)) == []

    @pytest.mark.parametrize(
        ("actual", "expected", "difference"),
        [
            ({"a": 1}, {"a": 2}, "a: 1 is not 2"),
            ({"a": 1, "b": 2}, {"a": 1}, "the answer: b is not expected"),
            ({}, {"a": 1}, "the answer: a is missing"),
            ([1, 2], [1], "the answer: 2 items, not 1: [1, 2]"),
            ([], [1, "<more>"], "the answer: 0 items, not 1: []"),
            ("soon", "<time>", "the answer: 'soon' is not '<time>'"),
            (True, 1, "the answer: True is not 1"),
            ("", "<text>", "the answer: '' is not '<text>'"),
            ("x", [1], "the answer: 'x' is no list"),
            (1, {"a": 1}, "the answer: 1 is no object"),
            (True, "<number>", "the answer: True is not '<number>'"),
        ],
    )
    def test_different_answers_have_differences(self, actual: Any, expected: Any, difference: str) -> None:
        assert list(differences(actual, expected)) == [difference]

    def test_xml_by_local_names(self) -> None:
        assert xml_as_json(b'<a:x xmlns:a="u"><a:y>1</a:y><z/><a:y>2</a:y></a:x>') == {
            "x": {"y": ["1", "2"], "z": None}
        }
