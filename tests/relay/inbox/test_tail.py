"""The events of `sfcode relay tail`: each new message and each end, once."""

from __future__ import annotations

from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.message import Delivered, Parked
from sfcode.relay.tail import MessageChange, change_document, follow, render_change
from tests.relay.inbox.conftest import Clock, Elapse
from tests.relay.inbox.samples import message, settle, take


def summarize(changes: list[MessageChange]) -> list[tuple[str, int, str]]:
    return [(change.kind, change.entry.payload["number"], change.entry.state) for change in changes]


def test_each_change_is_returned_once(inbox: Inbox, elapse: Elapse) -> None:
    inbox.accept([message(0, "user:0", parked="odd")])
    elapse(60)
    looks = follow(inbox)
    assert next(looks) == []
    inbox.accept([message(1, "user:1"), message(2, "user:2", parked="odd")])
    assert summarize(next(looks)) == [("received", 1, "ready"), ("received", 2, "parked"), ("ended", 2, "parked")]
    assert next(looks) == []
    settle(inbox, take(inbox), Delivered("note"))
    (change,) = next(looks)
    assert summarize([change]) == [("ended", 1, "done")]
    assert render_change(change, lambda _: "now") == f"now  {change.entry.id}  appcues  nps_score  done: note"
    document = change_document(change)
    assert (document["change"], document["state"], document["detail"]) == ("ended", "done", "note")
    assert next(looks) == []


def test_a_second_end_of_a_message_is_returned_too(inbox: Inbox, clock: Clock) -> None:
    looks = follow(inbox)
    next(looks)
    inbox.accept([message(1)])
    settle(inbox, take(inbox), Parked("odd"))
    assert summarize(next(looks)) == [("received", 1, "parked"), ("ended", 1, "parked")]
    clock.elapse(1)  # has no effect on PostgreSQL, which has its own clock
    inbox.replay(Filter())
    settle(inbox, take(inbox), Delivered())
    assert summarize(next(looks)) == [("ended", 1, "done")]
