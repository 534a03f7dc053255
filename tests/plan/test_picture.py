"""The picture of what flows where: what is in it, and that it says the same in words."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from sfcode.config import load
from sfcode.metadata.component import Address
from sfcode.plan.data_flows import FlowOfData, data_flows
from sfcode.plan.document import load as read
from sfcode.plan.document import save
from sfcode.plan.reports.html import html
from sfcode.plan.reports.picture import MOST_LETTERS, SIDE, WIDTH, Picture, picture
from sfcode.plan.risk import Judgment, Risk
from tests.plan.samples import SECRETS, build, desired, number, observed

FLOW = FlowOfData(
    mapping="contact",
    object="Contact",
    match="user",
    sent=(("Id__c", "user id"), ("Title", "role"), ("Title", "position")),
    senders=("Flow A", "Message A"),
    written=(("nps_score", "Contact.Score__c"), ("flow_completed", "Event"), ("nps_score", "Event")),
    carrier="Relay",
)


def named(drawing: Picture, kind: str) -> list[tuple[float, str]]:
    return [(box.y, box.whole) for box in drawing.boxes if box.kind == kind]


def test_a_field_stands_beside_its_attribute() -> None:
    """One row for each pair, also where a field is sent twice."""
    drawing = picture(replace(FLOW, written=()))
    left, right = named(drawing, "salesforce"), named(drawing, "appcues")
    assert [name for _, name in left] == ["Contact.Id__c", "Contact.Title", "Contact.Title"]
    assert [name for _, name in right] == ["user id", "role", "position"]
    assert [y for y, _ in left] == [y for y, _ in right]
    assert named(drawing, "carrier")[0][1] == "Flow A, Message A, Relay"
    assert len(drawing.arrows) == 6


def test_events_lead_to_what_they_become() -> None:
    """Each event has a row of its own; what several become stands once, beside the middle of them."""
    drawing = picture(replace(FLOW, sent=(), senders=()))
    left, right = dict(reversed(pair) for pair in named(drawing, "salesforce")), named(drawing, "appcues")
    assert [name for _, name in right] == ["nps_score", "flow_completed", "nps_score"]
    ys = [y for y, _ in right]
    assert left == {"Contact.Score__c": ys[0], "Event": (ys[1] + ys[2]) / 2}
    assert {arrow.kind for arrow in drawing.arrows} == {"back"}


def test_nothing_stands_outside_or_over_another() -> None:
    drawing = picture(FLOW)
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.x + box.width <= WIDTH
        assert box.y + box.height <= drawing.height
    for kind in ("salesforce", "appcues", "carrier"):
        column = sorted((box.y, box.y + box.height) for box in drawing.boxes if box.kind == kind)
        assert all(upper[1] <= lower[0] for upper, lower in itertools.pairwise(column))


def test_a_long_name_is_cut_and_still_there_whole() -> None:
    name = "Appcues_" + "x" * 40 + "__c"
    drawing = picture(replace(FLOW, sent=((name, "role"),), written=()))
    (box,) = [box for box in drawing.boxes if box.kind == "salesforce"]
    assert len(box.lines[0][1]) == MOST_LETTERS
    assert (box.whole, box.width) == (f"Contact.{name}", SIDE)


def test_it_says_the_same_in_words() -> None:
    assert picture(FLOW).words == (
        "Contact to Appcues by Flow A, Message A, Relay: Id__c as user id, Title as role, Title as position.",
        "Appcues to Salesforce by Relay: nps_score to Contact.Score__c, flow_completed to Event, nps_score to Event.",
    )


@pytest.fixture
def shipped(root: Path):
    return load(root / "config", "local")


def test_the_config_of_the_help_page_is_drawn_whole(shipped) -> None:
    contact, lead = data_flows(shipped, {"lead": (12, 3)})
    assert (contact.selected, lead.selected) == (None, (12, 3))
    assert (contact.object, lead.object, contact.match, contact.carrier) == ("Contact", "Lead", "user", "Relay")
    assert contact.sent[:2] == (("Appcues_User_Id__c", "user id"), ("Title", "role"))
    assert contact.senders == ("Flow Appcues_contact", "Message Appcues_contact")
    assert contact.written[:3] == (
        ("nps_score", "Contact.Appcues_NPS_Score__c"),
        ("nps_feedback", "Contact.Appcues_NPS_Feedback__c"),
        ("nps_score", "Event"),
    )
    assert contact.written[-1] == ("Clicked Upgrade", "Event")


@pytest.fixture
def plan(project):
    new_plan = build(project, desired(number("A__c", 4)), observed(), secrets=SECRETS)
    return replace(new_plan, flows=(FLOW,))


def test_a_saved_plan_keeps_it(plan, tmp_path: Path) -> None:
    save(plan, tmp_path / "plan.json")
    assert read(tmp_path / "plan.json").flows == (FLOW,)
    document = json.loads((tmp_path / "plan.json").read_text())
    assert document["flows"][0]["sent"][0] == ["Id__c", "user id"]


def test_the_page_holds_it_without_a_script_or_a_request(plan) -> None:
    """Well formed, with a text for those who do not see it, and nothing from elsewhere; risks stand at their changes."""
    judged = {Address.parse("CustomField:Contact.A__c"): Judgment(Risk.HIGH, "for <a> reason")}
    page = html(plan, judged)
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1:1", "")
    assert 'aria-label="Contact to Appcues by Flow A, Message A, Relay: Id__c as user id' in page
    assert page.count('<span class="risk high">high risk</span>') == 2
    assert "for &lt;a&gt; reason" in page
    figure = page[page.index("<figure>") : page.index("</figure>") + len("</figure>")]
    assert len(etree.fromstring(figure).findall(".//rect")) == len(picture(FLOW).boxes)


def test_without_what_flows_and_without_risks_there_is_neither(plan) -> None:
    page = html(replace(plan, flows=()))
    assert "What flows where" not in page
    assert 'class="risk' not in page
