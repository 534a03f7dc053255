"""The holder of a lock: the text of the lock, and its parsing."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from sfcode.lazy_dataclasses import asdict, dataclass, fields
from sfcode.mapping.limits import DESCRIPTION_LENGTH
from sfcode.process import is_running
from sfcode.text import printable

RUNNING: set[str] = set()
"""The IDs of the runs of this process that hold a lock. A lock of this process with another ID is stale."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One run of sfcode that changes an org."""

    id: str
    """The random ID by which a run recognizes its own lock if the response was lost."""
    user: str
    """The user of the operating system; the org records the signed-in user."""
    host: str
    pid: int
    machine: str
    """Distinguishes machines with the same name, and containers of one machine."""
    verb: str
    plan: str = ""
    """The beginning of a saved plan's digest."""
    deployment: str = ""
    """The ID of the last deployment that the run started."""
    detached: bool = False
    """Whether the run stopped waiting for its deployment, which continues in the org."""
    beat: int = 0
    """The number of renewals; writing it updates the time stamp of the lock."""

    def text(self) -> str:
        """Return the text of the lock."""
        values = {name: value for name, value in asdict(self).items() if value}
        for length in (60, 24, 0):
            text = json.dumps(values | {"host": self.host[:length], "user": self.user[:length]}, ensure_ascii=True)
            if len(text) <= DESCRIPTION_LENGTH:
                break
        return text

    @property
    def is_dead(self) -> bool:
        """Whether the run has ended; False for a run on another machine, whose processes are not visible."""
        if os.name != "posix" or self.machine != machine_id():
            return False
        return self.id not in RUNNING if self.pid == os.getpid() else not is_running(self.pid)


@dataclass(frozen=True, slots=True)
class LockInfo:
    """The content of a lock in the org, with the times of the org's clock."""

    id: str
    holder: Holder | None
    """The holder; None if the content of the static resource cannot be parsed."""
    username: str
    since: datetime
    seen: datetime

    def __str__(self) -> str:
        owner = self.username
        if self.holder:
            account = "@".join(filter(None, (self.holder.user, self.holder.host)))
            plan = f", plan {self.holder.plan}" if self.holder.plan else ""
            owner = f"`sfcode {self.holder.verb}` of {self.username} ({account}, process {self.holder.pid}{plan})"
        return printable(f"{owner} since {self.since:%Y-%m-%d %H:%M:%S} UTC")


def describe_run(verb: str, plan: str = "") -> Holder:
    """Describe the current run of sfcode."""
    user = ""
    with suppress(OSError, KeyError):  # the user of a container may have no name
        user = getpass.getuser()
    return Holder(token_hex(4), user, platform.node(), os.getpid(), machine_id(), verb, plan)


def read_holder(text: str) -> Holder | None:
    """Parse the text of a lock; None if it is not sfcode's."""
    try:
        values = json.loads(text)
        holder = Holder(**{"host": "", "user": "", **values})
    except (ValueError, TypeError):
        return None
    kinds = (type(getattr(holder, column.name)).__name__ == column.type for column in fields(holder))
    return holder if all(kinds) else None


def machine_id() -> str:
    """Return eight digits that identify machine, boot and container."""
    return hashlib.sha256("\n".join(_machine_marks()).encode()).hexdigest()[:8]


def _machine_marks() -> Iterator[str]:
    yield platform.node()
    with suppress(OSError):
        yield Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    with suppress(OSError):
        yield str(Path("/proc/self/ns/pid").readlink())  # process IDs are valid only within a container
