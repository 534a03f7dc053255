"""A running relay reloads a changed config, and refuses an invalid one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfcode.config import load
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError, SfcodeError, UsageError
from sfcode.relay import config as module
from sfcode.relay.alarms import PendingAlarms
from sfcode.relay.config import ConfigReloader, ConfigSource, RelayConfig, stamp_files
from sfcode.relay.inbox import Unavailable
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Claim
from sfcode.relay.settings import read_settings
from tests.relay.serving import ENVIRON, ROOT, WEBHOOK, IdentityOrg, Recorder, Relay, Served
from tests.waiting import PATIENCE, until, until_async

FAST = 0.02


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the repository's config whose changes are detected at once."""
    monkeypatch.setattr(module, "POLL_SECONDS", FAST)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def edit(folder: Path, old: str, new: str, name: str = "mappings/contact.yaml") -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


class User:
    """Records the configs that it receives."""

    def __init__(self, config: RelayConfig) -> None:
        self.config = config
        self.config_problem = ""
        self.instrumentation = Instrumentation()
        self.used: list[str] = []
        self.refusal: SfcodeError | None = None
        self.attempts = 0

    async def reload(self, config: RelayConfig) -> None:
        self.attempts += 1
        if self.refusal:
            raise self.refusal
        self.config = config
        self.used.append(config.digest)

    @property
    def alarms(self) -> PendingAlarms:
        return self.instrumentation.alarms

    def metric(self, name: str) -> str:
        lines = self.instrumentation.metrics.text().decode().splitlines()
        return " ".join(line.removeprefix("sfcode_relay_") for line in lines if line.startswith(f"sfcode_relay_{name}"))


def read(folder: Path) -> RelayConfig:
    project = load(folder, "local")
    return RelayConfig(project, read_settings(project, ENVIRON, host="127.0.0.1", port=0))


def watch(folder: Path, script: Callable[[User, ConfigReloader], Any]) -> User:
    """Run a script while the files are watched."""
    loads = [0]

    def load_counted() -> RelayConfig:
        loads[0] += 1
        return read(folder)

    async def act() -> User:
        user = User(read(folder))
        reloader = ConfigReloader(ConfigSource(folder, load_counted, stamp_files(folder)), user)
        task = asyncio.create_task(reloader.run())
        try:
            await script(user, reloader)
        finally:
            task.cancel()
        user.loads = loads[0]  # type: ignore[attr-defined]
        return user

    return asyncio.run(act())


class TestFiles:
    def test_a_changed_file_is_loaded_and_in_use(self, folder: Path) -> None:
        async def script(user: User, _: ConfigReloader) -> None:
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            await until_async(lambda: user.used)
            assert user.used == [read(folder).digest]

        user = watch(folder, script)
        assert user.metric("config{") == f'config{{digest="{user.used[0]}"}} 1.0'
        assert 'config_loads_total{outcome="loaded"} 2.0' in user.metric("config_loads_total")

    def test_a_comment_is_no_change(self, folder: Path) -> None:
        async def script(user: User, _: ConfigReloader) -> None:
            edit(folder, "object: Contact", "# People.\nobject: Contact")
            await until_async(lambda: "unchanged" in user.metric("config_loads_total"))

        assert watch(folder, script).used == []

    def test_nothing_is_loaded_while_nothing_changes(self, folder: Path) -> None:
        async def script(_user: User, _reloader: ConfigReloader) -> None:
            await asyncio.sleep(10 * FAST)

        assert watch(folder, script).loads == 0  # type: ignore[attr-defined]

    def test_a_change_between_loading_and_watching_is_noticed(self, folder: Path) -> None:
        async def act() -> None:
            source = ConfigSource(folder, lambda: read(folder), stamp_files(folder))
            user = User(read(folder))
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            task = asyncio.create_task(ConfigReloader(source, user).run())
            await until_async(lambda: user.used)
            task.cancel()

        asyncio.run(act())

    def test_files_are_loaded_only_when_they_no_longer_change(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = [(("a", 1, 1, 1),), (("a", 1, 2, 2),), (("a", 1, 3, 3),), (("a", 1, 3, 3),)]
        seen_stamps: list[Any] = []

        def stamps(_folder: Path) -> Any:
            seen_stamps.append(looks.pop(0) if len(looks) > 1 else looks[0])
            return seen_stamps[-1]

        monkeypatch.setattr(module, "stamp_files", stamps)

        async def act() -> None:
            user = User(read(folder))
            first = stamps(folder)
            loaded_after: list[int] = []

            def load_noted() -> RelayConfig:
                loaded_after.append(len(seen_stamps))
                return read(folder)

            task = asyncio.create_task(ConfigReloader(ConfigSource(folder, load_noted, first), user).run())
            await until_async(lambda: loaded_after)
            task.cancel()
            assert loaded_after == [5], "two looks that are alike, and one more right before loading"

        asyncio.run(act())

    @pytest.mark.parametrize(
        "name", ["sfcode.yaml", "events.yaml", "recipes.yaml", "mappings/lead.yaml", "mappings/new.yml"]
    )
    def test_every_file_of_the_config_is_watched(self, folder: Path, name: str) -> None:
        before = stamp_files(folder)
        path = folder / name
        path.write_text(f"{path.read_text(encoding='utf-8') if path.exists() else ''}# more\n", encoding="utf-8")
        assert stamp_files(folder) != before

    def test_a_folder_that_is_mounted_again_is_noticed(self, tmp_path: Path, folder: Path) -> None:
        shutil.copytree(folder, tmp_path / "one")
        shutil.copytree(folder, tmp_path / "two")
        link = tmp_path / "mounted"
        link.symlink_to(tmp_path / "one")
        before = stamp_files(link)
        link.unlink()
        link.symlink_to(tmp_path / "two")
        assert stamp_files(link) != before


class TestRefusal:
    def test_an_invalid_config_is_refused_and_a_corrected_one_used(self, folder: Path) -> None:
        async def script(user: User, _: ConfigReloader) -> None:
            before = user.config.digest
            edit(folder, "object: Contact", "objekt: Contact")
            await until_async(lambda: user.config_problem)
            (alarm,) = user.alarms._raised.values()
            detail = alarm.detail
            assert alarm.name == "config_refused"
            assert "mappings/contact.yaml:" in detail
            assert f"keeps using config {before}" in detail
            assert (user.used, user.config.digest) == ([], before)
            edit(folder, "objekt: Contact", "object: Contact")
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            await until_async(lambda: user.used)
            assert user.config_problem == ""

        assert 'config_loads_total{outcome="refused"} 1.0' in watch(folder, script).metric("config_loads_total")

    def test_a_config_that_the_service_cannot_use_is_refused(self, folder: Path) -> None:
        async def script(user: User, reloader: ConfigReloader) -> None:
            user.refusal = SfcodeError("The inbox is away.")
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            reloader.request()
            await until_async(lambda: user.config_problem)
            assert user.config_problem == "the config has changed and is refused: The inbox is away."

        assert watch(folder, script).used == []

    def test_a_valid_config_is_used_once_the_database_answers_again(self, folder: Path) -> None:
        async def script(user: User, _: ConfigReloader) -> None:
            user.refusal = Unavailable("The inbox is away.")
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            await until_async(lambda: user.attempts > 3)
            assert user.config_problem == "the config has changed and is refused: The inbox is away."
            user.refusal = None
            await until_async(lambda: user.used)
            assert user.config_problem == ""

        metric = watch(folder, script).metric("config_loads_total")
        assert 'outcome="refused"} 1.0' in metric, "the attempts in between raise no further alarms"

    @pytest.mark.parametrize("kind", [UsageError, lambda text: ConfigError([Diagnostic.error(None, "", text, "")])])
    def test_an_invalid_config_is_loaded_again_only_after_a_change(self, folder: Path, kind: Any) -> None:
        async def script(user: User, _: ConfigReloader) -> None:
            user.refusal = kind("It is of another org.")
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            await until_async(lambda: user.config_problem)
            user.refusal = None
            await asyncio.sleep(10 * FAST)

        user = watch(folder, script)
        assert (user.used, user.attempts) == ([], 1)

    def test_watching_continues_after_an_unexpected_exception(self, folder: Path) -> None:
        async def act() -> None:
            user = User(read(folder))
            answers: list[Any] = [ZeroDivisionError, None]

            def load_once() -> RelayConfig:
                if error := answers.pop(0):
                    raise error
                return read(folder)

            reloader = ConfigReloader(ConfigSource(folder, load_once, stamp_files(folder)), user)
            await reloader.reload()
            assert user.config_problem.endswith("ZeroDivisionError")
            await reloader.reload()
            assert user.config_problem == ""

        asyncio.run(act())


class TestService:
    def test_a_rename_while_running_loses_nothing_and_applies_to_new_messages(
        self, sqlite_url: str, folder: Path
    ) -> None:
        """A delivery in progress ends with the writer that began it, and this writer is closed only then."""
        relay = Relay(sqlite_url)
        old, new = Closing("appcues"), Closing("appcues")
        relay.to_salesforce = old
        may_end = threading.Event()
        began: list[int] = []

        async def hold(claim: Claim) -> None:
            began.append(len(claim.messages))
            while not may_end.is_set():  # noqa: ASYNC110 (another thread sets it)
                await asyncio.sleep(FAST)

        old.act = hold

        def script(served: Served) -> None:
            assert served.webhook(1).status_code == 200
            until(lambda: began)
            relay.to_salesforce = new
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            os.kill(os.getpid(), signal.SIGHUP)
            digest = relay.config(folder).digest
            until(lambda: digest in served.get("/healthz").text)
            assert not old.closed
            may_end.set()
            assert served.webhook(2).status_code == 200
            until(lambda: served.service.inbox.stats().count("done") == 2)
            assert (len(old.delivered), len(new.delivered)) == (1, 1)
            assert old.closed
            assert not new.closed
            asyncio.run(served.service.housekeeping.beat())
            assert [process.config for process in served.service.inbox.processes()] == [digest]
            assert f"<code>{digest}</code>" in served.get("/").text

        relay.serve(script, folder)

    def test_a_direction_starts_and_stops_with_its_mappings(self, sqlite_url: str, folder: Path) -> None:
        relay = Relay(sqlite_url)

        def script(served: Served) -> None:
            until(lambda: set(served.service._workers) == {"appcues", "salesforce"})
            mappings = {path: path.read_text(encoding="utf-8") for path in (folder / "mappings").iterdir()}
            for path, text in mappings.items():
                path.write_text(re.sub(r"(?ms)^to_appcues:.*?^(?=\S)", "", text), encoding="utf-8")
                edit(folder, "direction: both", "direction: to_salesforce", f"mappings/{path.name}")
            until(lambda: set(served.service._workers) == {"appcues"})
            for path, text in mappings.items():
                path.write_text(text, encoding="utf-8")
            until(lambda: set(served.service._workers) == {"appcues", "salesforce"})
            assert served.webhook().status_code == 200
            until(lambda: served.service.inbox.stats().count("done") == 1)

        relay.serve(script, folder)

    def test_the_ingress_uses_the_new_config(self, sqlite_url: str, folder: Path) -> None:
        relay = Relay(sqlite_url)

        def script(served: Served) -> None:
            assert served.webhook().status_code == 200
            edit(folder, "webhook_auth: {scheme: path}", "webhook_auth: {scheme: bearer}", "sfcode.yaml")
            until(lambda: served.webhook().status_code == 404)
            path, headers = "/webhooks/appcues", {"Authorization": f"Bearer {WEBHOOK}"}
            assert served.session.post(served.url + path, json={}, headers=headers, timeout=PATIENCE).status_code == 200

        relay.serve(script, folder)

    def test_another_version_of_the_api_makes_another_connection(self, sqlite_url: str, folder: Path) -> None:
        relay = Relay(sqlite_url)
        connections: list[Any] = []

        def connect() -> Any:
            connections.append(IdentityOrg())
            return connections[-1]

        relay.connect = connect

        def script(served: Served) -> None:
            until(lambda: connections)
            edit(folder, '"63.0"', '"62.0"', "sfcode.yaml")
            until(lambda: len(connections) == 2)
            until(lambda: served.service._org is connections[1])
            edit(folder, "    plan: Plan__c", "    tier: Plan__c")
            until(lambda: relay.config(folder).digest in served.get("/healthz").text)
            assert len(connections) == 2

        relay.serve(script, folder)

    @pytest.mark.parametrize("moved", ["{contact: person}", "{Contact: Person}"])
    def test_the_pause_of_a_mapping_remains_when_the_mapping_is_renamed(
        self, sqlite_url: str, folder: Path, moved: str
    ) -> None:
        relay = Relay(sqlite_url)

        def script(served: Served) -> None:
            served.service.inbox.pause("mapping", "contact", "ann@host")
            (folder / "mappings/contact.yaml").rename(folder / "mappings/person.yaml")
            with (folder / "sfcode.yaml").open("a", encoding="utf-8") as file:
                file.write(f"\nmoved: {{mappings: {moved}}}\n")
            digest = relay.config(folder).digest
            until(lambda: digest in served.get("/healthz").text)
            check_pause(served)

        def check_pause(served: Served) -> None:
            served.service.housekeeping._beat()
            assert served.service.pauses.mappings == {"person": "contact"}
            (wait,) = served.service.pauses.refusals(["lead", "person"]).values()
            assert wait.paused_mapping == "contact", "so that a resume makes its messages due"

        relay.serve(script, folder)
        Relay(sqlite_url).serve(check_pause, folder)

    def test_a_refused_config_is_shown_and_the_relay_stays_ready(self, sqlite_url: str, folder: Path) -> None:
        relay = Relay(sqlite_url)

        def script(served: Served) -> None:
            until(lambda: served.get("/readyz").status_code == 200)
            edit(folder, "object: Contact", "objekt: Contact")
            until(lambda: served.get("/readyz").json()["notes"])
            answer = served.get("/readyz").json()
            assert answer["ready"] is True
            assert "is refused" in answer["notes"][0]
            assert "objekt" in answer["notes"][0]
            assert served.webhook().status_code == 200

        relay.serve(script, folder)


class Closing(Recorder):
    """A writer that records whether it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True
