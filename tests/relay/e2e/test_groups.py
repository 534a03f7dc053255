"""Accounts as groups in Appcues: events of a group have a separate lane, beside those of its users."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.journey import Journey
from tests.e2e.org import show_fields
from tests.relay.e2e.sender import send_all
from tests.relay.e2e.traffic import Post
from tests.relay.e2e.world import INTEGRATION, World, world
from tests.relay.salesforce.held_calls import proxied
from tests.waiting import PATIENCE, until

MOST_CALLS = 20
ACCOUNT = "5001"
"""The ID of an account in the local org."""
USERS = itertools.count(720_001)
GROUP = """\
object: Account
match: group
direction: to_salesforce
delivery: relay
user_id: {field: Appcues_Group_Id__c, from: Product_Account_Id__c}
to_salesforce:
  activities: [flow_completed]
"""


def add_groups(journey: Journey, _url: str, _token: str) -> None:
    (journey.folder / "config" / "mappings" / "account.yaml").write_text(GROUP, encoding="utf-8")


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("groups")
    with world(folder, f"sqlite:///{folder / 'relay.db'}", add_groups) as around:
        show_fields(around.far)
        yield around


def hooks(around: World, events: list[dict[str, object]]) -> Post:
    return Post(around.webhook_path, json.dumps(events).encode(), len(events), soap=False)


def test_a_thousand_webhooks_of_one_group_share_their_calls(around: World, sqlite_url: str) -> None:
    relay = around.ready(SFCODE_RELAY_DATABASE_URL=sqlite_url)
    events = [
        {
            "name": "appcues:flow_completed",
            "user_id": f"nobody-{number % 50}",
            "group_id": ACCOUNT,
            "timestamp": f"2026-06-01T08:{number // 60:02}:{number % 60:02}.000Z",
            "attributes": {"flowName": f"Flow {number}"},
        }
        for number in range(1_000)
    ]
    send_all([relay.port], [hooks(around, events[first : first + 100]) for first in range(0, 1_000, 100)])
    with around.inbox(sqlite_url) as inbox:
        until(lambda: inbox.stats().count("done") == 1_000, "1,000 messages done")
    calls = re.findall(r'calls_total\{.*side="salesforce".*\} ([0-9.]+)', relay.get("/metrics").text)
    relay.terminate()
    assert 3 <= sum(map(float, calls)) <= MOST_CALLS
    assert around.far.rows("SELECT COUNT(Id) n FROM Event WHERE Subject LIKE '%Flow %'")[0]["n"] == 1_000
    relay.ended()


def test_the_newest_value_wins_between_two_lanes_in_two_processes(around: World, database_url: str) -> None:
    """
    The call with the older value, from the group's lane, is delayed until the newer value is stored.

    No lease is lost.
    """
    ((user, contact),) = around.contacts([str(next(USERS))]).items()
    token = around.far.org.post(f"{around.far.url}/services/sfcode/tokens", json={"username": INTEGRATION}).json()
    environ = {
        "SF_ACCESS_TOKEN": token["access_token"],
        "SF_CLIENT_ID": "",
        "SF_CLIENT_SECRET": "",
        "SFCODE_RELAY_DATABASE_URL": database_url,
    }

    def score(value: int, **more: str) -> Post:
        timestamp = f"2026-06-01T08:00:{value:02}.000Z"
        answer = {"name": "appcues:nps_score", "user_id": user, "timestamp": timestamp, "attributes": {"score": value}}
        return hooks(around, [answer | more])

    def stored() -> object:
        return around.far.rows(f"SELECT Appcues_NPS_Score__c FROM Contact WHERE Id = '{contact}'")[0][
            "Appcues_NPS_Score__c"
        ]

    with proxied(around.far.url) as proxy:
        relays = [around.ready(org=proxy.url, **environ) for _ in range(2)]
        proxy.holds = True
        send_all([relays[0].port], [score(2, group_id=ACCOUNT)])
        assert proxy.arrived.wait(PATIENCE)
        send_all([relays[1].port], [score(9)])
        until(lambda: stored() == 9, "the newer score")
        proxy.released.set()
        # If the delayed call has timed out, its value is written again only when its lease has ended.
        until(lambda: len(proxy.updates) == 3 and stored() == 9, "the newer score once more")
        assert [body[0]["Appcues_NPS_Score__c"] for body in map(records, proxy.updates)] == [9, 2, 9]
        with around.inbox(database_url) as inbox:
            until(lambda: inbox.stats().count("done") >= 2 and not inbox.stats().oldest, "an empty inbox")
        for relay in relays:
            relay.terminate()
            relay.ended()


def records(body: bytes) -> list[dict[str, object]]:
    sent_records: list[dict[str, object]] = json.loads(body)["records"]
    return sent_records
