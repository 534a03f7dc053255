"""The config of a relay process: loaded at its start, and again when its files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

import structlog

from sfcode.config.files import MAPPINGS
from sfcode.config.project import Project
from sfcode.config.relay_config import digest_relay_config, render_relay_config
from sfcode.errors import ConfigError, SfcodeError, UsageError
from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.types import Purged
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.settings import RelaySettings

log = structlog.stdlib.get_logger(__name__)

POLL_SECONDS = 2.0
"""Seconds between two checks of the files."""
RETRY_MOST = 30
"""The maximum number of checks between two attempts to load a config that could not be loaded for a reason outside its
files."""
REFUSED: Final = "config_refused"
"""The alarm for a config that cannot be used."""
MOST_PROBLEMS = 10
"""The number of problems of a refused config that are logged."""

FileStamps = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and time of change in ns of each file."""


@dataclass(frozen=True)
class RelayConfig:
    """A project, and the settings of `serve` that go with it."""

    project: Project
    settings: RelaySettings

    @cached_property
    def digest(self) -> str:
        """The digest that identifies the config in `plan`, in `doctor` and on the dashboard."""
        return digest_relay_config(render_relay_config(self.project))

    @cached_property
    def retention(self) -> Mapping[Purged, timedelta]:
        """How long finished messages are kept, by state, and how long audit lines are kept."""
        days = self.project.settings.relay.retention
        return {
            "done": timedelta(days=days.delivered_days),
            "parked": timedelta(days=days.parked_days),
            "dead": timedelta(days=days.given_up_days),
            "audit": timedelta(days=days.audit_days),
        }


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The source of the config: the project's files."""

    folder: Path
    load: Callable[[], RelayConfig]
    """Load the files. Raises SfcodeError if they are not valid."""
    stamps: FileStamps
    """The stamps of the files, taken before the first load, so that no later change is missed."""


class ConfigUser(Protocol):
    """Uses a config, and replaces it on request."""

    config: RelayConfig
    config_problem: str
    instrumentation: Instrumentation

    async def reload(self, config: RelayConfig) -> None:
        """Use another config from now on. Raises SfcodeError if it cannot be used; then the previous one stays in use."""


class ConfigReloader:
    """
    Reloads the config when its files change or on request, and passes it on if it is valid.

    An invalid config is refused with its problems, and the relay keeps the previous one. If the database, the org or a file
    cannot be reached at the moment, the config is loaded again later, without a change of its files.
    """

    def __init__(self, source: ConfigSource, user: ConfigUser) -> None:
        self._source = source
        self._user = user
        self._loaded = source.stamps
        self._asked = asyncio.Event()
        self._failures = 0
        """Failed attempts in a row whose cause was outside the files."""
        user.instrumentation.record_config(user.config.digest, "loaded")

    def request(self) -> None:
        """Load the files again now, whether or not they changed."""
        self._asked.set()

    async def run(self) -> None:
        """Run until cancelled."""
        current_stamp, checks = self._loaded, 0
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), POLL_SECONDS)
            except TimeoutError:
                previous, current_stamp = current_stamp, await asyncio.to_thread(stamp_files, self._source.folder)
                checks += 1
                is_retry = self._failures > 0 and checks >= min(RETRY_MOST, 2 ** min(self._failures - 1, 5))
                # Files that are still being written have other stamps at the next check.
                if current_stamp != previous or (current_stamp == self._loaded and not is_retry):
                    continue
            checks = 0
            self._asked.clear()
            self._loaded = current_stamp = await asyncio.to_thread(stamp_files, self._source.folder)
            await self.reload()

    async def reload(self) -> None:
        """Load the files, and use the config if it is valid."""
        user = self._user
        try:
            config = await asyncio.to_thread(self._source.load)
            outcome = "unchanged" if config.digest == user.config.digest else "loaded"
            if outcome == "loaded":
                await user.reload(config)
        except (ConfigError, UsageError) as error:
            self._failures = 0
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 (it may be over at the next attempt)
            self._failures += 1
            self._refuse(error)
        else:
            self._failures = 0
            log.info("config_loaded", config=config.digest, outcome=outcome)
            user.instrumentation.record_config(config.digest, outcome)
            user.config_problem = ""

    def _refuse(self, error: Exception) -> None:
        if isinstance(error, ConfigError):
            problems = [str(problem) for problem in error.problems]
        else:
            problems = [error.message if isinstance(error, SfcodeError) else type(error).__name__]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        user = self._user
        problem = f"the config has changed and is refused: {problems[0]}{more}"
        if self._failures > 1 and user.config_problem == problem:
            return  # this problem has raised its alarm
        user.config_problem = problem
        user.instrumentation.record_config(user.config.digest, "refused")
        log.error("config_refused", config=user.config.digest, problems=problems[:MOST_PROBLEMS], exc_info=error)
        user.instrumentation.raise_alarm(
            REFUSED, f"{problems[0]}{more}. The relay keeps using config {user.config.digest}."
        )


def stamp_files(folder: Path) -> FileStamps:
    """Return stamps of the files in a config folder, which change with the files. Links are followed."""
    paths = sorted((*folder.glob("*.y*ml"), *(folder / MAPPINGS).glob("*.y*ml")))
    stamps = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        stamps.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)
