"""Campaign members: the status that is written, for any campaign and member."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sfcode.config.events_file import default_events
from sfcode.config.recipe_models import Recipes
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions import plan_rewrites
from sfcode.relay.salesforce.actions.action import ActionError, PlanContext, RecordWrite
from sfcode.relay.salesforce.actions.campaign_members import CHUNK, CampaignMembers
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event
from sfcode.relay.salesforce.lookup import LookupMatch, follow_converted, prefer_contacts
from sfcode.relay.salesforce.write_plan import MergedWrite
from tests.relay.salesforce.world import event

CAMPAIGN, PERSON, MEMBER = "701Hs000001LnYRIA0", "003000000000001AAA", "00v000000000001AAA"
STATE = f"member:Contact:{PERSON}:{MEMBER}"
STATUSES = {"Sent": 1, "registered": 3, "Attended": 4}


def action(campaign: object = CAMPAIGN, status: str = "Registered") -> CampaignMembers:
    entry = {"when": {"event": "flow_completed"}, "campaign": campaign, "status": status}
    return CampaignMembers(
        "contact (event_registration)", "Contact", Recipes(version=1, event_registration=[entry]).event_registration
    )


def statuses(campaign: str = CAMPAIGN, name: str = "Spring", **orders: int | None) -> list[dict[str, Any]]:
    orders_by_label: Mapping[str, int | None] = orders or STATUSES
    return [
        {"CampaignId": campaign, "Campaign": {"Name": name}, "Label": label, "SortOrder": order}
        for label, order in orders_by_label.items()
    ]


def member(status: str, campaign: str = CAMPAIGN) -> dict[str, Any]:
    return {"Id": MEMBER, "CampaignId": campaign, "ContactId": PERSON, "Status": status}


def completed() -> AppcuesEvent:
    event_read = read_event(event("appcues:flow_completed", flowName="Webinar"), default_events())
    assert isinstance(event_read, AppcuesEvent)
    return event_read


def plan(
    action_planned: CampaignMembers, *related: dict[str, Any], latest: Mapping[str, LatestState] | None = None
) -> list[RecordWrite]:
    return action_planned.plan(completed(), PlanContext(PERSON, latest or {}, {}, related=related))


def test_a_person_becomes_a_member_with_the_status_as_the_campaign_spells_it() -> None:
    (write,) = plan(action(), *statuses())
    assert (write.verb, write.object, write.key) == ("create", "CampaignMember", "")
    assert write.fields == {"CampaignId": CAMPAIGN, "ContactId": PERSON, "Status": "registered"}


@pytest.mark.parametrize(
    ("present", "is_written"), [("Sent", True), ("Registered", False), ("Attended", False), ("Gone", False)]
)
def test_a_member_gets_a_later_status_alone(present: str, is_written: bool) -> None:
    writes = plan(action(), *statuses(), member(present))
    assert [(write.verb, write.id, write.fields) for write in writes] == (
        [("update", MEMBER, {"Status": "registered"})] if is_written else []
    )
    for write in writes:
        assert write.newest == {"Status": LatestState(STATE, "0000000003", json.dumps("registered"))}


@pytest.mark.parametrize(("order", "is_written"), [(2, True), (3, True), (4, False)])
def test_a_status_delivered_in_the_meantime_is_not_overwritten(order: int, is_written: bool) -> None:
    states = {STATE: LatestState(STATE, f"{order:010d}")}
    assert bool(plan(action(), *statuses(), member("Sent"), latest=states)) is is_written
    related = [*statuses(), member("Sent")]
    assert list(action().state_names(completed(), PERSON, related)) == [STATE]
    assert list(action().written_states(completed(), PERSON, related)) == [STATE]


def test_a_status_that_may_have_come_late_is_written_once_more() -> None:
    (write,) = plan_rewrites(LatestState(STATE, "0000000003", json.dumps("registered")))
    assert (write.verb, write.object, write.id, write.fields) == (
        "update",
        "CampaignMember",
        MEMBER,
        {"Status": "registered"},
    )
    assert plan_rewrites(LatestState(STATE, "0000000003")) == []


@pytest.mark.parametrize("redact", [False, True])
def test_a_status_is_no_text_of_a_person(redact: bool) -> None:
    (write,) = plan(action(), *statuses(), member("Sent"))
    merged = MergedWrite(write.object, write.key, write.id, {})
    merged.merge(write)
    assert merged.states(redact=redact) == [LatestState(STATE, "0000000003", json.dumps("registered"))]


def test_membership_of_another_campaign_says_nothing() -> None:
    (write,) = plan(action(), *statuses(), member("Attended", "701Hs000001LnYSIA0"))
    assert write.verb == "create"


@pytest.mark.parametrize("key", [CAMPAIGN, CAMPAIGN[:15]])
def test_a_campaign_is_found_by_either_form_of_its_id_and_its_case(key: str) -> None:
    other_statuses = statuses(CAMPAIGN[:14] + "r" + CAMPAIGN[15:])
    (write,) = plan(action(key), *other_statuses, *statuses())
    assert write.fields["CampaignId"] == CAMPAIGN


@pytest.mark.parametrize(
    ("action", "related", "reason", "detail"),
    [
        (action(), [], "no_campaign", f"there is no campaign {CAMPAIGN}"),
        (
            action({"name": "spring"}),
            [*statuses(), *statuses("701Hs000001LnYSIA0")],
            "no_campaign",
            "several campaigns have the name spring",
        ),
        (action(status="Late"), statuses(), "no_member_status", f"the campaign {CAMPAIGN} has no status Late"),
    ],
    ids=["no campaign", "several of the name", "no status"],
)
def test_missing_campaigns_and_statuses_are_never_sent(
    action: CampaignMembers, related: list[dict[str, Any]], reason: str, detail: str
) -> None:
    with pytest.raises(ActionError) as error:
        plan(action, *related)
    assert (error.value.reason, error.value.detail) == (reason, detail)


def test_queries_quote_names_and_fit_into_an_address() -> None:
    people = [f"003{number:012d}AAA" for number in range(2 * CHUNK + 1)]
    first, *other_queries = action({"name": "Bob's"}).related_queries(people)
    assert first.endswith("FROM CampaignMemberStatus WHERE (Campaign.Name IN ('Bob\\'s'))")
    assert len(other_queries) == 3
    assert all(len(query) < 14_000 for query in other_queries)


CONTACTS = Destination("contact (event_registration)", "Contact", "user", "Key__c", recipe="event_registration")
LEADS = Destination(
    "lead (event_registration)", "Lead", "user", "Key__c", follows_conversion=True, recipe="event_registration"
)
MAPPINGS = (
    Destination("contact", "Contact", "user", "Key__c"),
    Destination("lead", "Lead", "user", "Key__c", follows_conversion=True),
)
ALL = (*MAPPINGS, CONTACTS, LEADS)


def test_a_person_who_is_a_lead_and_a_contact_registers_as_the_contact_and_both_are_written_otherwise() -> None:
    matches = {(target.name, "7"): LookupMatch((target.object,)) for target in ALL} | {
        (LEADS.name, "8"): LookupMatch(("L",))
    }
    assert prefer_contacts(ALL, matches).keys() == matches.keys() - {(LEADS.name, "7")}


def test_a_converted_lead_registers_as_its_contact_beside_what_the_mapping_writes() -> None:
    converted = LookupMatch(converted=True, contacts={"C": {"Id": "C"}})
    matches = follow_converted(ALL, {("lead", "7"): converted, (LEADS.name, "7"): converted})
    assert matches["contact", "7"].records == matches[CONTACTS.name, "7"].records == ("C",)
