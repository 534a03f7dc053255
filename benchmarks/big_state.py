"""A state of 10,000 records and 1,000 components: loaded from a company file, served and queried."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Row, measure_time

if TYPE_CHECKING:
    from sfcode.local import LocalOrg

ACCOUNTS, CONTACTS, FIELDS = 1_000, 9_000, 1_000
TIMES = 5
QUERIES = (
    "SELECT Id FROM Contact LIMIT 1",
    "SELECT COUNT() FROM Contact",
    "SELECT Id, Name FROM Contact WHERE Email = 'a77@bench.example'",
    "SELECT Id, Account.Name FROM Contact ORDER BY LastName LIMIT 200",
    "SELECT Title, COUNT(Id) FROM Contact GROUP BY Title",
)


def measure() -> Iterator[Row]:
    """Load the company once, serve it, and repeat the same requests several times."""
    from sfcode.local import load, serve

    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        path, state = Path(name, "company.yaml"), Path(name, "state")
        path.write_text(company(), encoding="utf-8")
        yield Row(
            f"load a company file of {ACCOUNTS + CONTACTS:,} records and {FIELDS:,} fields",
            [measure_time(lambda: load(state, path))],
        )

        def start() -> None:
            with serve(state):
                pass

        start()
        yield Row("serve and stop, in process", [measure_time(start) for _ in range(TIMES)])
        with serve(state) as org:
            for soql in QUERIES:
                _ask(org, soql)
                yield Row(f"`{soql}`", [measure_time(lambda soql=soql: _ask(org, soql)) for _ in range(TIMES)])  # type: ignore[misc]


def company() -> str:
    """Write the shipped company with many additional fields and records."""
    shipped = files("sfcode.local.seed").joinpath("northwind.yaml").read_text("utf-8")
    head, components, tail = shipped.partition("\ncomponents:\n")
    fields = "".join(f"  CustomField:Contact.X{n}__c: {{label: X{n}, type: Text, length: 40}}\n" for n in range(FIELDS))
    accounts = "".join(f"    - {{Name: Company {n}}}\n" for n in range(ACCOUNTS))
    contacts = "".join(
        f"    - {{LastName: B{n}, Email: a{n}@bench.example, Title: T{n % 50}, Product_User_Id__c: {n}}}\n"
        for n in range(CONTACTS)
    )
    return (
        head + components + fields + tail.partition("\nrecords:\n")[0]
        + f"\nrecords:\n  Account:\n{accounts}  Contact:\n{contacts}"
    )  # fmt: skip


def _ask(org: LocalOrg, soql: str) -> None:
    request = urllib.request.Request(
        f"{org.url}/services/data/v62.0/query?q={urllib.parse.quote(soql)}",
        headers={"Authorization": f"Bearer {org.access_token}"},
    )
    with urllib.request.urlopen(request) as response:
        if not json.load(response)["done"]:
            raise SystemExit(f"{soql}: more than one page")
