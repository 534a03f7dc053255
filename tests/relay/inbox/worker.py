"""A process that delivers all messages of an inbox, or holds its claim until it is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from sfcode.relay.inbox import Filter, bulk_changes, open_inbox, subjects
from sfcode.relay.message import Delivered, Delivery, InboxMessage


def tell(report: object) -> None:
    """Send a line to the test that started this process."""
    sys.stdout.write(f"{json.dumps(report)}\n")
    sys.stdout.flush()


def drain(url: str, seed: int) -> None:
    """Deliver everything, and print the start and end of each delivery on the shared clock."""
    rng = random.Random(seed)
    with open_inbox(url) as inbox:
        # Claimed before any process starts, so that each process delivers at least these messages.
        claim = inbox.claim("appcues", limit=2, per_key=1, lease=60)
        tell("ready")
        sys.stdin.readline()
        while claim or inbox.stats().oldest:
            if claim:
                began = time.monotonic_ns()
                time.sleep(rng.random() / 500)  # the duration of a call
                ended = time.monotonic_ns()
                inbox.settle(
                    claim, Delivery({message.id: Delivered() for message in claim.messages}), lambda _, __: None
                )
                for message in claim.messages:
                    tell([message.key, message.payload["number"], began, ended])
            claim = inbox.claim("appcues", limit=rng.randint(1, 9), per_key=rng.randint(1, 3), lease=60)


def hold(url: str, limit: int) -> None:
    """Claim messages without ever settling them."""
    with open_inbox(url) as inbox:
        claim = inbox.claim("appcues", limit=limit, per_key=2, lease=60)
        tell([message.payload["number"] for message in claim.messages] if claim else [])
        sys.stdin.readline()


def accept(url: str, size: int) -> None:
    """Accept messages without end, and print the number of each committed one."""
    with open_inbox(url) as inbox:
        for first in range(0, sys.maxsize, size):
            numbers = range(first, first + size)
            inbox.accept(
                [
                    InboxMessage("appcues", f"m{number}", f"user:{number % 7}", "kind", {"number": number})
                    for number in numbers
                ]
            )
            tell(first + size)


def replay(url: str, most: int) -> None:
    """Replay messages in steps of three, and exit without clean-up after some of them."""
    bulk_changes.AT_ONCE = 3

    def die(done: int) -> None:
        if done >= most:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_inbox(url) as inbox:
        inbox.replay(Filter(reason="odd"), "ann@host", die)


def migrate(url: str, rows: int) -> None:
    """Migrate the database, and exit without clean-up after some rows."""
    subject, remaining_rows = subjects.subject, iter(range(rows))

    def count(key: str, payload: Mapping[str, Any]) -> str:
        if next(remaining_rows, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return subject(key, payload)

    subjects.subject = count
    open_inbox(url)


if __name__ == "__main__":
    {"drain": drain, "hold": hold, "accept": accept, "migrate": migrate, "replay": replay}[sys.argv[1]](
        sys.argv[2], int(sys.argv[3])
    )
