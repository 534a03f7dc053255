"""Faults on demand: each strikes as configured, is listed, ends, and does not damage the org."""

from __future__ import annotations

import time

import pytest
import requests

from sfcode.local.faults import BadFault, Faults, InjectedFault, from_json, from_text
from sfcode.metadata.component import Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import connect
from sfcode.org.results import DeployOptions
from tests.local.automation.building import Control, deploy, flow, message, signed_in_as, user_with
from tests.local.automation.receiver import receiving
from tests.waiting import PATIENCE


@pytest.fixture
def control(rest):
    return Control(rest)


def query(rest):
    return rest("GET", "/query", params={"q": "SELECT Id FROM User"})


def test_an_org_without_faults_answers(rest, control):
    assert control("GET", "/faults")["faults"] == []
    assert query(rest).status_code == 200


def test_a_503_occurs_the_configured_number_of_times_and_is_listed_with_its_count(rest, control):
    entry = control.arm("unavailable", times=2, path="/services/data/*/query", retry_after=1)
    assert entry == {
        "id": 1,
        "kind": "unavailable",
        "path": "/services/data/*/query",
        "times": 2,
        "retry_after": 1,
        "left": 2,
        "seen": 0,
        "hits": 0,
    }
    assert rest("GET", "/limits").status_code == 200, "another path"
    answers = [query(rest) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "1"
    (listed,) = control("GET", "/faults")["faults"]
    assert (listed["left"], listed["seen"], listed["hits"]) == (0, 3, 2)


def test_faults_are_cleared_one_by_one_and_all(rest, control):
    first = control.arm("unavailable", times=9)
    control.arm("latency", times=9)
    control.arm("drop", times=9)
    control("DELETE", f"/faults/{first['id']}")
    assert [fault["kind"] for fault in control("GET", "/faults")["faults"]] == ["latency", "drop"]
    assert control("DELETE", "/faults") == {"cleared": 2}
    assert query(rest).status_code == 200
    answer = rest.session.delete(f"{rest.org.url}/services/sfcode/faults/99")
    assert answer.status_code == 404


def test_a_connection_dropped_before_a_request_executes_nothing(rest, control):
    control.arm("drop", method="post")
    with pytest.raises(requests.ConnectionError):
        rest.create("Contact", LastName="Lost")
    assert rest.rows("SELECT Id FROM Contact WHERE LastName = 'Lost'") == []
    rest.create("Contact", LastName="Lost")


def test_a_connection_dropped_after_a_request_has_executed_it(rest, control):
    control.arm("drop_after", method="POST")
    with pytest.raises(requests.ConnectionError):
        rest.create("Contact", LastName="Made")
    assert len(rest.rows("SELECT Id FROM Contact WHERE LastName = 'Made'")) == 1


def test_a_late_response_is_delayed(rest, control):
    control.arm("latency", seconds=0.3)
    began = time.monotonic()
    assert query(rest).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_session_ends_over_rest_and_soap(rest, org, control):
    control.arm("session_expired", times=2)
    answer = query(rest)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    answer = requests.post(f"{org.url}/services/Soap/m/62.0", data=b"<x/>", timeout=PATIENCE)
    assert answer.status_code == 500
    assert "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in answer.text
    assert query(rest).status_code == 200


def test_a_used_up_request_limit_is_in_body_and_header(rest, control):
    control.arm("request_limit")
    answer = query(rest)
    assert answer.status_code == 403
    assert answer.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=100000/100000"
    assert query(rest).headers["Sforce-Limit-Info"] == "api-usage=2/100000"


def test_every_answer_counts_the_requests_so_far(rest, org, clock):
    assert [query(rest).headers["Sforce-Limit-Info"] for _ in range(3)] == [
        f"api-usage={number}/100000" for number in (1, 2, 3)
    ]
    missing = rest("GET", "/nothing")
    assert (missing.status_code, missing.headers["Sforce-Limit-Info"]) == (404, "api-usage=4/100000")
    limits = rest("GET", "/limits").json()["DailyApiRequests"]
    assert limits == {"Max": 100000, "Remaining": 99995}
    clock.wait(hours=24)
    assert query(rest).headers["Sforce-Limit-Info"] == "api-usage=1/100000"


def test_a_locked_row_is_refused_and_the_others_are_saved(rest, control):
    control.arm("row_lock", object="contact", times=1)
    records = [
        {"attributes": {"type": name}, "LastName": "Two", "Company": "C"} for name in ("Lead", "Contact", "Lead")
    ]
    for record in records:
        if record["attributes"]["type"] == "Contact":
            del record["Company"]
    answers = rest("POST", "/composite/sobjects", json={"records": records}).json()
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert answers[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    contact = rest.create("Contact", LastName="Free again")
    control.arm("row_lock")
    status, code, text, _ = rest.error("PATCH", f"/sobjects/Contact/{contact}", json={"Title": "X"})
    assert (status, code) == (400, "UNABLE_TO_LOCK_ROW")
    assert contact in text
    assert rest.value(f"SELECT Title FROM Contact WHERE Id = '{contact}'") is None


def test_a_slow_deploy_ends_after_a_number_of_polls(org, control):
    control.arm("slow_deploy", polls=4)
    statuses = []
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version="63.0") as client:
        deploy_id = client.metadata.deploy(_package(), _options())
        while not statuses or statuses[-1] in ("Pending", "InProgress"):
            statuses.append(client.metadata.deploy_status(deploy_id).status)
    assert statuses == ["Pending", "Pending", "InProgress", "InProgress", "Succeeded"]


def test_a_canceled_slow_deploy_changes_nothing(org, rest, control):
    control.arm("slow_deploy", polls=50)
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version="63.0") as client:
        deploy_id = client.metadata.deploy(_package(), _options())
        assert client.metadata.deploy_status(deploy_id).status == "Pending"
        assert client.metadata.cancel_deploy(deploy_id)
        assert client.metadata.deploy_status(deploy_id).status == "Canceled"
        assert client.metadata.list_metadata("PermissionSet") == ()


def test_a_locked_setup_fails_a_deploy_with_the_orgs_message(org, control):
    control.arm("locked_org")
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version="63.0") as client:
        result = client.metadata.follow(client.metadata.deploy(_package(), _options()))
        assert (result.status, result.error_status_code) == ("Failed", "ALREADY_IN_PROCESS")
        assert "already been locked by another change" in result.error_message
        assert client.metadata.follow(client.metadata.deploy(_package(), _options())).success


def test_a_delivery_can_be_duplicated(rest, org, control):
    with receiving() as receiver:
        deploy(org, message(f"{receiver.url}/hook", ["Id"]), flow({}))
        control.arm("duplicate_delivery", path="/hook")
        rest.create("Contact", LastName="Twice")
        assert control.deliver()["delivered"] == 1
        first, second = receiver.take()
    assert first.body == second.body


def test_chance_is_seeded():
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.arm(InjectedFault("drop", probability=0.5, seed=seed))
        return [faults.take("drop") is not None for _ in range(50)]

    assert struck(1) == struck(1) != struck(2)
    assert 10 < sum(struck(1)) < 40


def test_some_requests_are_let_through_first():
    faults = Faults()
    faults.arm(InjectedFault("drop", skip=2))
    assert [faults.take("drop") is not None for _ in range(5)] == [False, False, True, False, False]


def test_the_control_route_is_for_the_administrator_only(rest, state, control):
    user = user_with(rest, userPermissions={"ApiEnabled": {"enabled": True}})
    paths = ("faults", "clock", "outbound-messages", "automation-log")
    with signed_in_as(rest, state, user) as client:
        for path in paths:
            answer = client.session.get(f"{rest.org.url}/services/sfcode/{path}")
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "FORBIDDEN")
    for path in paths:
        assert requests.get(f"{rest.org.url}/services/sfcode/{path}", timeout=PATIENCE).status_code == 401
    assert control("GET", "/clock")["advanced"] == 0


def test_faults_do_not_apply_to_the_control_route(rest, control):
    control.arm("drop", times=99)
    control.arm("unavailable", times=99)
    control.arm("session_expired", times=99)
    assert len(control("GET", "/faults")["faults"]) == 3
    control("DELETE", "/faults")
    assert query(rest).status_code == 200


@pytest.mark.parametrize(
    ("value", "error_text"),
    [
        ([], "a fault is a JSON object"),
        ({}, "there is no fault None"),
        ({"kind": "fire"}, "there is no fault 'fire'; there is latency,"),
        ({"kind": "drop", "when": 1}, "a fault has no 'when'"),
        ({"kind": "drop", "times": 0}, "times is a whole number from 1, not 0"),
        ({"kind": "drop", "times": True}, "times is a whole number"),
        ({"kind": "drop", "times": "2"}, "times is a whole number"),
        ({"kind": "drop", "probability": 2}, "probability is a number from 0 to 1"),
        ({"kind": "latency", "seconds": 1e9}, "seconds is a number from 0 to 600"),
        ({"kind": "latency", "seconds": float("nan")}, "seconds is a number"),
        ({"kind": "drop", "path": ""}, "path is a text"),
    ],
    ids=repr,
)
def test_an_invalid_fault_is_refused_with_the_reason(rest, value, error_text):
    with pytest.raises(BadFault) as caught:
        from_json(value)
    assert error_text in str(caught.value)


def test_bad_faults_and_turns_are_refused_over_the_wire(rest):
    for path, body in (("faults", {"kind": "fire"}), ("clock", {"advance": -1}), ("clock", {"advance": "1h"})):
        answer = rest.session.post(f"{rest.org.url}/services/sfcode/{path}", json=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_a_fault_can_be_written_as_a_word():
    assert from_text("unavailable,times=2,path=/services/data/*") == InjectedFault(
        "unavailable", times=2, path="/services/data/*"
    )
    assert from_text("latency, seconds=0.5") == InjectedFault("latency", seconds=0.5)
    for text in ("", "drop,twice", "drop,times=x", "drop,times=1.5"):
        with pytest.raises(BadFault):
            from_text(text)


def _package() -> bytes:
    return zip_files(write([Component("PermissionSet", "Some", {"label": "Some"})], "63.0"))


def _options():
    return DeployOptions()
