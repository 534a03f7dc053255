"""The refusals of `sfcode relay test`, and its clean-up after a failure; tests/relay/e2e/test_serve.py sends an event."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from sfcode.cli.relay.trial import _check_org, _withdraw, choose_event
from sfcode.config import load
from sfcode.errors import Refused
from sfcode.org.identity import OrgIdentity
from sfcode.relay.inbox import Filter, open_inbox
from sfcode.relay.message import AttemptedWrite, Delivered, Delivery, InboxMessage
from tests.e2e.journey import Journey
from tests.relay.serving import ROOT
from tests.waiting import PATIENCE

SANDBOX = "https://example--uat.sandbox.my.salesforce.com"
PRODUCTION = "https://example.my.salesforce.com"


def org(url: str, *, sandbox: bool = False, edition: str = "Enterprise Edition") -> SimpleNamespace:
    identity = OrgIdentity("00D", "ann@example.com", "005", url, "Example", sandbox, edition, "63.0")
    return SimpleNamespace(identity=identity)


def test_a_production_org_is_refused_unless_it_is_allowed():
    project = load(ROOT / "config", "local")
    for harmless in (
        org(SANDBOX, sandbox=True),
        org(PRODUCTION, edition="Developer Edition"),
        org("http://127.0.0.1:8080"),
    ):
        _check_org(project, harmless, allow_production=False)
    with pytest.raises(Refused, match="production org"):
        _check_org(project, org(PRODUCTION), allow_production=False)
    _check_org(project, org(PRODUCTION), allow_production=True)


def test_the_event_is_one_that_only_logs_an_activity(tmp_path):
    assert choose_event(load(ROOT / "config", "local")) == "flow_completed"
    journey = Journey.start(tmp_path)
    for name in ("contact", "lead", "account"):
        path = journey.folder / "config" / "mappings" / f"{name}.yaml"
        if path.exists():
            text = path.read_text(encoding="utf-8")
            head, _, rest = text.partition("  activities:\n")
            lines = rest.splitlines(keepends=True)
            while lines and lines[0].startswith("    "):
                lines.pop(0)
            path.write_text(head + "".join(lines), encoding="utf-8")
    with pytest.raises(Refused, match="No mapping logs an activity"):
        choose_event(load(journey.folder / "config", "local"))


def test_messages_of_a_failed_trial_are_discarded_and_its_activities_removed(tmp_path):
    removed, is_looked_at = [], threading.Event()
    with open_inbox(f"sqlite:///{tmp_path / 'relay.db'}") as inbox, ThreadPoolExecutor(1) as pool:
        inbox.accept([InboxMessage("appcues", "delivered", "user:1", "kind", {})])
        claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
        inbox.accept(
            [
                InboxMessage("appcues", "waiting", "user:2", "kind", {}),
                InboxMessage("appcues", "parked", "user:3", "kind", {}, parked="unknown_user"),
                InboxMessage("appcues", "of somebody else", "user:4", "kind", {}),
            ]
        )
        own = {entry.id: entry.message_id for entry in inbox.page(Filter()) if entry.message_id != "of somebody else"}

        def find(id_: int):
            stored = inbox.find(id_)
            is_looked_at.set()
            return stored

        watched = SimpleNamespace(find=find, discard=inbox.discard)
        org = SimpleNamespace(delete=lambda *record: removed.append(record))
        withdrawal = pool.submit(_withdraw, watched, org, tuple(own))
        assert is_looked_at.wait(PATIENCE)
        # The message is delivered only now, while the test withdraws it.
        writes = (
            AttemptedWrite("upsert", "Event", (), "ok", "", "00U000000000001AAA"),
            AttemptedWrite("update", "Contact", (), "ok", "", "003000000000001AAA"),
            AttemptedWrite("upsert", "Event", (), "UNABLE_TO_LOCK_ROW", "", ""),
        )
        (number,) = (message.id for message in claim.messages)
        inbox.settle(claim, Delivery({number: Delivered()}, writes={number: writes}), lambda *_: None)
        withdrawal.result(PATIENCE)
        reasons = {entry.message_id: (entry.state, entry.reason) for entry in inbox.page(Filter())}
    assert reasons == {
        "delivered": ("done", ""),
        "waiting": ("done", "discarded"),
        "parked": ("done", "discarded"),
        "of somebody else": ("ready", ""),
    }
    assert removed == [("Event", "00U000000000001AAA")]
