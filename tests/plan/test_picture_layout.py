"""Where everything of a picture stands: boxes of both sides and between them, and the arrows that join their edges."""

from __future__ import annotations

from dataclasses import replace

from sfcode.plan.data_flows import FlowOfData
from sfcode.plan.reports.picture import MOST_LETTERS, picture

FLOW = FlowOfData(
    mapping="contact",
    object="Contact",
    match="user",
    sent=(("Id__c", "user id"), ("Title", "role")),
    senders=("Flow A", "Message A"),
    written=(("nps_score", "Contact.Score__c"), ("flow_completed", "Event"), ("nps_score", "Event")),
    carrier="Relay",
)
BOXES = [
    ("carrier", 358, 44, 244, 88, ((60.0, "Flow A"), (92.0, "Message A"), (124.0, "Relay"), (76.0, "↓"), (108.0, "↓"))),
    ("salesforce", 0, 60, 276, 24, ((76.0, "Contact.Id__c"),)),
    ("appcues", 684, 60, 276, 24, ((76.0, "user id"),)),
    ("salesforce", 0, 92, 276, 24, ((108.0, "Contact.Title"),)),
    ("appcues", 684, 92, 276, 24, ((108.0, "role"),)),
    ("carrier", 358, 156, 244, 88, ((204.0, "Relay"),)),
    ("salesforce", 0, 156, 276, 24, ((172.0, "Contact.Score__c"),)),
    ("salesforce", 0, 204, 276, 24, ((220.0, "Event"),)),
    ("appcues", 684, 156, 276, 24, ((172.0, "nps_score"),)),
    ("appcues", 684, 188, 276, 24, ((204.0, "flow_completed"),)),
    ("appcues", 684, 220, 276, 24, ((236.0, "nps_score"),)),
]
"""Kind, left edge, top, width, height, and each line of text with the height that it stands at."""
ARROWS = [
    ("out", "M 276 72 C 317 72 317 72 353 72"),
    ("out", "M 602 72 C 643 72 643 72 679 72"),
    ("out", "M 276 104 C 317 104 317 104 353 104"),
    ("out", "M 602 104 C 643 104 643 104 679 104"),
    ("back", "M 358 168 C 317 168 317 168 281 168"),
    ("back", "M 358 200 C 317 200 317 216 281 216"),
    ("back", "M 358 232 C 317 232 317 216 281 216"),
    ("back", "M 684 168 C 643 168 643 168 607 168"),
    ("back", "M 684 200 C 643 200 643 200 607 200"),
    ("back", "M 684 232 C 643 232 643 232 607 232"),
]
"""Kind, and the path from the edge of one box to just before the edge of another."""


def test_every_box_and_every_arrow_has_its_place() -> None:
    drawing = picture(FLOW)
    assert [(box.kind, box.x, box.y, box.width, box.height, box.lines) for box in drawing.boxes] == BOXES
    assert [(arrow.kind, arrow.way) for arrow in drawing.arrows] == ARROWS
    assert drawing.height == 264


def test_what_becomes_the_same_stands_together_whatever_the_order_of_the_events() -> None:
    mixed = replace(FLOW, sent=(), written=(("a", "Event"), ("b", "Contact.Score__c"), ("c", "Event")))
    names = [box.whole for box in picture(mixed).boxes if box.kind == "appcues"]
    assert names == ["a", "c", "b"]


def test_a_name_is_cut_only_where_it_does_not_fit() -> None:
    fits = "x" * MOST_LETTERS
    drawing = picture(replace(FLOW, sent=(("Id__c", fits), ("Title", f"{fits}x")), written=()))
    texts = [box.lines[0][1] for box in drawing.boxes if box.kind == "appcues"]
    assert texts == [fits, f"{fits[:-1]}…"]


def test_the_words_tell_only_what_there_is() -> None:
    words_out, words_back = picture(FLOW).words
    assert words_out == "Contact to Appcues by Flow A, Message A, Relay: Id__c as user id, Title as role."
    assert words_back.startswith(
        "Appcues to Salesforce by Relay: nps_score to Contact.Score__c, flow_completed to Event"
    )
    assert picture(replace(FLOW, written=())).words == (words_out,)
    assert picture(replace(FLOW, sent=(), senders=())).words == (words_back,)
