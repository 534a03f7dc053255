"""The picture of the data flows: its lines, and the change of each line in the plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from sfcode.config import load
from sfcode.config.relay_config import render_relay_config
from sfcode.metadata.component import Address
from sfcode.plan.data_flows import FlowOfData, data_flows, recorded_data_flows
from sfcode.plan.document import load as read
from sfcode.plan.document import save
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan
from sfcode.plan.reports.html import html
from sfcode.plan.reports.picture import Link, Row, pictures
from sfcode.plan.risk import Judgment, Risk
from sfcode.plan.state import Applied
from tests.plan.samples import SECRETS, TARGET, build, desired, number, observed

FLOW = FlowOfData(
    mapping="contact",
    object="Contact",
    match="user",
    sent=(("Id__c", "user ID"), ("Title", "role"), ("Title", "position")),
    senders=("Flow A", "Message A"),
    written=(("nps_score", "Contact.Score__c"), ("flow_completed", "Event"), ("nps_score", "Event")),
    carrier="Relay",
)


def draw(after: FlowOfData | None, before: FlowOfData | None) -> str:
    """Return one text for each line: sign, name in Salesforce, direction, name in Appcues, and the former connection."""
    plan = Plan(TARGET, "local", "1", "63.0", Address("StaticResource", "S"), (), {})
    flows, previous_flows = ((flow,) if flow else () for flow in (after, before))
    (drawing,) = pictures(replace(plan, flows=flows, previous_flows=previous_flows))
    return "\n".join(
        f"{link.sign} {row.name} {way} {link.name}{f' was {link.was}' if link.was else ''}"
        for way, rows in (("->", drawing.sent), ("<-", drawing.written))
        for row in rows
        for link in row.links
    )


def test_all_lines_of_a_mapping_are_drawn_with_events_beside_their_targets() -> None:
    assert draw(FLOW, FLOW).splitlines() == [
        "  Contact.Id__c -> user ID",
        "  Contact.Title -> role",
        "  Contact.Title -> position",
        "  Contact.Score__c <- nps_score",
        "  Event <- flow_completed",
        "  Event <- nps_score",
    ]
    plan = Plan(TARGET, "local", "1", "63.0", Address("StaticResource", "S"), (), {}, flows=(FLOW,))
    (drawing,) = pictures(plan)
    assert drawing.written[1] == Row("Event", " ", (Link("flow_completed", " "), Link("nps_score", " ")))
    assert (drawing.senders, drawing.carrier) == (("Flow A", "Message A", "Relay"), "Relay")


def test_added_changed_and_removed_lines_are_marked() -> None:
    after = replace(
        FLOW,
        sent=(("Id__c", "user ID"), ("Role__c", "role"), ("Email", "email")),
        written=(("nps_score", "Contact.Rating__c"), ("nps_score", "Event"), ("goal_reached", "Event")),
    )
    assert draw(after, FLOW).splitlines() == [
        "  Contact.Id__c -> user ID",
        "~ Contact.Role__c -> role was Contact.Title",
        "+ Contact.Email -> email",
        "- Contact.Title -> position",
        "~ Contact.Rating__c <- nps_score was Contact.Score__c",
        "  Event <- nps_score",
        "+ Event <- goal_reached",
        "- Event <- flow_completed",
    ]


def test_a_name_that_was_connected_twice_is_no_change_but_added_and_removed() -> None:
    before = replace(FLOW, sent=(), written=(("e", "Contact.A__c"), ("e", "Contact.B__c")))
    after = replace(before, written=(("e", "Contact.C__c"),))
    assert draw(after, before).splitlines() == [
        "+ Contact.C__c <- e",
        "- Contact.A__c <- e",
        "- Contact.B__c <- e",
    ]


def test_an_added_or_removed_mapping_is_marked_as_a_whole() -> None:
    assert {line[0] for line in draw(FLOW, None).splitlines()} == {"+"}
    assert {line[0] for line in draw(None, FLOW).splitlines()} == {"-"}


def test_nothing_is_marked_if_the_last_apply_recorded_no_data_flows() -> None:
    plan = Plan(TARGET, "local", "1", "63.0", Address("StaticResource", "S"), (), {}, flows=(FLOW,))
    (drawing,) = pictures(plan)
    assert {row.sign for row in (*drawing.sent, *drawing.written)} == {drawing.sign} == {" "}


@pytest.fixture
def shipped(root: Path):
    return load(root / "config", "local")


def test_the_config_of_the_help_page_is_drawn_whole(shipped) -> None:
    contact, lead = data_flows(shipped, {"lead": (12, 3)})
    assert (contact.selected, lead.selected) == (None, (12, 3))
    assert (contact.object, lead.object, contact.match, contact.carrier) == ("Contact", "Lead", "user", "Relay")
    assert contact.sent[:2] == (("Appcues_User_Id__c", "user ID"), ("Title", "role"))
    assert contact.senders == ("Flow Appcues_contact", "Message Appcues_contact")
    assert contact.written[:3] == (
        ("nps_score", "Contact.Appcues_NPS_Score__c"),
        ("nps_feedback", "Contact.Appcues_NPS_Feedback__c"),
        ("nps_score", "Event"),
    )
    assert contact.written[-1] == ("Clicked Upgrade", "Event")


def test_recorded_data_flows_are_read_as_the_same_lines(shipped) -> None:
    """The record is read from JSON, as in the state; a record of another version is ignored without an error."""
    recorded = json.loads(json.dumps(render_relay_config(shipped)))
    by_name = {flow.mapping: flow for flow in recorded_data_flows(recorded) or ()}
    for flow in data_flows(shipped, {}):
        assert by_name[flow.mapping].written == flow.written
        assert set(by_name[flow.mapping].sent) == set(flow.sent)
    assert recorded_data_flows({"name": "Appcues", "mappings": {"contact": {"object": 1}}}) is None
    assert recorded_data_flows({}) is None


def test_a_plan_knows_the_lines_of_the_last_apply(shipped) -> None:
    a = number("A__c")
    recorded = render_relay_config(shipped)
    first = build(shipped, desired(a), observed())
    assert first.flows
    assert first.previous_flows == ()
    unrecorded = build(shipped, desired(a), observed(a, applied=(a,)))
    assert unrecorded.previous_flows is None
    snapshot = replace(observed(a), applied=Applied({a.address: a.body}, relay=recorded))
    later = build(shipped, desired(a), snapshot)
    assert {line.sign for drawing in pictures(later) for line in (*drawing.sent, *drawing.written)} == {" "}
    end = build(shipped, desired(), snapshot, mode=Mode.DESTROY)
    assert end.flows == ()
    assert {drawing.sign for drawing in pictures(end)} == {"-"}


def test_data_of_the_connector_is_not_marked_as_added(shipped) -> None:
    a = number("A__c")
    spec = shipped.mappings[0].spec.model_copy(update={"delivery": "connector"})
    by_connector = replace(shipped, mappings=(replace(shipped.mappings[0], spec=spec), *shipped.mappings[1:]))
    snapshot = replace(observed(a), applied=Applied({a.address: a.body}, relay=render_relay_config(shipped)))
    recorded = {**(render_relay_config(shipped) or {}), "mappings": {}}
    plan = build(by_connector, desired(a), replace(snapshot, applied=Applied({a.address: a.body}, relay=recorded)))
    assert {drawing.sign for drawing in pictures(plan) if drawing.carrier != "Relay"} == {" "}


@pytest.fixture
def plan(project):
    new_plan = build(project, desired(number("A__c", 4)), observed(), secrets=SECRETS)
    return replace(new_plan, flows=(FLOW,))


def test_a_saved_plan_keeps_both_sides(plan, tmp_path: Path) -> None:
    earlier = replace(FLOW, sent=())
    save(replace(plan, previous_flows=(earlier,)), tmp_path / "plan.json")
    saved = read(tmp_path / "plan.json")
    assert (saved.flows, saved.previous_flows) == ((FLOW,), (earlier,))
    save(replace(plan, previous_flows=None), tmp_path / "plan.json")
    assert read(tmp_path / "plan.json").previous_flows is None


def test_the_page_contains_the_picture_without_scripts_or_requests(plan) -> None:
    """The SVG is well formed, its signs have text alternatives, it loads nothing, and risks are shown at their changes."""
    judged = {Address.parse("CustomField:Contact.A__c"): Judgment(Risk.HIGH, "for <a> reason")}
    page = html(plan, judged)
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1:1", "")
    assert page.count('<span class="risk high">high risk</span>') == 3, "at the top, in the summary, at the change"
    assert "for &lt;a&gt; reason" in page
    assert '<a href="#change-1"><code>+&nbsp;CustomField:Contact.A__c</code></a>' in page
    assert 'id="change-1"' in page
    figure = page[page.index("<figure") : page.index("</figure>") + len("</figure>")].replace("&nbsp;", " ")
    tree = etree.fromstring(figure)
    texts = ["".join(box.itertext()) for box in tree.findall(".//li/span") if "box" in box.get("class", "")]
    assert texts[:4] == ["+ added: Contact.Id__c", "+ added: user ID", "+ added: Contact.Title", "+ added: role"]
    assert "".join(tree.find(".//div[@class='carrier']").itertext()) == "Sent to Appcues by Flow A, Message A, Relay"


def test_without_data_flows_and_risks_the_page_shows_neither(plan) -> None:
    page = html(replace(plan, flows=(), previous_flows=()))
    assert "What flows where" not in page
    assert 'class="risk' not in page
    assert "Who may do what" not in page
