"""Event registration, from an event of Appcues to the report of campaign members."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sfcode.metadata.component import Address
from sfcode.relay.message import Delivered, Parked
from tests.e2e.journey import Journey
from tests.e2e.org import component, deploy
from tests.e2e.recipes import with_recipes
from tests.e2e.test_recipe_reports import groups, report
from tests.relay.salesforce.world import World, event

RECIPE = """\
event_registration:
  - when: {event: flow_completed, flow: [Sign-up, f-7]}
    campaign: {name: "Spring, webinar", create: true}
    status: Registered
  - when: {event: form_submitted, form: [form-1]}
    campaign: {name: "Spring, webinar", create: true}
    status: Registered
  - when: {event: click_to_track, name: [Joined webinar]}
    campaign: {name: "Spring, webinar", create: true}
    status: Attended
"""
SIGN_UP = {"flowName": "Sign-up", "flowId": "f-1"}
JOINED = "Joined webinar"
ONES_OWN = {"Campaign": {"Name": "Mine"}, "CampaignMemberStatus": {"CampaignId": "701000000000000", "Label": "Mine"}}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Journey]]:
    with with_recipes(tmp_path_factory.mktemp("registrations"), RECIPE) as world_and_journey:
        yield world_and_journey


@pytest.fixture
def world(applied: tuple[World, Journey]) -> Iterator[World]:
    world = applied[0]
    world.latest.clear()
    yield world
    if ids := [row["Id"] for row in world.rest.rows("SELECT Id FROM CampaignMember")]:
        world.rest("DELETE", f"/composite/sobjects?ids={','.join(ids)}")


def members(world: World) -> list[tuple[str, str, bool]]:
    """Return the user IDs of members with their kind, status, and whether they count as a response."""
    rows = world.rest.rows(
        "SELECT Type, Status, HasResponded, Contact.Product_User_Id__c, Lead.Product_User_Id__c FROM CampaignMember"
    )
    people = [(row["Contact"] or row["Lead"])["Product_User_Id__c"] for row in rows]
    return sorted(
        (f"{row['Type']} {person:.0f}", row["Status"], row["HasResponded"])
        for row, person in zip(rows, people, strict=True)
    )


def count_people(world: World) -> int:
    return sum(world.rest.value(f"SELECT COUNT(Id) FROM {name}") for name in ("Contact", "Lead"))


def lead(world: World) -> str:
    """Return the user ID of a lead that is not a contact's."""
    contact_ids = {row["Product_User_Id__c"] for row in world.rest.rows("SELECT Product_User_Id__c FROM Contact")}
    rows = world.rest.rows(
        "SELECT Product_User_Id__c FROM Lead WHERE Product_User_Id__c != null AND IsConverted = false"
    )
    ids = [row["Product_User_Id__c"] for row in rows]
    return f"{next(candidate for candidate in ids if candidate not in contact_ids and ids.count(candidate) == 1):.0f}"


def test_an_apply_creates_the_campaign_and_its_statuses_in_order(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    rows = world.rest.rows(
        "SELECT Label, HasResponded, IsDefault, Campaign.Name, Campaign.IsActive FROM CampaignMemberStatus ORDER BY SortOrder"
    )
    assert [(row["Label"], row["HasResponded"], row["IsDefault"]) for row in rows] == [
        ("Sent", False, True),
        ("Responded", True, False),
        ("Registered", True, False),
        ("Attended", True, False),
    ]
    assert {(row["Campaign"]["Name"], row["Campaign"]["IsActive"]) for row in rows} == {("Spring, webinar", True)}
    plan = journey.run("--org", world.local.url, "plan", "--detailed-exitcode")
    assert plan.code == 0, plan.out


def test_a_completed_flow_a_form_and_a_click_each_add_a_campaign_member(world: World) -> None:
    people, lead_user = count_people(world), lead(world)
    ends = world.deliver(
        event("appcues:flow_completed", "10001", **SIGN_UP),
        event("appcues:flow_completed", "10002", flowName="Renamed", flowId="f-7"),
        event("appcues:flow_completed", "10003", flowName="Another"),
        event("appcues:form_submitted", lead_user, flowName="Form flow", interaction={"formId": "form-1"}),
        event("appcues:form_submitted", "10003", flowName="Form flow", interaction={"formId": "form-2"}),
        event(JOINED, "10004"),
        event("Joined another", "10003"),
    )
    assert {type(end) for end in ends} == {Delivered}
    assert members(world) == [
        ("Contact 10001", "Registered", True),
        ("Contact 10002", "Registered", True),
        ("Contact 10004", "Attended", True),
        (f"Lead {lead_user}", "Registered", True),
    ]
    assert count_people(world) == people


@pytest.mark.parametrize("claims", [1, 2, 3], ids=["one claim", "two claims", "each repeated after a restart"])
@pytest.mark.parametrize("first", [0, 1], ids=["in order", "out of order"])
def test_a_member_never_goes_back_from_a_later_status(world: World, claims: int, first: int) -> None:
    messages = [event("appcues:flow_completed", "10001", **SIGN_UP), event(JOINED, "10001", at=60)]
    messages = messages[first:] + messages[:first]
    if claims == 1:
        world.deliver(*messages)
    for message in messages * (claims - 1):
        world.deliver(message)
        if claims == 3:
            world.latest.clear()
    assert members(world) == [("Contact 10001", "Attended", True)]


def test_a_member_added_by_others_gets_a_later_status_and_keeps_a_status_after_it(world: World) -> None:
    campaign = world.rest.value("SELECT Id FROM Campaign WHERE Name = 'Spring, webinar'")
    withdrawn = world.rest.create("CampaignMemberStatus", CampaignId=campaign, Label="Withdrawn", SortOrder=90)
    for user, status in (("10001", "Sent"), ("10002", "Withdrawn")):
        (person,) = world.rest.rows(f"SELECT Id FROM Contact WHERE Product_User_Id__c = {user}")
        world.rest.create("CampaignMember", CampaignId=campaign, ContactId=person["Id"], Status=status)
    world.deliver(*(event("appcues:flow_completed", user, **SIGN_UP) for user in ("10001", "10002")))
    members_found = members(world)
    for row in world.rest.rows("SELECT Id FROM CampaignMember"):
        world.rest("DELETE", f"/sobjects/CampaignMember/{row['Id']}")
    world.rest("DELETE", f"/sobjects/CampaignMemberStatus/{withdrawn}")
    assert members_found == [("Contact 10001", "Registered", True), ("Contact 10002", "Withdrawn", False)]


def test_a_person_who_is_a_lead_and_a_contact_is_one_member(world: World) -> None:
    twin = world.rest.create("Lead", LastName="Twin", Company="Twin", Product_User_Id__c=10001)
    world.deliver(event("appcues:flow_completed", "10001", **SIGN_UP))
    members_found = members(world)
    world.rest("DELETE", f"/sobjects/Lead/{twin}")
    assert members_found == [("Contact 10001", "Registered", True)]


def test_an_unknown_user_creates_no_record(world: World) -> None:
    people = count_people(world)
    (end,) = world.deliver(event(JOINED, "stranger"))
    assert isinstance(end, Parked)
    assert (end.reason, end.detail) == ("unknown_user", "nobody in contact, lead has this ID")
    assert (members(world), count_people(world)) == ([], people)


def test_a_deleted_status_is_not_sent_and_is_created_again_by_apply(
    world: World, applied: tuple[World, Journey]
) -> None:
    journey = applied[1]
    statuses = world.rest.rows("SELECT Id FROM CampaignMemberStatus WHERE Label IN ('Registered', 'Attended')")
    for status in statuses:
        assert world.rest("DELETE", f"/sobjects/CampaignMemberStatus/{status['Id']}").status_code == 204
    message = event("appcues:flow_completed", "10001", **SIGN_UP)
    (end,) = world.deliver(message)
    assert isinstance(end, Parked)
    assert (end.reason, end.detail) == (
        "no_member_status",
        "the campaign Spring, webinar has no status Registered",
    )
    assert members(world) == []
    # The other writes of the event are done.
    assert world.events("Subject LIKE '%Sign-up%'")
    plan = journey.run("--org", world.local.url, "plan", "--format", "json")
    changes = {entry["address"]: entry["change"]["actions"] for entry in plan.json["resource_changes"]}
    assert {key for key, actions in changes.items() if actions != ["no-op"]} == {
        "CampaignMemberStatus:Spring, webinar/Attended",
        "CampaignMemberStatus:Spring, webinar/Registered",
    }
    assert journey.run("--org", world.local.url, "apply", "--auto-approve").code == 0
    world.deliver(message)
    assert members(world) == [("Contact 10001", "Registered", True)]


def test_a_member_added_by_others_during_a_delivery_is_found_at_the_next_attempt(world: World) -> None:
    campaign = world.rest.value("SELECT Id FROM Campaign WHERE Name = 'Spring, webinar'")
    (person,) = world.rest.rows("SELECT Id FROM Contact WHERE Product_User_Id__c = 10001")
    create = world.writer.calls.org.collections.create

    def race(*arguments: Any) -> Any:
        world.rest.create("CampaignMember", CampaignId=campaign, ContactId=person["Id"], Status="Sent")
        world.writer.calls.org.collections.create = create
        return create(*arguments)

    world.writer.calls.org.collections.create = race
    message = event("appcues:flow_completed", "10001", **SIGN_UP)
    (end,) = world.deliver(message)
    assert not isinstance(end, Delivered | Parked)
    assert world.deliver(message) == [Delivered()]
    assert members(world) == [("Contact 10001", "Registered", True)]


def test_an_org_without_campaigns_gets_all_other_writes(applied: tuple[World, Journey], world: World) -> None:
    granted = component(world.local, Address("PermissionSet", "Appcues_Integration"))
    assert granted is not None
    objects = granted.body["objectPermissions"]
    assert isinstance(objects, dict)
    less = {name: rights for name, rights in objects.items() if name != "Campaign"}
    deploy(world.local, replace(granted, body={**granted.body, "objectPermissions": less}))
    message, mapping = event("appcues:flow_completed", "10001", **SIGN_UP), "contact (event_registration)"
    try:
        (end,) = world.deliver(message, writer=world.fresh_writer())
    finally:
        deploy(world.local, granted)
    assert end == Delivered(f"waits for mapping {mapping}")
    assert world.recorder.alarms[-1][0] == "salesforce_access"
    assert len(world.events(f"Appcues_Event_Id__c LIKE '{message.message_id}:%'")) == 1
    assert members(world) == []
    (part,) = (followup.message for followup in world.followups)
    world.deliver(replace(message, key=part.key, payload=part.payload), writer=world.fresh_writer())
    assert members(world) == [("Contact 10001", "Registered", True)]


def test_the_report_counts_members_by_status(world: World) -> None:
    second_campaign = world.rest.create("Campaign", Name="Another")
    (person,) = world.rest.rows("SELECT Id FROM Contact WHERE Product_User_Id__c = 10001")
    world.rest.create("CampaignMember", CampaignId=second_campaign, ContactId=person["Id"])
    registered, attended = ["10001", "10002", "10003", "10004", lead(world)], ["10002", "10004"]
    world.deliver(
        *(event("appcues:flow_completed", user, **SIGN_UP) for user in registered),
        *(event(JOINED, user, at=60) for user in attended),
    )
    document = report(world, "Event_Registrations", includeDetails="true")
    assert groups(document) == {"Spring, webinar": (len(registered),)}
    (campaign,) = document["groupingsDown"]["groupings"]
    by_status = {
        group["label"]: document["factMap"][f"{group['key']}!T"]["aggregates"][0]["value"]
        for group in campaign["groupings"]
    }
    assert by_status == {"Registered": len(registered) - len(attended), "Attended": len(attended)}
    kinds = Counter(row["dataCells"][4]["label"] for fact in document["factMap"].values() for row in fact["rows"])
    assert kinds == {"Contact": 4, "Lead": 1}
    world.rest("DELETE", f"/sobjects/Campaign/{second_campaign}")


def test_a_registration_is_explained_before_it_is_written(applied: tuple[World, Journey], world: World) -> None:
    journey = applied[1]
    body = {"name": JOINED, "user_id": "10001", "timestamp": "2026-11-23T12:00:00Z"}
    (journey.folder / "event.json").write_text(json.dumps([body]), encoding="utf-8")
    environ = journey.environ
    token = world.rest.session.post(
        f"{world.local.url}/services/sfcode/tokens", json={"username": "appcues.integration@example.com.local"}
    )
    journey.environ = {**environ, "SF_ACCESS_TOKEN": token.json()["access_token"]}
    result = journey.run("--org", world.local.url, "relay", "explain", "event.json")
    journey.environ = environ
    assert result.code == 0, result.err
    assert "  create CampaignMember\n    CampaignId = 701" in result.out
    assert "    Status = Attended\n" in result.out
    assert members(world) == []


def test_removing_the_recipe_deletes_its_components_and_keeps_the_campaign(
    applied: tuple[World, Journey], world: World
) -> None:
    journey = applied[1]
    world.deliver(event(JOINED, "10001"))
    path = journey.folder / "config" / "recipes.yaml"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    plan = journey.run("--org", world.local.url, "plan", "--format", "json")
    path.write_text(text, encoding="utf-8")
    changes = {entry["address"]: entry["change"]["actions"][0] for entry in plan.json["resource_changes"]}
    assert {key: action for key, action in changes.items() if action != "no-op"} == {
        "PermissionSet:Appcues_Integration": "update",
        "Report:Appcues/Event_Registrations": "delete",
        "ReportFolder:Appcues": "delete",
    }
    assert "Campaign" not in journey.run("--org", world.local.url, "state", "list").out
    for command in (("plan", "--destroy"), ("rollback",)):
        undone = journey.run("--org", world.local.url, *command)
        assert undone.out
        assert not re.search(r"# Campaign\w*:", undone.out), undone.out


def test_a_user_without_the_marketing_user_feature_is_refused_before_any_write(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    path = journey.folder / "config" / "recipes.yaml"
    text = path.read_text(encoding="utf-8")
    admin = world.rest.value("SELECT Id FROM User WHERE Username = 'admin@northwind.example'")
    path.write_text(text.replace("status: Attended", "status: Late"), encoding="utf-8")
    world.rest("PATCH", f"/sobjects/User/{admin}", json={"UserPermissionsMarketingUser": False})
    result = journey.run("--org", world.local.url, "apply", "--auto-approve")
    answers = [world.rest("POST", f"/sobjects/{name}", json=values) for name, values in ONES_OWN.items()]
    world.rest("PATCH", f"/sobjects/User/{admin}", json={"UserPermissionsMarketingUser": True})
    path.write_text(text.replace('{name: "Spring, webinar", create: true}', "{name: Unknown}"), encoding="utf-8")
    unknown = journey.run("--org", world.local.url, "apply", "--auto-approve")
    path.write_text(text, encoding="utf-8")
    assert [(answer.status_code, answer.json()[0]["errorCode"]) for answer in answers] == [
        (400, "INVALID_TYPE_FOR_OPERATION")
    ] * len(ONES_OWN)
    assert result.code == 1
    needs = "needs the feature license Marketing User, which the user admin@northwind.example does not have"
    assert f"CampaignMemberStatus:Spring, webinar/Late {needs}" in " ".join((result.out + result.err).split())
    assert unknown.code == 1
    assert "needs the campaign Unknown, which this org does not have" in " ".join((unknown.out + unknown.err).split())


def test_a_campaign_status_that_would_follow_a_later_one_is_refused(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    path = journey.folder / "config" / "recipes.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("status: Registered", "status: Invited"), encoding="utf-8")
    result = journey.run("--org", world.local.url, "apply", "--auto-approve")
    path.write_text(text, encoding="utf-8")
    assert result.code == 1
    refused = "needs the place before the status Attended, which the campaign Spring, webinar does not have"
    assert f"CampaignMemberStatus:Spring, webinar/Invited {refused}" in " ".join((result.out + result.err).split())
