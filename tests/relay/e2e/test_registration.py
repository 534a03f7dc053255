"""A click in the product becomes a number in a report: Appcues' process, the relay's, the org's."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.journey import Journey
from tests.relay.e2e.world import API, WEBHOOK, until, world

RECIPE = """\
version: 1
event_registration:
  - when: {event: flow_completed, flow: [Webinar]}
    campaign: {name: Webinar, create: true}
    status: Registered
"""


def turn_on(journey: Journey, _url: str, _token: str) -> None:
    (journey.folder / "config" / "recipes.yaml").write_text(RECIPE, encoding="utf-8")


def test_a_completed_flow_is_counted_as_a_registration(tmp_path: Path, sqlite_url: str) -> None:
    with world(tmp_path, sqlite_url, turn_on) as around:
        relay, far = around.ready(), around.far
        contacts = around.contacts(["610001", "610002"])
        hook = {"url": f"{relay.url}/webhooks/appcues", "auth": {"scheme": "path", "secret": WEBHOOK}}
        assert far.account.put(f"{far.appcues}/sfcode/webhook", json=hook, timeout=20).ok
        flows = (("610001", "Webinar"), ("610002", "Webinar"), ("610002", "Tour"))
        events = [
            {"user_id": user, "name": "appcues:flow_completed", "attributes": {"flowName": flow}}
            for user, flow in flows
        ]
        answer = far.account.post(f"{far.appcues}/sfcode/trigger", json=events, timeout=20)
        assert answer.ok, answer.text
        with around.inbox() as inbox:
            until(lambda: inbox.stats().count("done") == 3, "three messages done")
        (row,) = far.rows("SELECT Id FROM Report WHERE DeveloperName = 'Event_Registrations'")
        found = far.org.get(f"{far.url}{API}/analytics/reports/{row['Id']}", timeout=20).json()
        assert found["factMap"]["0_0!T"]["aggregates"] == [{"label": "2", "value": 2}]
        assert found["groupingsDown"]["groupings"][0]["groupings"][0]["label"] == "Registered"
        members = far.rows("SELECT ContactId FROM CampaignMember")
        assert {each["ContactId"] for each in members} == set(contacts.values())
        assert far.rows("SELECT Id FROM Event WHERE Subject LIKE '%Webinar%'")
