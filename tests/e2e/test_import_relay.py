"""The complete move to the relay, with all servers as separate processes; only Appcues' connector is simulated."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.e2e.clicked import SET, USER, Clicked, click, permission_set
from tests.e2e.journey import SECRET
from tests.e2e.org import API, deploy
from tests.relay.e2e.world import WEBHOOK, FarSide, World
from tests.waiting import PATIENCE, free_port, until

KEY, KEY_SECRET = "local-appcues-key", "local-appcues-secret"
ANA = "10001"


@dataclass
class Connector:
    """Appcues' own connector: while it is active, it writes an Event for each completed flow as the integration user."""

    far: FarSide
    active: bool = True

    def __post_init__(self) -> None:
        answer = self.far.org.post(f"{self.far.url}/services/sfcode/tokens", json={"username": USER}, timeout=PATIENCE)
        self.token = answer.json()["access_token"]

    def hears(self, flow: str) -> None:
        if not self.active:
            return
        (ana,) = self.far.rows(f"SELECT Id FROM Contact WHERE Product_User_Id__c = {ANA}")
        event = {
            "Subject": f"Appcues Flow Completed - {flow}",
            "WhoId": ana["Id"],
            "StartDateTime": "2026-03-18T12:00:00Z",
            "DurationInMinutes": 0,
        }
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.token}"
            answer = session.post(f"{self.far.url}/services/data/v{API}/sobjects/Event", json=event, timeout=PATIENCE)
        assert answer.ok, answer.text


@dataclass
class Stage:
    """An org that was set up by hand, its Appcues account, and the relay that it moves to."""

    clicked: Clicked
    world: World
    connector: Connector
    port: int

    def completes(self, flow: str) -> None:
        """Let Ana complete a flow in the product, and wait until its event is processed everywhere."""
        far = self.world.far
        event = {"user_id": ANA, "name": "appcues:flow_completed", "attributes": {"flowName": flow}}
        assert far.account.post(f"{far.appcues}/sfcode/trigger", json=event, timeout=PATIENCE).ok
        self.connector.hears(flow)
        until(
            lambda: far.account.get(f"{far.appcues}/sfcode/deliveries", timeout=PATIENCE).json()["waiting"] == 0,
            "delivery",
        )

    def events(self) -> list[str]:
        rows = self.world.far.rows("SELECT Subject FROM Event WHERE Subject LIKE 'Appcues Flow%' ORDER BY Subject")
        return [row["Subject"].rpartition(" ")[2] for row in rows]

    def title(self, value: str) -> None:
        """Change Ana's title as another user."""
        far = self.world.far
        (ana,) = far.rows(f"SELECT Id FROM Contact WHERE Product_User_Id__c = {ANA}")
        url = f"{far.url}/services/data/v{API}/sobjects/Contact/{ana['Id']}"
        assert far.org.patch(url, json={"Title": value}, timeout=PATIENCE).ok


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    click(tmp_path / "org")
    clicked = Clicked.start(tmp_path / "project", tmp_path / "org")
    journey = clicked.journey
    process = journey.spawn("local", "serve", "--json", "--port", "0", "--state", str(clicked.state))
    with contextlib.ExitStack() as stack:
        stack.enter_context(process)
        stack.callback(process.terminate)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        org, account = stack.enter_context(requests.Session()), stack.enter_context(requests.Session())
        org.trust_env = account.trust_env = False
        org.headers["Authorization"] = f"Bearer {ready['access_token']}"
        account.auth = (KEY, KEY_SECRET)
        far = FarSide(process, ready["url"], ready["access_token"], ready["org_id"], ready["appcues_url"], org, account)
        journey.environ = {
            "SFCODE_ENV": "local",
            "SF_ACCESS_TOKEN": far.access_token,
            "SFCODE_ORG": far.url,
            "SFCODE_RELAY_OUTBOUND_SECRET": SECRET,
        }
        app = journey.run("--json", "local", "app", "relay", "--run-as", USER, "--state", str(clicked.state)).json[
            "result"
        ]
        database = f"sqlite:///{tmp_path / 'relay.db'}"
        environ = {
            "SFCODE_RELAY_DATABASE_URL": database,
            "SFCODE_RELAY_OUTBOUND_SECRET": SECRET,
            "SFCODE_RELAY_WEBHOOK_SECRET": WEBHOOK,
            "SF_CLIENT_ID": app["consumer_key"],
            "SF_CLIENT_SECRET": app["consumer_secret"],
            "APPCUES_API_URL": far.appcues,
            "APPCUES_API_KEY": KEY,
            "APPCUES_API_SECRET": KEY_SECRET,
        }
        world = World(journey.folder, far, environ, database)
        stack.callback(world.close)
        yield Stage(clicked, world, Connector(far), free_port())


def test_an_org_moves_to_a_relay_and_every_event_is_one_event(stage):
    clicked, far = stage.clicked, stage.world.far
    able = permission_set()
    able.body["userPermissions"].update(ActivitiesAccess={"enabled": True}, EditEvent={"enabled": True})
    deploy(far, able)  # rights that the help page omits, and without which no Event can be written
    stage.completes("clicked")

    clicked.imported()
    assert clicked.journey.apply().code == 0
    stage.completes("adopted")

    journey = clicked.journey
    journey.edit("mappings/contact.yaml", "delivery: connector", "delivery: relay")
    journey.edit("sfcode.yaml", f"  - PermissionSet:{SET}\n", "")
    journey.edit("sfcode.yaml", '"FILL_IN"', '"1"')
    journey.edit("sfcode.yaml", '"https://fill-in.invalid"', f"http://127.0.0.1:{stage.port}")
    result = journey.apply()
    assert result.code == 0, result.err
    relay = stage.world.relay(stage.port)
    until(lambda: relay.answers("/readyz"), f"readiness {relay.text()[-2000:]}")
    stage.completes("applied")

    stage.title("Chief of Growth")
    until(lambda: far.profiles().get(ANA, {}).get("title") == "Chief of Growth", "the profile in Appcues")

    stage.connector.active = False
    hook = {"url": f"{relay.url}/webhooks/appcues", "auth": {"scheme": "path", "secret": WEBHOOK}}
    assert far.account.put(f"{far.appcues}/sfcode/webhook", json=hook, timeout=PATIENCE).ok
    far.arm_appcues(kind="duplicate_delivery", path="/webhooks/appcues")
    stage.completes("moved")
    until(lambda: "moved" in stage.events(), f"the Event of the relay {relay.text()[-2000:]}")
    stage.completes("later")
    until(lambda: "later" in stage.events(), "the next Event of the relay")
    assert stage.events() == ["adopted", "applied", "clicked", "later", "moved"]

    # The order of the steps matters: while connector and relay are both active, each writes an Event.
    stage.connector.active = True
    stage.completes("both")
    until(lambda: stage.events().count("both") == 2, "two Events of one event")
