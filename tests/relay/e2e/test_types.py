"""Custom fields without a `type` are sent with their type in the org, also during an outage of the org."""

from __future__ import annotations

from pathlib import Path

from sfcode.metadata.component import Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import connect
from sfcode.org.results import DeployOptions
from tests.e2e.journey import Journey
from tests.relay.e2e.sender import send_all
from tests.relay.e2e.test_serve import change, settled
from tests.relay.e2e.world import world
from tests.waiting import until

API = "63.0"
FIELDS = {
    "Seats__c": {"label": "Seats", "type": "Number", "precision": 8, "scale": 0},
    "Vip__c": {"label": "VIP", "type": "Checkbox", "defaultValue": "false"},
    "Worth__c": {"label": "Worth", "type": "Currency", "precision": 16, "scale": 2},
    "Double__c": {"label": "Double", "type": "Number", "precision": 18, "scale": 0, "formula": "Seats__c * 2"},
}
MAPPED = "".join(f"\n    {name.removesuffix('__c').lower()}: {name}" for name in FIELDS)


def with_fields(journey: Journey, url: str, token: str) -> None:
    fields = [Component("CustomField", f"Contact.{name}", body) for name, body in FIELDS.items()]
    with connect(url, environ={"SF_ACCESS_TOKEN": token}, api_version=API) as org:
        deployed = org.metadata.deploy(zip_files(write(fields, API)), DeployOptions())
        result = org.metadata.follow(deployed)
    assert result.success, result.failures
    journey.edit("mappings/contact.yaml", "    plan: Plan__c", f"    plan: Plan__c{MAPPED}")


def test_custom_fields_are_sent_with_their_types(tmp_path: Path) -> None:
    with world(tmp_path, f"sqlite:///{tmp_path / 'relay.db'}", with_fields) as around:
        values = {"Seats__c": "12.0", "Vip__c": "true", "Worth__c": "1.39E8", "Double__c": "24.0", "Plan__c": "7.0"}
        relay = around.ready()
        send_all([relay.port], [change(around, "650001", "003000000000001AAA", 1, **values)])
        settled(around, 1)
        typed = {"seats": 12, "vip": True, "worth": 139_000_000, "double": 24, "plan": "7.0"}
        assert around.far.profiles()["650001"] == typed
        relay.terminate()
        relay.ended()
        around.far.arm(kind="unavailable", times=10**6)
        relay = around.relay()
        until(lambda: relay.answers("/readyz"), "readiness without Salesforce")
        send_all([relay.port], [change(around, "650002", "003000000000002AAA", 2, **values)])
        settled(around, 2)
        profile = around.far.profiles()["650002"]
        assert profile == typed
        assert profile["vip"] is True
