"""Frequent queries of an integration in an org of 10,000 contacts: 200 at a time by ID, and upserts by external ID."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.measure import Row, measure_time

if TYPE_CHECKING:
    from sfcode.local import LocalOrg

CONTACTS, AT_ONCE, TIMES = 10_000, 200, 9
BASE = "/services/data/v62.0"
KEY, USER_ID = "Key__c", "Appcues_User_Id__c"
FIRST = 10_000_000


def measure() -> Iterator[Row]:
    """Fill an org once, serve it, and repeat each query several times with other records."""
    from sfcode.local import serve

    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        ids = fill(Path(name))
        with serve(Path(name)) as org:
            for title, step in steps(org, ids).items():
                step(0)  # creates the index that later queries use
                yield Row(title, [measure_time(partial(step, turn)) for turn in range(1, TIMES)])


def fill(state: Path) -> list[str]:
    """Create an org with many contacts, each with a text formula, a key and a number; return their IDs."""
    from sfcode.local import reset
    from sfcode.local.store import Store
    from sfcode.metadata.component import Component

    reset(state)
    formula: dict[str, Any] = {
        "label": "User",
        "type": "Text",
        "formula": 'IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))',
    }
    key: dict[str, Any] = {"label": "Key", "type": "Text", "length": 80, "externalId": True, "unique": True}
    fields: dict[str, dict[str, Any]] = {f"Contact.{KEY}": key, f"Contact.{USER_ID}": formula}
    permissions: dict[str, Any] = {name: {"editable": name.endswith(KEY), "readable": True} for name in fields}
    by: dict[str, Any] = {"user_id": "", "now": datetime.now(UTC)}
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = by["user_id"] = tx.settings.get("admin_id") or ""
        for name, body in fields.items():
            tx.components.put(Component("CustomField", name, body), **by)
        stored = tx.components.put(
            Component("PermissionSet", "Seen", {"label": "S", "fieldPermissions": permissions}), **by
        )
        assigned: dict[str, Any] = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, **by)
        return [tx.records.insert("Contact", contact(n) | {"OwnerId": admin}, **by) for n in range(CONTACTS)]


def contact(n: int) -> dict[str, Any]:
    """Return the values of one contact."""
    names = {"LastName": f"B{n}", "Name": f"B{n}", "Email": f"a{n}@bench.example"}
    return {**names, KEY: f"k{n}", "Product_User_Id__c": FIRST + n}


Step = Callable[[int], None]


def steps(org: LocalOrg, ids: list[str]) -> dict[str, Step]:
    """Return the measured queries by name; the number selects the records."""

    def numbers(turn: int) -> list[int]:
        return [(turn * 1009 + n * 47) % CONTACTS for n in range(AT_ONCE)]

    def query(soql: str, expected: int) -> None:
        count_found = call(org, "GET", f"/query?q={urllib.parse.quote(soql)}")["totalSize"]
        if count_found != expected:
            raise SystemExit(f"{soql}: {count_found} were found")

    def among(field: str, value: Callable[[int], str]) -> Step:
        def ask(turn: int) -> None:
            listed = ", ".join(f"'{value(n)}'" for n in numbers(turn))
            query(f"SELECT Id, {KEY} FROM Contact WHERE {field} IN ({listed})", AT_ONCE)  # noqa: S608

        return ask

    def make_write_step(path: str, record: Callable[[int, int], dict[str, Any]]) -> Step:
        def write(turn: int) -> None:
            records = [{"attributes": {"type": "Contact"}, **record(turn, n)} for n in numbers(turn)]
            answers = call(org, "PATCH", f"/composite/sobjects{path}", {"allOrNone": False, "records": records})
            if not all(answer["success"] for answer in answers):
                raise SystemExit(f"{path}: {next(answer for answer in answers if not answer['success'])}")

        return write

    by_key = f"/Contact/{KEY}"
    return {
        f"`... WHERE Id IN ({AT_ONCE} ids)`": among("Id", lambda n: ids[n]),
        f"`... WHERE {KEY} IN ({AT_ONCE} keys)`": among(KEY, lambda n: f"k{n}"),
        f"`... WHERE {USER_ID} IN ({AT_ONCE} user ids)`, a formula": among(USER_ID, lambda n: f"{FIRST + n}"),
        "`... WHERE Email = '...'`": lambda turn: query(
            f"SELECT Id FROM Contact WHERE Email = 'a{turn}@bench.example'",  # noqa: S608
            1,
        ),
        f"Collections: update {AT_ONCE} contacts": make_write_step(
            "", lambda turn, n: {"Id": ids[n], "Title": f"T{turn}"}
        ),
        f"Collections: upsert {AT_ONCE} contacts that are there": make_write_step(
            by_key, lambda turn, n: {KEY: f"k{n}", "Title": f"U{turn}"}
        ),
        f"Collections: upsert {AT_ONCE} new contacts": make_write_step(
            by_key, lambda turn, n: {KEY: f"new-{turn}-{n}", "LastName": "New"}
        ),
    }


class Served(Protocol):
    """An org, in this process or another."""

    @property
    def url(self) -> str:
        """The URL of the org."""

    @property
    def access_token(self) -> str:
        """The access token of the org."""


def call(org: Served, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the org."""
    request = urllib.request.Request(
        f"{org.url}{BASE}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {org.access_token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)
