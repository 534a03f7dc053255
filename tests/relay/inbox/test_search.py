"""A search finds all matching messages with any index, and returns how far it searched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import ANY

import pytest

from sfcode.relay.inbox import Filter, Inbox, InboxEntry, categories, open_inbox, records, search, walk
from sfcode.relay.inbox.search import SearchPage
from sfcode.relay.message import InboxMessage
from tests.relay import postgres
from tests.relay.inbox.samples import message, take

ROWS = 120
CONDITIONS: dict[str, tuple[Any, ...]] = {
    "subject": ("user:0", "user:3", "user:absent"),
    "record": ("busy", "record3", "absent"),
    "kind": ("common", "rare", "absent"),
    "reason": ("", "odd", "absent"),
    "state": ("ready", "parked", "leased"),
    "source": ("appcues", "salesforce"),
}
"""For each condition a common value, a rare value, and a value that no message has."""
VALUES = {1: slice(3), 2: slice(2), 3: slice(1, 2)}
"""The version of the tables for which the statements below are written."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    """Return an inbox that no test changes, with frequent and rare values of each condition."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'relay.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres.schema(request.getfixturevalue("postgres_server")))
        inbox = stack.enter_context(open_inbox(url))
        for first in range(0, ROWS, 30):  # messages of one call have the same time of receipt
            inbox.accept([_message(number) for number in range(first, first + 30)])
        with inbox._database.write() as tx:
            records.add_records(
                tx, [(entry.id, _record(entry.payload["number"])) for entry in inbox.page(Filter(), ROWS)]
            )
        take(inbox, limit=3)
        yield inbox


def _message(number: int) -> InboxMessage:
    return message(
        number,
        f"user:{number % 2 * (number % 11)}",
        source="salesforce" if number % 3 == 0 else "appcues",
        kind="rare" if number % 7 == 0 else "common",
        parked="odd" if number % 5 == 0 else "",
    )


def _record(number: int) -> str:
    return "busy" if number % 2 else f"record{number % 11}"


def _matches(entry: InboxEntry, choice: Filter) -> bool:
    values = {"subject": entry.key, "record": _record(entry.payload["number"])}
    return all(
        values.get(name, getattr(entry, name, None)) == value
        for name in CONDITIONS
        if (value := getattr(choice, name)) is not None
    ) and (choice.until is None or entry.received_at < choice.until)


def _choices(until: datetime) -> Iterator[Filter]:
    """Yield single conditions, pairs and triples of them, and some with a time."""
    for number in (1, 2, 3):
        for names in itertools.combinations(CONDITIONS, number):
            for values in itertools.product(*(CONDITIONS[name][VALUES[number]] for name in names)):
                choice = Filter(**dict(zip(names, values, strict=True)))
                yield choice
                if number == 1:
                    yield replace(choice, until=until)


def _search_on(inbox: Inbox, choice: Filter, limit: int) -> tuple[list[InboxEntry], int]:
    """Return everything that a search finds page by page, and the number of partial pages."""
    entries: list[InboxEntry] = []
    place, partial = None, 0
    while True:
        page = inbox.search(choice, limit, place)
        assert len(page.entries) == limit or page.is_partial or page.last is None
        entries += page.entries
        partial += page.is_partial
        place = page.last
        if place is None:
            return entries, partial


def test_every_combination_of_conditions_finds_what_matches(filled: Inbox) -> None:
    all_entries = filled.page(Filter(), ROWS)
    until = all_entries[ROWS // 2].received_at
    for choice in _choices(until):
        expected = [entry.id for entry in all_entries if _matches(entry, choice)]
        assert [entry.id for entry in filled.page(choice, ROWS)] == expected, choice
        blocked = [entry for entry in all_entries if _matches(entry, choice) and entry.state in ("parked", "dead")]
        counted = len(blocked) if choice.state is None else len(expected)
        assert filled.count(choice) == (counted, False), choice


@pytest.mark.parametrize("followed", ["first", "smallest"])
def test_a_search_in_small_steps_reports_each_step_and_reaches_the_end(
    filled: Inbox, monkeypatch: pytest.MonkeyPatch, followed: str
) -> None:
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(search, "FIRST", 5)
    monkeypatch.setattr(search, "AT_ONCE", 5)
    monkeypatch.setattr(walk, "AT_ONCE", 4)
    monkeypatch.setattr(walk, "FEW", () if followed == "first" else (2, 5))
    all_entries = filled.page(Filter(), ROWS)
    pages_that_ended_early = 0
    for choice in (
        Filter(subject="user:0", state="parked"),
        Filter(subject="user:0", record="busy"),
        Filter(record="busy", kind="rare"),
        Filter(record="busy", reason="odd", source="salesforce"),
        Filter(subject="user:3", kind="rare"),
    ):
        entries, partial = _search_on(filled, choice, 2)
        assert [entry.id for entry in entries] == [entry.id for entry in all_entries if _matches(entry, choice)], choice
        pages_that_ended_early += partial
    assert pages_that_ended_early
    parked = Filter(state="parked")
    assert filled.search(parked, filled.count(parked).number).last is None, "the index contains all conditions"
    assert filled.page(Filter(subject="user:0", record="busy"), ROWS) == tuple(
        entry for entry in all_entries if _matches(entry, Filter(subject="user:0", record="busy"))
    ), "of all pages"
    whole_pages = search.read_pages(lambda *place: filled.search(Filter(), *place), ROWS, until_partial=True)
    assert whole_pages.entries == all_entries, "only a partial page ends it"
    page = filled.search(Filter(subject="user:0", state="leased"), 20)
    if followed == "first":
        assert page == SearchPage((), ANY, is_partial=True), "the newest of the user are not leased"
    else:
        assert (len(page.entries), page.last, page.is_partial) == (1, None, False), "few are leased"


def test_a_count_that_looks_at_few_messages_says_that_there_may_be_more(
    filled: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Filter(subject="user:0", record="record0", state="parked")
    full_count = filled.count(choice)
    assert not full_count.is_partial
    parked = filled.count(Filter(state="parked"))
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(search, "AT_ONCE", 2)
    counted = filled.count(choice)
    assert counted.is_partial
    assert counted.number < full_count.number
    assert filled.count(Filter(state="parked")) == parked, "the index contains all conditions"


def test_messages_are_in_the_order_of_their_receipt_and_not_of_their_ids(inbox: Inbox) -> None:
    inbox.accept([message(number, f"user:{number}", parked="odd") for number in range(3)])
    with inbox._database.write() as tx:
        statement = "UPDATE relay_inbox SET received_at = '2020-01-01T00:00:00.000000Z' WHERE message_id = 'm2'"
        tx.db.exec_driver_sql(statement)
    for choice in (Filter(), Filter(state="parked")):
        (first,) = inbox.page(choice, 1)
        entries = (first, *inbox.page(choice, 2, first))
        assert [entry.payload["number"] for entry in entries] == [1, 0, 2]


def test_names_that_a_sender_makes_up_do_not_keep_a_search_from_its_end(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name of an event is a category; with too many categories, the search uses the index of times."""
    inbox.accept([message(number, kind=f"event {number}", parked="odd" if number % 4 else "") for number in range(20)])
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 5)
    monkeypatch.setattr(walk, "MOST_CATEGORIES", 5)
    assert [entry.payload["number"] for entry in inbox.page(Filter(state="ready"))] == [16, 12, 8, 4, 0]
    assert [entry.payload["number"] for entry in inbox.page(Filter(kind="event 7"))] == [7]
    assert len(inbox.page(Filter(reason="odd"))) == 15
    assert inbox.stats().oldest.keys() == {"appcues"}
    assert inbox.replay(Filter(reason="odd")) == 15
