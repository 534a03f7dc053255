"""When the relay reads the types of fields from the org, and its alarm when they are missing."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sfcode.errors import OrgUnreachable
from sfcode.relay.appcues import field_types
from sfcode.relay.appcues.field_types import REFRESH_SECONDS, FieldTypeCache, FieldTypeRefresher
from sfcode.relay.inbox import open_inbox
from tests.generate.projects import changed, project
from tests.relay.appcues.appcues_relay import CONTACT, DescribedOrg, EventRecorder

SEATS = ("Contact", "Seats__c")
MAPPING = changed(CONTACT, to_appcues={"attributes": {"seats": {"field": "Seats__c"}}})


class Setting:
    def __init__(self, inbox, mapping=MAPPING) -> None:
        self.types = FieldTypeCache(project({"contact": mapping}), inbox)
        self.recorder = EventRecorder()
        self.org = DescribedOrg({SEATS: "double"})
        self.now = 1_000.0
        self.refresher = FieldTypeRefresher(self.types, self.recorder, lambda: self.now)

    def refresh_after(self, after: float = 0.0) -> int:
        """Refresh the field types after some seconds; return the number of requests so far."""
        self.now += after
        asyncio.run(self.refresher.refresh_if_due(self.org))
        return len(self.org.asked)


@pytest.fixture
def setting(sqlite_url):
    with open_inbox(sqlite_url) as inbox:
        yield Setting(inbox)


def test_field_types_are_requested_once_and_again_after_an_hour(setting):
    assert setting.refresh_after() == 1
    assert setting.refresh_after(REFRESH_SECONDS - 1) == 1
    assert setting.refresh_after(1) == 2


def test_a_failed_request_is_repeated_at_the_next_refresh(setting, caplog):
    setting.org.error = OrgUnreachable("No connection to the org.")
    assert setting.refresh_after() == 1
    setting.org.error = KeyError("fields")
    with caplog.at_level(logging.CRITICAL):
        assert setting.refresh_after() == 2
    setting.org.error = None
    assert setting.refresh_after() == 3
    assert setting.refresh_after() == 3
    assert setting.types.mapping_views["contact"].attributes[0].kind == "number"


def test_a_waiting_message_repeats_the_request_and_raises_one_alarm(setting):
    setting.org.fields = {}
    assert setting.refresh_after() == 1
    assert setting.recorder.alarms == [], "a field that no message holds is nobody's trouble"
    setting.types.request("Contact", {"Seats__c"})
    assert setting.refresh_after() == 2
    assert setting.refresh_after() == 3
    ((name, detail),) = setting.recorder.alarms
    assert name == "field_type_unknown"
    assert "Contact.Seats__c" in detail
    setting.org.fields = {SEATS: "double"}
    assert setting.refresh_after() == 4
    assert setting.refresh_after() == 4
    assert len(setting.recorder.alarms) == 1


def test_without_unknown_fields_no_request_is_sent(sqlite_url):
    with open_inbox(sqlite_url) as inbox:
        mapping = changed(CONTACT, to_appcues={"attributes": {"role": {"field": "Title"}}})
        assert Setting(inbox, mapping).refresh_after() == 0


def test_the_cache_is_refreshed_until_it_is_stopped(setting, monkeypatch):
    monkeypatch.setattr(field_types, "POLL_SECONDS", 0.0)

    setting.org.fields = {}
    setting.types.request("Contact", {"Seats__c"})

    async def run() -> None:
        loop, twice = asyncio.get_running_loop(), asyncio.Event()
        describe = setting.org.describe

        def counted(names):
            if len(setting.org.asked) == 1:
                loop.call_soon_threadsafe(twice.set)
            return describe(names)

        setting.org.describe = counted
        task = asyncio.create_task(setting.refresher.run(setting.org))
        await asyncio.wait_for(twice.wait(), 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(run())
