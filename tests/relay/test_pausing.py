"""A pause in a running relay: no deliveries, shown in the status, and ended at a heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfcode.relay.current_pauses import CurrentPauses, find_pauses
from sfcode.relay.inbox import open_inbox
from sfcode.relay.inbox.pauses import PAUSED, Pause, Scope
from sfcode.relay.message import Claim, Delivery, Retry
from tests.relay.serving import Relay, Served
from tests.waiting import until


@pytest.fixture
def relay(sqlite_url: str) -> Relay:
    """Return a relay with an inbox in which deliveries to Salesforce are paused."""
    with open_inbox(sqlite_url) as inbox:
        inbox.pause("direction", "salesforce", "ann@host")
    return Relay(sqlite_url)


def beat(served: Served) -> None:
    """Run a heartbeat now."""
    served.service.housekeeping._beat()


def test_a_pause_applies_to_a_renamed_mapping_in_any_case_of_its_name() -> None:
    pauses = CurrentPauses()
    pauses.use_names({"contact": "person", "person": "person"})
    pauses.replace([Pause("mapping", "Contact", "ann@host", datetime(2026, 1, 1, tzinfo=UTC))])
    assert pauses.mappings == {"person": "Contact"}


def test_the_pauses_of_a_mapping_are_found_by_its_present_name_and_its_former_ones() -> None:
    """Otherwise a resume by the present name would leave the pause of the former name, and the messages would wait."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    mapping_pauses = [
        Pause("mapping", name, "ann@host", at) for name in ("contact", "Person", "lead", "gone", "salesforce")
    ]
    pauses = [*mapping_pauses, Pause("direction", "salesforce", "ann@host", at)]
    names = {"contact": "Person", "person": "Person", "lead": "lead"}

    def find(scope: Scope, name: str) -> list[str]:
        return [str(pause) for pause in find_pauses(pauses, scope, name, names)]

    renamed = ["mapping contact", "mapping Person"]
    assert [find("mapping", name) for name in ("person", "Contact")] == [renamed] * 2
    assert find("mapping", "Gone") == ["mapping gone"]
    assert find("mapping", "salesforce") == ["mapping salesforce"]
    assert find("direction", "salesforce") == ["deliveries to Salesforce"]
    assert find("mapping", "other") == []


def test_a_paused_direction_delivers_nothing_and_the_other_one_goes_on(relay: Relay) -> None:
    while_paused: list[bool] = []

    def script(served: Served) -> None:
        async def act(_claim: Claim) -> None:
            while_paused.append(served.service.pauses.stops("appcues"))

        served.to_salesforce.act = act
        assert served.webhook().ok
        until(lambda: served.get("/readyz").json()["ready"])
        assert served.get("/readyz").json()["notes"] == ["paused: deliveries to Salesforce"]
        assert 'sfcode_relay_paused{name="salesforce",scope="direction"} 1.0' in served.get("/metrics").text
        assert not served.service.pauses.stops("salesforce")
        served.service.inbox.resume("direction", "salesforce", "ann@host")
        beat(served)
        until(lambda: len(served.to_salesforce.delivered) == 1)
        assert served.get("/readyz").json()["notes"] == []
        assert "sfcode_relay_paused{" not in served.get("/metrics").text

    relay.serve(script)
    assert while_paused == [False], "nothing was delivered before the resume"


def test_a_heartbeat_wakes_what_waits_for_a_resumed_mapping(sqlite_url: str) -> None:
    with open_inbox(sqlite_url) as inbox:
        inbox.pause("mapping", "contact", "ann@host")
        inbox.pause("direction", "salesforce", "ann@host")

    def script(served: Served) -> None:
        inbox = served.service.inbox
        assert served.webhook().ok
        claim = inbox.claim("appcues", limit=1, per_key=1, lease=60)
        assert claim is not None
        ends = {message.id: Retry("paused", counts=False, reason=PAUSED) for message in claim.messages}
        inbox.settle(claim, Delivery(ends), lambda _, __: timedelta(hours=1))
        beat(served)
        assert inbox.stats().counts_by_reason["appcues", "ready", PAUSED] == 1
        inbox.resume("mapping", "contact", "ann@host")
        beat(served)
        assert ("appcues", "ready", PAUSED) not in inbox.stats().counts_by_reason
        inbox.resume("direction", "salesforce", "ann@host")
        beat(served)
        until(lambda: len(served.to_salesforce.delivered) == 1)

    Relay(sqlite_url).serve(script)
