"""`where` selects the records of a mapping in the org's flow, in queries, in the relay's lookup and in the plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sfcode.config import load
from sfcode.local import serve
from sfcode.metadata.component import Component
from sfcode.relay.backfill.records import select
from sfcode.relay.message import Delivered, Parked
from tests.e2e.journey import Journey
from tests.local.automation.building import Control, deploy
from tests.local.conftest import Rest
from tests.relay.salesforce.world import INTEGRATION, World, _give, event, signed_in

CUSTOMER = """\
object: Contact
where:
  RecordType: [Customer]
  LeadSource: {not: [Web, 'Partner "gold" \\ silver']}
  Department: {blank: false}
  DoNotCall: false
user_id: {field: Appcues_User_Id__c, from: Product_User_Id__c}
to_appcues:
  attributes: {role: Title}
to_salesforce:
  nps: {score: {field: Appcues_NPS_Score__c, create: true}}
"""
PARTNER = """\
object: Contact
where: {RecordType: {not: Customer}}
user_id: Appcues_User_Id__c
to_appcues:
  attributes: {role: Title}
to_salesforce:
  nps: {score: Partner_Score__c}
"""
SCORE = Component(
    "CustomField", "Contact.Partner_Score__c", {"label": "Score", "type": "Number", "precision": 2, "scale": 0}
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return an org with two record types and a mapping for the contacts of each."""
    folder = tmp_path_factory.mktemp("where")
    journey = Journey.start(folder / "project")
    mappings = folder / "project" / "config" / "mappings"
    (mappings / "lead.yaml").unlink()
    (mappings / "contact.yaml").unlink()
    (mappings / "customer.yaml").write_text(CUSTOMER, encoding="utf-8")
    (mappings / "partner.yaml").write_text(PARTNER, encoding="utf-8")
    with serve(folder / "org") as local, requests.Session() as session:
        rest = Rest(local, version="63.0", session=session)
        rights = {"Contact.Partner_Score__c": {"editable": True, "readable": True}}
        people = Component("PermissionSet", "People", {"label": "People", "fieldPermissions": rights})
        types = [
            Component("RecordType", f"Contact.{name}", {"active": True, "label": name})
            for name in ("Customer", "Partner")
        ]
        deploy(local, SCORE, people, *types)
        _give(rest, "People")
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": local.access_token}
        applied = journey.run("--org", local.url, "apply", "--auto-approve")
        assert applied.code == 0, applied.err
        _give(rest, "Appcues_Viewer")
        with signed_in(local, rest, INTEGRATION) as org:
            new_world = World(load(journey.folder / "config", "local"), local, rest, Control(rest), org)
            new_world.journey = journey
            yield new_world


def contact(world: World, user: int, **values: object) -> str:
    (account,) = world.rest.rows("SELECT Id FROM Account LIMIT 1")
    types = {row["DeveloperName"]: row["Id"] for row in world.rest.rows("SELECT Id, DeveloperName FROM RecordType")}
    defaults = {
        "LastName": f"User {user}",
        "Product_User_Id__c": user,
        "AccountId": account["Id"],
        "Department": "Sales",
    }
    record_type = types[str(values.pop("type", "Customer"))]
    return world.rest.create("Contact", **{**defaults, "RecordTypeId": record_type, **values})


def test_each_record_is_sent_by_the_mapping_whose_conditions_it_meets(world: World) -> None:
    before = len(world.control.queue)
    ids_by_name = {
        "fits": contact(world, 70001),
        "source": contact(world, 70002, LeadSource="Web"),
        "blank": contact(world, 70003, Department=None),
        "checked": contact(world, 70004, DoNotCall=True),
        "partner": contact(world, 70005, type="Partner"),
        "other source": contact(world, 70006, LeadSource="Other"),
    }
    queue = world.control.queue[before:]
    actions = {(name, entry["action"]) for entry in queue for name, id_ in ids_by_name.items() if id_ in str(entry)}
    assert actions == {
        ("fits", "Contact.Appcues_customer"),
        ("other source", "Contact.Appcues_customer"),
        ("partner", "Contact.Appcues_partner"),
    }
    for mapping in world.project.resolved:
        names = {
            name for row in world.org.query(select(mapping)) for name, id_ in ids_by_name.items() if row["Id"] == id_
        }
        assert {(name, f"Contact.{mapping.developer_name}") for name in names} == {
            pair for pair in actions if pair[1] == f"Contact.{mapping.developer_name}"
        }
    ends = world.deliver(*(event("appcues:nps_score", str(user), score=9) for user in (70001, 70002, 70005)))
    assert [type(end) for end in ends] == [Delivered, Parked, Delivered]
    assert [end.reason for end in ends if isinstance(end, Parked)] == ["unknown_user"]
    scores = "SELECT Appcues_NPS_Score__c, Partner_Score__c FROM Contact WHERE Product_User_Id__c = {}"
    assert [tuple(world.rest.rows(scores.format(user))[0].values())[1:] for user in (70001, 70002, 70005)] == [
        (9, None),
        (None, None),
        (None, 9),
    ]


def test_a_record_that_begins_to_meet_the_conditions_is_sent(world: World) -> None:
    id_ = contact(world, 70010, LeadSource="Web")
    before = len(world.control.queue)
    world.rest("PATCH", f"/sobjects/Contact/{id_}", json={"LeadSource": "Other"})
    assert [entry["action"] for entry in world.control.queue[before:]] == ["Contact.Appcues_customer"]


def test_a_plan_counts_the_records_that_meet_the_conditions(world: World) -> None:
    (account,) = world.rest.rows("SELECT COUNT(Id) n FROM Contact WHERE Product_User_Id__c != null")
    (customers,) = world.rest.rows(
        "SELECT COUNT(Id) n FROM Contact WHERE Product_User_Id__c != null AND RecordType.DeveloperName = 'Customer' "
        "AND (LeadSource = null OR LeadSource != 'Web') AND Department != null AND DoNotCall = false"
    )
    plan = world.journey.run("--org", world.local.url, "plan")
    assert plan.code == 0, plan.err
    assert (
        f"Note: {customers['n']} of {account['n']} Contact records with a user ID match `where` of mapping customer."
        in plan.out
    )
