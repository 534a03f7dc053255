"""Two hundred deploys in a row leak neither files nor objects, and the state does not grow."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sfcode.local import serve
from sfcode.local.metadata.deploy import jobs
from sfcode.local.tables import components

DEPLOYS = 200
OPEN_FILES = Path("/proc/self/fd")


@dataclass(frozen=True)
class Weight:
    """The memory and files of a process and a state folder."""

    descriptors: int
    threads: int
    objects: int
    files: frozenset[str]
    pages: int
    """Pages of the database, including those in its write-ahead log."""


def _weigh(state: Path) -> Weight:
    components._component.cache_clear()  # the cache is bounded, so its entries are no leak
    gc.collect()
    with contextlib.closing(sqlite3.connect(state / "org.db")) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    return Weight(
        len(list(OPEN_FILES.iterdir())) if OPEN_FILES.is_dir() else 0,
        threading.active_count(),
        len(gc.get_objects()),
        frozenset(path.name for path in state.rglob("*")),
        pages,
    )


def _package(kit, number: int) -> dict[str, str]:
    """Return a package that changes a field, a message and a permission set, like a release of an integration."""
    return kit.good() | {
        "objects/Contact.object": kit.wrap(
            "CustomObject",
            kit.formula("External_Id__c", f'"{number}" & LastName'),
            kit.field("Score__c", "<precision>3</precision><scale>0</scale><type>Number</type>", f"Score {number}"),
        ),
        "workflows/Contact.workflow": kit.wrap(
            "Workflow", kit.message("To_Relay", "Id", "Email", url=f"https://relay.example.com/m?v={number}")
        ),
        "staticresources/State.resource": f'{{"serial": {number}}}',
    }


def test_two_hundred_deploys_leak_nothing(kit, client, tmp_path) -> None:
    """Nothing grows from the hundredth deploy, when the maximum number of deploys is stored, to the two hundredth."""
    state = tmp_path / "state"
    with serve(state) as served:
        org = client(served, state)
        before = None
        for number in range(DEPLOYS):
            result = org.deploy(_package(kit, number), checkOnly=number % 10 == 9)
            assert result.status == "Succeeded", result.problems
            if number == jobs.MAX_KEPT + 10:
                before = _weigh(state)
                kinds = Counter(type(tracked_object).__name__ for tracked_object in gc.get_objects())
        after = _weigh(state)
        grown = Counter(type(tracked_object).__name__ for tracked_object in gc.get_objects()) - kinds
    assert before is not None
    assert after.files == before.files
    assert abs(after.descriptors - before.descriptors) <= 2
    assert after.threads <= before.threads + 1
    assert after.objects <= before.objects * 1.02 + 500, grown.most_common(8)
    assert after.pages <= before.pages * 1.1


def test_serving_again_and_again_leaves_no_threads_or_files(client, tmp_path) -> None:
    """Each server closes its threads, sockets and database connections."""
    weights = []
    for number in range(12):
        with serve(tmp_path) as served:
            client(served, tmp_path).soap("<describeMetadata/>")
        if number in {3, 11}:
            weights.append(_weigh(tmp_path))
    early, late = weights
    assert late.descriptors <= early.descriptors + 2
    assert late.threads <= early.threads + 1
    assert late.files == early.files
