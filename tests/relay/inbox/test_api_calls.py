"""Requests to the org, counted by purpose over processes and hours."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
import pytest

from sfcode.org.parallel import run_parallel
from sfcode.relay.api_calls import ApiBudget, ApiUse, PendingApiCalls, for_mappings, using_api
from sfcode.relay.inbox import Inbox, Unavailable
from sfcode.relay.inbox.api_calls import HOUR
from tests.relay.inbox.conftest import Clock

UPSERT = ApiUse("to_salesforce", "contact", "upsert")
RECONCILE = ApiUse("to_appcues", "lead", "reconcile")


def test_the_numbers_of_all_processes_add_up_the_most_first(inbox: Inbox, database_url: str, clock: Clock) -> None:
    inbox.api_calls.add({UPSERT: 3, RECONCILE: 5})
    with clock.open_inbox(database_url) as other:
        other.api_calls.add({UPSERT: 4})
    assert [(count.use, count.number) for count in inbox.api_calls.last_day()] == [(UPSERT, 7), (RECONCILE, 5)]
    assert inbox.api_calls.number() == 12


def test_requests_of_a_day_ago_no_longer_count(inbox: Inbox, database_url: str, clock: Clock) -> None:
    def pass_hours(hours: int) -> None:
        clock.elapse(hours * HOUR)
        if database_url.startswith("postgresql"):
            with psycopg.connect(database_url) as db:
                db.execute("UPDATE relay_api_calls SET hour = hour - %s", (hours * HOUR,))

    inbox.api_calls.add({UPSERT: 3})
    pass_hours(22)
    inbox.api_calls.add({UPSERT: 1})
    assert inbox.api_calls.number() == 4
    pass_hours(2)
    assert inbox.api_calls.number() == 1
    pass_hours(9 * 24)
    assert inbox.api_calls.last_day() == ()
    inbox.api_calls.add({RECONCILE: 1})
    with inbox._database.read() as tx:
        assert tx.db.exec_driver_sql("SELECT count(*) FROM relay_api_calls").scalar() == 1, "old hours are deleted"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_requests_of_an_hour_count_until_the_same_hour_of_the_next_day(inbox: Inbox, clock: Clock) -> None:
    clock.elapse((50 * 60 - clock.now.timestamp()) % HOUR)
    inbox.api_calls.add({UPSERT: 3})
    clock.elapse(23 * HOUR + 9 * 60)
    assert inbox.api_calls.number() == 3
    clock.elapse(60)
    assert inbox.api_calls.number() == 0


def test_a_request_is_counted_for_what_makes_it_also_in_threads() -> None:
    counted: list[ApiUse] = []
    pending = PendingApiCalls(counted.append)
    with using_api("refresh", "lead"):
        pending.count()
        run_parallel([pending.count] * 2, 2)
        with using_api("field_types", ""):
            pending.count()
    with for_mappings(["contact", "contact"]), using_api("upsert", direction="to_salesforce"):
        pending.count()
    with for_mappings(["contact", "lead"]), using_api("lookup", direction="to_salesforce"):
        pending.count()
    pending.count()
    assert Counter(counted) == {
        ApiUse("to_appcues", "lead", "refresh"): 3,
        ApiUse("to_appcues", "", "field_types"): 1,
        UPSERT: 1,
        ApiUse("to_salesforce", "", "lookup"): 1,
        ApiUse("", "", "other"): 1,
    }
    assert pending.number == 7


class AwayStore:
    def __init__(self) -> None:
        self.numbers: Counter[ApiUse] = Counter()
        self.is_away = True

    def add(self, numbers: Any) -> None:
        if self.is_away:
            raise Unavailable("away")
        self.numbers.update(numbers)


def test_numbers_that_could_not_be_stored_are_stored_the_next_time() -> None:
    store, pending = AwayStore(), PendingApiCalls()
    with using_api("upsert", "contact", "to_salesforce"):
        pending.count()
        with pytest.raises(Unavailable):
            pending.flush(store)
        pending.count()
    store.is_away = False
    pending.flush(store)
    pending.flush(store)
    assert store.numbers == {UPSERT: 2}
    assert pending.number == 0


def test_a_budget_is_reported_at_four_fifths_and_at_its_end_once_until_it_recovers() -> None:
    raised: list[tuple[str, str]] = []
    limit: list[int | None] = [1_000]
    budget = ApiBudget(lambda: limit[0], lambda name, detail: raised.append((name, detail)))
    for stored in (799, 800, 900, 999):
        budget.update(stored)
        assert not budget.is_used_up
    assert raised == [("api_budget_low", "relay.api_calls_per_day is 1,000")]
    budget.pending.count()
    assert budget.is_used_up, "what is not stored yet counts"
    budget.update(1_200)
    budget.update(1_300)
    assert [name for name, _ in raised] == ["api_budget_low", "api_budget_used"]
    budget.update(10)
    assert not budget.is_used_up
    budget.update(5_000)
    assert [name for name, _ in raised[2:]] == ["api_budget_low", "api_budget_used"]
    limit[0] = None
    budget.update(10**9)
    assert not budget.is_used_up
