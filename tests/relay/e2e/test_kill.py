"""
Thousands of messages in both directions, with every kind of failure.

Relays are killed, and suspended beyond their leases. The database is restarted, locked by idle transactions, and read
for a long time. Salesforce and Appcues fail at random. Senders repeat requests until they are answered, and sometimes
afterwards. In the end every Event exists exactly once, every profile and every score has its latest value, and no
message is lost, parked or given up. `make chaos` runs ten times as many messages.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sfcode.relay.inbox import Filter
from tests.e2e.org import show_fields
from tests.relay.e2e import traffic
from tests.relay.e2e.sender import Sender
from tests.relay.e2e.trouble import Database, Mode, PostgresqlServer, SqliteFile, Trouble
from tests.relay.e2e.world import World, world
from tests.relay.postgres import own_server
from tests.waiting import free_port, until

SEED = 20261123
TIMES = int(os.environ.get("CHAOS", "1"))
"""The factor for the size of the test; `make test` uses 1."""
EACH_WAY = 1_500 * TIMES
PEOPLE = 200
KILLS = 15 * TIMES
FREEZES = 2 * TIMES
RESTARTS: list[Mode] = [*("fast", "immediate") * TIMES]
LOCKS = 2 * TIMES
PER_SECOND = 400.0
HALVED_IN = 300.0 * TIMES
"""The time limit in seconds for half of the remaining messages. There is no limit for all of them, since that depends
on the machine."""
MARKER = re.compile(r"marker-[0-9]+\.")


def test_nothing_is_lost_or_doubled_with_one_process_on_sqlite(
    tmp_path: Path, sqlite_url: str, record_property
) -> None:
    run(tmp_path, SqliteFile(sqlite_url), 1, record_property)


def test_nothing_is_lost_or_doubled_with_three_processes_on_postgresql(tmp_path: Path, record_property) -> None:
    with own_server("fsync = off") as server:
        run(tmp_path, PostgresqlServer(server), 3, record_property)


def run(folder: Path, database: Database, processes: int, record_property: Callable[[str, object], None]) -> None:
    rng = random.Random(SEED)
    with world(folder, database.url) as around:
        figures = asyncio.run(storm(around, database, rng, processes))
    record_property("figures", f"{processes} relay(s) on {database.url.partition(':')[0]}, seed {SEED}: {figures}")


async def storm(around: World, database: Database, rng: random.Random, processes: int) -> str:
    started = time.monotonic()
    expected = traffic.Expected()
    people = traffic.users(PEOPLE)
    contacts = await asyncio.to_thread(around.contacts, people)
    hooks = traffic.webhooks(rng, EACH_WAY, people, around.webhook_path, expected)
    changes = traffic.outbound(rng, EACH_WAY, contacts, expected, org=around.far.org_id, path=around.outbound_path)
    await asyncio.to_thread(arm, around, rng)
    prepared = time.monotonic()
    ports = [free_port() for _ in range(processes)]
    with around.inbox() as inbox:  # creates the tables, which are then locked and read
        assert open_messages(inbox) == 0
    trouble = Trouble(around, database, ports, random.Random(rng.random()))
    restarts = RESTARTS if isinstance(database, PostgresqlServer) else ()
    troubling = asyncio.create_task(trouble.make(KILLS, FREEZES, restarts, LOCKS))
    senders = [Sender(ports, random.Random(rng.random())) for _ in range(2)]
    await asyncio.gather(
        *(
            sender.send(posts, lanes=8, per_second=PER_SECOND / 2)
            for sender, posts in zip(senders, (hooks, changes), strict=True)
        )
    )
    sent_at = time.monotonic()
    await troubling
    troubled = time.monotonic()
    with around.inbox() as inbox:
        await asyncio.to_thread(wait_until_empty, inbox)
        stats = inbox.stats()
        # The relay writes the states again that a killed process may have been writing, with additional messages.
        rewrites = len(inbox.page(Filter(kind="sfcode:rewrite"), 100_000))
    drained = time.monotonic()
    assert stats.count("done") - rewrites == 2 * EACH_WAY, stats
    assert stats.reasons == {}
    await asyncio.to_thread(check_salesforce, around, expected, contacts)
    check_appcues(around, expected)
    checked = time.monotonic()
    tally = [sender.tally for sender in senders]
    return (
        f"{2 * EACH_WAY} messages in {sum(totals.posts for totals in tally)} requests, "
        f"{sum(totals.again for totals in tally)} sent twice, {sum(totals.broken for totals in tally)} connections broken, "
        f"{sum(totals.refused for totals in tally)} refusals, {', '.join(f'{count} {kind}' for kind, count in trouble.tally.items())}; {expected.events} Events exactly once, "
        f"{len(expected.profiles)} profiles and {len(expected.scores)} scores at their latest, 0 lost; "
        f"prepared in {prepared - started:.1f} s, sent in {sent_at - prepared:.1f} s, last trouble {troubled - prepared:.1f} s, "
        f"drained {drained - troubled:.1f} s later, checked in {checked - drained:.1f} s"
    )


def arm(around: World, rng: random.Random) -> None:
    def fault(kind: str, probability: float, **more: object) -> dict[str, object]:
        return {"kind": kind, "probability": probability, "seed": rng.randrange(2**31), **more}

    data = "/services/data/*"
    around.far.arm(**fault("unavailable", 0.03, path=data))
    around.far.arm(**fault("drop", 0.01, path=data))
    around.far.arm(**fault("drop_after", 0.03, path=data))
    around.far.arm(**fault("session_expired", 0.01, path=data))
    around.far.arm(**fault("row_lock", 0.005, object="Event"))
    around.far.arm(**fault("row_lock", 0.005, object="Contact"))
    around.far.arm_appcues(**fault("unavailable", 0.03))
    around.far.arm_appcues(**fault("rate_limit", 0.01))
    around.far.arm_appcues(**fault("drop", 0.02))
    around.far.arm_appcues(**fault("drop_after", 0.03))


def wait_until_empty(inbox) -> None:
    while left := open_messages(inbox):
        until(lambda half=left // 2: open_messages(inbox) <= half, f"an end of half of {left} messages", HALVED_IN)


def open_messages(inbox) -> int:
    """
    Count waiting messages, and claims whose calls may still arrive.

    One statement counts both: between two, a waiting message could become a claim and be counted in neither.
    """
    messages, intents = "relay_inbox WHERE finished_at IS NULL", "relay_intents"
    with inbox._database.read() as tx:
        query = f"SELECT (SELECT count(*) FROM {messages}) + (SELECT count(*) FROM {intents})"
        return int(tx.db.exec_driver_sql(query).scalar_one())


def check_salesforce(around: World, expected: traffic.Expected, contacts: dict[str, str]) -> None:
    around.far.remove_faults()
    show_fields(around.far)
    owners = {contact: user for user, contact in contacts.items()}
    records = around.far.rows("SELECT WhoId, Subject, Description, Appcues_Event_Id__c FROM Event")
    events = [row for row in records if row["WhoId"] in owners]
    assert len({row["Appcues_Event_Id__c"] for row in events}) == len(events) == expected.events
    texts = [set(MARKER.findall(f"{row['Subject']} {row['Description']}")) for row in events]
    marker_counts = Counter(marker for text in texts for marker in text)
    assert set(marker_counts) == expected.markers
    assert set(marker_counts.values()) == {1}
    rows = around.far.rows("SELECT Id, Appcues_NPS_Score__c FROM Contact WHERE Appcues_NPS_Score__c != null")
    scores = {owners[row["Id"]]: row["Appcues_NPS_Score__c"] for row in rows if row["Id"] in owners}
    assert scores == {user: score for user, (_, score) in expected.scores.items()}


def check_appcues(around: World, expected: traffic.Expected) -> None:
    profiles = around.far.profiles()
    wrong = {}
    for user, (_, attributes) in expected.profiles.items():
        expected_attributes = {name: value for name, value in attributes.items() if value is not None}
        profile = profiles.get(user, {})
        if {name: profile.get(name) for name in attributes if profile.get(name) is not None} != expected_attributes:
            wrong[user] = (expected_attributes, profile)
    assert wrong == {}
