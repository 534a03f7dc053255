"""The calls of the writer: their number, their kind, and their user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from requests.models import Response

from sfcode.org import connect
from sfcode.relay.message import Delivered, Retry
from tests.local.signin.conftest import key_pair
from tests.relay.salesforce.world import INTEGRATION, World, applied, event, signed_in

API = "/services/data/v63.0"
EVERYTHING = "Appcues_Event_Id__c != null"


@pytest.fixture
def crowd(world: World) -> Iterator[list[str]]:
    """Return the IDs of a thousand contacts."""
    users = [str(500_000 + number) for number in range(1000)]
    record_ids: list[str] = []
    account = world.rest.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    for start in range(0, 1000, 200):
        records = [
            {
                "attributes": {"type": "Contact"},
                "LastName": "Crowd",
                "AccountId": account,
                "Product_User_Id__c": int(user),
            }
            for user in users[start : start + 200]
        ]
        answer = world.rest("POST", "/composite/sobjects", json={"allOrNone": True, "records": records})
        record_ids += [entry["id"] for entry in answer.json()]
    yield users
    for start in range(0, 1000, 200):
        world.rest("DELETE", f"/composite/sobjects?ids={','.join(record_ids[start : start + 200])}")


@pytest.fixture
def requests_made(world: World) -> Iterator[list[tuple[str, str]]]:
    """Record method and path of every request that the writer sends."""
    requests: list[tuple[str, str]] = []

    def note(response: Response, **_: object) -> None:
        requests.append((str(response.request.method), str(response.request.path_url).partition("?")[0]))

    hooks = world.org._connection.http.hooks["response"]
    hooks.append(note)
    yield requests
    hooks.remove(note)


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, ("FALSE", "allowSave=true")),
        ({"run_assignment_rules": True, "allow_duplicates": False}, ("TRUE", "allowSave=false")),
    ],
)
def test_a_write_neither_assigns_leads_nor_is_refused_as_a_duplicate(
    world: World, settings: dict[str, bool], sent: tuple[str, str]
) -> None:
    header_pairs: list[tuple[str | None, str | None]] = []

    def note(response: Response, **_: object) -> None:
        if response.request.method == "PATCH":
            headers = response.request.headers
            header_pairs.append((headers.get("Sforce-Auto-Assign"), headers.get("Sforce-Duplicate-Rule-Header")))

    relay = world.project.settings.relay.model_copy(update=settings)
    changed = world.project.settings.model_copy(update={"relay": relay})
    hooks = world.org._connection.http.hooks["response"]
    hooks.append(note)
    try:
        writer = world.fresh_writer(replace(world.project, settings=changed))
        world.deliver(event("appcues:nps_score", score=9), writer=writer)
    finally:
        hooks.remove(note)
    assert header_pairs == [sent, sent], "the update and the upsert"


def test_a_thousand_webhooks_take_fifteen_calls_and_create_no_person(
    world: World, crowd: list[str], requests_made: list[tuple[str, str]]
) -> None:
    before = world.rest.value("SELECT COUNT(Id) FROM Contact"), world.rest.value("SELECT COUNT(Id) FROM Lead")
    messages = [event("appcues:nps_score", user, score=9) for user in crowd]
    for start in range(0, 1000, 200):
        assert set(world.deliver(*messages[start : start + 200])) == {Delivered()}
    assert len(requests_made) <= 15, requests_made
    assert world.recorder.usage[-1][0] - world.recorder.usage[0][0] == len(requests_made) - 1, "the org counts the same"
    assert set(requests_made) == {
        ("POST", f"{API}/composite"),
        ("PATCH", f"{API}/composite/sobjects"),
        ("PATCH", f"{API}/composite/sobjects/Event/Appcues_Event_Id__c"),
    }
    assert world.rest.value("SELECT COUNT(Id) FROM Event WHERE Appcues_Event_Id__c != null") == 1000
    assert world.rest.value("SELECT COUNT(Id) FROM Contact WHERE Appcues_NPS_Score__c = 9") == 1000
    assert before == (world.rest.value("SELECT COUNT(Id) FROM Contact"), world.rest.value("SELECT COUNT(Id) FROM Lead"))


def test_unknown_users_need_one_call_and_create_no_record(world: World, requests_made: list[tuple[str, str]]) -> None:
    people = world.rest.value("SELECT COUNT(Id) FROM Contact")
    ends = world.deliver(*(event("appcues:nps_score", str(900_000 + number), score=9) for number in range(200)))
    assert {getattr(end, "reason", "") for end in ends} == {"unknown_user"}
    assert requests_made == [("POST", f"{API}/composite")]
    assert world.rest.value("SELECT COUNT(Id) FROM Contact") == people


def test_one_mapping_is_looked_up_by_a_plain_query(world: World, requests_made: list[tuple[str, str]]) -> None:
    writer = world.fresh_writer(replace(world.project, mappings=world.project.mappings[:1]))
    assert world.deliver(event("appcues:flow_completed", flowName="W"), writer=writer) == [Delivered()]
    assert requests_made == [
        ("GET", f"{API}/query"),
        ("PATCH", f"{API}/composite/sobjects/Event/Appcues_Event_Id__c"),
    ]


def test_a_lost_field_permission_raises_an_alarm_and_parks_no_message(world: World) -> None:
    """The signed-in user is not the integration user, and cannot read the fields that sfcode created."""
    with signed_in(world.local, world.rest, "sam.seller@northwind.example") as seller:
        writer = type(world.writer)(world.writer.rules, world.writer.calls, world.writer.states)
        writer.calls = type(writer.calls)(seller, world.recorder, writer.calls.clock, writer.calls.quota)
        (end,) = world.deliver(event("appcues:nps_score", score=6), writer=writer)
    assert isinstance(end, Retry)
    assert (end.counts, end.after) == (False, 300)
    assert [name for name, _ in world.recorder.alarms] == ["salesforce_access"]


@pytest.fixture(scope="module")
def app(applied_world: World) -> dict[str, str]:
    """Register an app that signs in as the integration user, with a key or with client credentials."""
    keys = key_pair()
    settings = {
        "name": "Relay",
        "certificate": keys.certificate,
        "run_as": INTEGRATION,
        "permitted_users": "admin_approved",
        "users": [INTEGRATION],
    }
    url = f"{applied_world.local.url}/services/sfcode/apps"
    answer = applied_world.rest.session.post(url, json=settings)
    assert answer.status_code == 201, answer.text
    registration = answer.json()
    return {"key": keys.private, "id": registration["consumer_key"], "secret": registration["consumer_secret"]}


def ways(world: World, app: dict[str, str]) -> dict[str, dict[str, str]]:
    url = world.local.url
    return {
        "jwt": {
            "SF_CONSUMER_KEY": app["id"],
            "SF_JWT_KEY": app["key"],
            "SF_USERNAME": INTEGRATION,
            "SF_AUDIENCE_URL": url,
        },
        "client credentials": {
            "SF_CLIENT_ID": app["id"],
            "SF_CLIENT_SECRET": app["secret"],
            "SF_ORG_INSTANCE_URL": url,
        },
    }


@pytest.mark.parametrize("way", ["jwt", "client credentials"])
def test_a_session_that_ends_is_renewed_once_and_the_call_made_again(
    world: World, app: dict[str, str], way: str
) -> None:
    with connect(world.local.url, environ=ways(world, app)[way], api_version="63.0") as org:
        calls = type(world.writer.calls)(org, world.recorder, world.writer.calls.clock, world.writer.calls.quota)
        writer = type(world.writer)(world.writer.rules, calls, world.writer.states)
        world.control.arm("session_expired", path="/services/data/*/composite/sobjects")
        assert world.deliver(event("appcues:nps_score", score=6), writer=writer) == [Delivered()]
        assert world.contact()["NPS_Score__c"] == 6
        assert world.recorder.alarms == []


def test_a_session_that_cannot_be_renewed_raises_an_alarm(world: World) -> None:
    world.control.arm("session_expired", path="/services/data/*")
    (end,) = world.deliver(event("appcues:nps_score", score=6))
    assert isinstance(end, Retry)
    assert (end.error, end.counts) == ("INVALID_SESSION_ID", False)
    assert [name for name, _ in world.recorder.alarms] == ["salesforce_sign_in"]
    assert world.deliver(event("appcues:nps_score", score=6), writer=world.fresh_writer()) == [Delivered()]


def test_a_session_is_renewed_ahead_of_time(world: World, app: dict[str, str]) -> None:
    with connect(world.local.url, environ=ways(world, app)["jwt"], api_version="63.0") as org:
        session = org._connection.session
        calls = type(world.writer.calls)(org, world.recorder, world.writer.calls.clock, world.writer.calls.quota)
        writer = type(world.writer)(world.writer.rules, calls, world.writer.states)
        first = session.token
        world.deliver(event("appcues:flow_completed", flowName="A"), writer=writer)
        assert session.token == first
        session._since -= 3001
        world.deliver(event("appcues:flow_completed", flowName="B"), writer=writer)
        assert session.token != first
        assert session.age < 100


@pytest.mark.parametrize("kind", ["task", "custom_object"])
def test_activities_as_something_else(tmp_path, kind: str) -> None:
    """The permissions that sfcode grants are sufficient for the object, and no calendar is changed."""
    with applied(tmp_path, ("sfcode.yaml", "activities_as: event", f"activities_as: {kind}")) as world:
        messages = [event("appcues:nps_score", score=9), event("Clicked Upgrade", at=3600 * 13)]
        assert world.deliver(*messages) == [Delivered(), Delivered()]
        assert world.deliver(*messages) == [Delivered(), Delivered()]
        if kind == "task":
            first, second = world.events(EVERYTHING, "Task")
            assert (first["Subject"], first["ActivityDate"]) == ("Appcues NPS Score Submitted - 9", "2026-11-23")
            assert (second["ActivityDate"], second["Status"]) == ("2026-11-24", "Completed")
            assert {first["WhoId"], second["WhoId"]} == {world.contact()["Id"]}
        else:
            fields = "Subject__c, Appcues_Comment__c, Appcues_Event__c, Appcues_Time__c"
            first, second = world.rest.rows(
                f"SELECT Name, Appcues_{fields}, Contact__c, Lead__c FROM Appcues_Activity__c ORDER BY Appcues_Time__c"
            )
            assert first["Name"] == first["Appcues_Subject__c"] == "Appcues NPS Score Submitted - 9"
            assert (first["Appcues_Event__c"], second["Appcues_Event__c"]) == ("appcues:nps_score", "Clicked Upgrade")
            assert first["Appcues_Time__c"] == "2026-11-23T12:00:00.000+0000"
            assert (first["Contact__c"], first["Lead__c"]) == (world.contact()["Id"], None)
        assert world.rest.value("SELECT COUNT(Id) FROM Event WHERE Subject LIKE '%Appcues%'") == 0
