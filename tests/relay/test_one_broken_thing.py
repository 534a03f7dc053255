"""
A damaged row, an invalid character or a lock affects only its own messages.

For a client that uses all resources see test_greedy_client.py, for a mapping that the org refuses
salesforce/test_mappings.py, for a read-only database test_failover.py.
"""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg
from sqlalchemy import make_url

from sfcode.relay.inbox import Filter
from tests.relay.inbox.samples import message
from tests.relay.ingress.test_messages import SENDER, notification, wire
from tests.relay.serving import ORG_ID, Relay, Served
from tests.waiting import PATIENCE, until


def done(served: Served) -> int:
    return served.service.inbox.stats().count("done")


def test_one_damaged_row_is_parked_and_the_others_are_delivered(sqlite_url: str) -> None:
    def script(served: Served) -> None:
        inbox = served.service.inbox
        inbox.accept([message(number, f"user:{number % 4}") for number in range(20)])
        with inbox._database.write() as tx:
            tx.db.exec_driver_sql("UPDATE relay_inbox SET attempts = 'x', kind = x'ff' WHERE message_id = 'm8'")
        assert served.webhook(1).status_code == 200
        until(lambda: done(served) == 20)
        stats = inbox.stats()
        assert stats.reasons == {("appcues", "parked", "unreadable"): 1}
        assert stats.count("ready") == 0

    relay = Relay(sqlite_url)
    relay.serve(script)


def test_an_invalid_character_affects_only_its_value(sqlite_url: str) -> None:
    def script(served: Served) -> None:
        until(lambda: served.get("/readyz").status_code == 200)
        ids = [("Id", "003000000000001AAA"), ("Appcues_User_Id__c", "7")]
        notes = [notification(number, (*ids, ("Title", f"T{number}"))) for number in range(1, 100)]
        notes.append(notification(100, (*ids, ("Title", "bad(tab)value"))))
        body = wire(*notes, sender=replace(SENDER, org_id=ORG_ID)).replace(b"(tab)", b"&#x0B;")
        assert served.message(body).status_code == 200
        assert served.webhook(user_id="8", attributes={"a": "\ud800", "b": "\x00", "c": "good"}).status_code == 200
        until(lambda: done(served) == 101)
        payloads = [entry.payload for entry in served.service.inbox.page(Filter(), limit=200)]
        titles = {payload["record"]["Title"] for payload in payloads if "record" in payload}
        assert titles == {f"T{number}" for number in range(1, 100)} | {"bad\ufffdvalue"}
        (event,) = (payload["event"] for payload in payloads if "event" in payload)
        assert event["attributes"] == {"a": "\ufffd", "b": "\ufffd", "c": "good"}

    Relay(sqlite_url).serve(script)


def test_a_process_that_is_frozen_in_a_transaction_stops_only_the_keys_that_it_holds(postgres_url: str) -> None:
    def script(served: Served) -> None:
        inbox = served.service.inbox
        inbox.accept([message(1, "user:u1")])
        until(lambda: done(served) == 1)
        inbox.accept([message(2, "user:u1")])
        with psycopg.connect(make_url(postgres_url).render_as_string(hide_password=False)) as frozen:
            frozen.execute("INSERT INTO relay_lanes VALUES ('appcues:user:u2', 'appcues', 'user:u2', now())")
            began = time.monotonic()
            assert [served.webhook(number).status_code for number in (2, 3, 4)] == [200] * 3
            assert time.monotonic() - began < PATIENCE / 2, "a second for each, on a machine with nothing else to do"
            until(lambda: done(served) == 4)
            assert inbox.stats().count("ready") == 1, "the message of u2 is stored"
            frozen.rollback()
        until(lambda: done(served) == 5)

    Relay(postgres_url).serve(script)
