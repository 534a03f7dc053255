"""The blocks of commands that need an org, a local Appcues or a relay: they are run against shared ones."""

from __future__ import annotations

import itertools
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sfcode.apply.lock import find_lock, hold_lock
from sfcode.apply.lock_holder import describe_run
from sfcode.org import Org, connect
from sfcode.relay.alarms import PendingAlarms
from sfcode.relay.inbox import Filter
from sfcode.relay.message import InboxMessage
from tests.e2e.clicked import Clicked, click
from tests.e2e.journey import Journey
from tests.programs import search_path
from tests.relay.e2e.world import WEBHOOK, Relay, World, world
from tests.test_docs_blocks import Block, blocks, find_missing_quotes, stop_servers
from tests.waiting import PATIENCE, free_port, until

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = [block for block in blocks("sh") if block.mark == "run: served"]
SIGNING = {
    "X-Signature": (
        "{scheme: hmac, header: X-Signature, prefix: 'v0=', timestamp_header: X-Timestamp, signed: 'v0:{timestamp}:{body}'}",
        WEBHOOK,
    ),
    "webhook-signature": ("{scheme: standard_webhooks}", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"),
}
"""For each header that a block sends: the settings with which the relay checks webhooks, and the secret."""


@dataclass
class Stage:
    """A project that is applied to an org, an Appcues account, and a running relay."""

    world: World
    relay: Relay
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def folder(self) -> Path:
        return self.world.folder

    def run(self, *words: str) -> None:
        """Run a command that a block requires."""
        far = self.world.far
        environ = {**self.world.environ, "SF_ACCESS_TOKEN": far.access_token, "SFCODE_ENV": "local"}
        result = Journey(self.folder, environ).run(*words)
        assert result.code == 0, result.err

    def connect(self) -> AbstractContextManager[Org]:
        far = self.world.far
        return connect(far.url, environ={"SF_ACCESS_TOKEN": far.access_token}, api_version="63.0")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()

    def name_everything(journey: Journey, url: str, _token: str) -> None:
        """Set this org, its integration user and this relay in every environment of the config."""
        config = journey.folder / "config" / "sfcode.yaml"
        text = re.sub(r"org: (local|alias:appcues-uat)$", f"org: {url}", config.read_text("utf-8"), flags=re.MULTILINE)
        text = re.sub(r"user_domain: .*", "user_domain: example.com.local", text)
        (config.parent / "recipes.yaml").write_text("version: 1\nnps_history: {}\n", encoding="utf-8")
        config.write_text(re.sub(r"relay_url: .*", f"relay_url: http://127.0.0.1:{port}", text), encoding="utf-8")

    with world(folder, f"sqlite:///{folder / 'relay.db'}", name_everything) as world_of_test:
        for product in ("product-a", "product-b"):
            shutil.copytree(world_of_test.folder / "config", world_of_test.folder / "teams" / product / "config")
        shutil.copyfile(ROOT / "sfcode/local/seed/northwind.yaml", world_of_test.folder / "company.yaml")
        answers = "user_id,score,timestamp\n10003,9,2026-01-05T10:00:00Z\n"
        (world_of_test.folder / "answers.csv").write_text(answers, encoding="utf-8")
        relay = world_of_test.relay(port)
        until(lambda: relay.answers("/readyz") or not relay.runs, f"readiness: {relay.text()[-2000:]}")
        assert relay.runs, relay.text()
        yield Stage(world_of_test, relay)


def test_blocks_are_found() -> None:
    assert len(BLOCKS) > 20


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_works_with_an_org_an_account_and_a_relay(block: Block, stage: Stage, tmp_path: Path) -> None:
    for program in ("curl", "jq", "openssl"):
        if re.search(rf"\b{program} ", block.text) and shutil.which(program) is None:
            pytest.skip(f"{program} is not on this machine")
    far, relay, folder = stage.world.far, stage.relay, stage.folder
    environ = {**stage.world.environ, "SFCODE_ENV": "local", "BROWSER": "true", "TOKEN": far.access_token}
    sign_in = {"SF_ACCESS_TOKEN": far.access_token, "SF_ORG_INSTANCE_URL": far.url}
    client = {name: environ[name] for name in ("SF_CLIENT_ID", "SF_CLIENT_SECRET")} | {"SF_ORG_INSTANCE_URL": far.url}
    environ |= {f"PROD_{name}": value for name, value in sign_in.items()}
    if "sfcode relay" not in block.text:  # the relay signs in as the integration user, which sees the mapped fields
        environ["SF_ACCESS_TOKEN"] = far.access_token
    environ |= {f"RELAY_{name}": value for name, value in client.items()}
    with ExitStack() as stack:
        stack.callback(far.remove_faults)
        for header, (auth, secret) in SIGNING.items():
            if header in block.text:
                environ["SFCODE_RELAY_WEBHOOK_SECRET"] = secret
                relay = serve_with(auth, secret, stage, tmp_path)
        if " import " in block.text:
            click(tmp_path / "org")
            folder = Clicked.start(tmp_path / "project", tmp_path / "org").journey.folder
        text = put_in_names(prepare(block.text, stage, stack), stage, relay)
        code, output = run_at_terminal(text, folder, environ)
    assert code == 0, f"{text}\n{output}"
    assert find_missing_quotes(text, output) == []


def prepare(text: str, stage: Stage, stack: ExitStack) -> str:
    """Create the objects that the commands of a block need, and replace the example names of the page by theirs."""
    if "plan.json" in text and "--out plan.json" not in text:
        stage.run("plan", "--out", "plan.json")
    if "rollback" in text:
        # An edit of another project, since the commands that roll it back must not affect other blocks.
        copy = stage.folder / "teams" / "product-a" / "config" / "mappings" / "contact.yaml"
        original = copy.read_text(encoding="utf-8")
        copy.write_text(original.replace("role: Title", "role: Department"), encoding="utf-8")
        stage.run("--config", "teams/product-a/config", "apply", "--auto-approve")
        copy.write_text(original, encoding="utf-8")
        text = text.replace("sfcode rollback a1b2c3d4", "sfcode rollback")
    if "force-unlock" in text:
        client = stack.enter_context(stage.connect())
        stack.enter_context(hold_lock(client, "Appcues", describe_run("apply"), patience=0, report=lambda _: None))
        lock = find_lock(client, "Appcues")
        assert lock is not None
        text = text.replace("0810X000000abcD", lock.id)
    if "relay show" in text or "relay ack" in text:
        with stage.world.inbox() as inbox:
            inbox.accept([InboxMessage("appcues", "m1", "user:1001", "appcues:nps_score", {"event": {}}, "no_data")])
            message = next(iter(inbox.page(Filter()))).id
            alarms = PendingAlarms()
            alarms.add("salesforce_quota", "the relay has stopped", "2026-11-23T17:00:00Z")
            alarms.flush(inbox)
            alarm = inbox.alarms()[0].id
        text = text.replace("relay show 4711", f"relay show {message}").replace("relay ack 12", f"relay ack {alarm}")
    if "token create" in text:  # two blocks create a token, and names are unique
        text = re.sub(r"\bann\b", f"ann{next(stage.numbers)}", text)
    return text


def put_in_names(text: str, stage: Stage, relay: Relay) -> str:
    """Replace the addresses of a page by those of this stage, and stop each command that runs until Ctrl-C."""
    far = stage.world.far
    text = text.replace("http://127.0.0.1:8301", far.appcues).replace("http://127.0.0.1:8300", far.url)
    text = re.sub(r"https://relay\.example\.com|http://127\.0\.0\.1:8400", relay.url, text)
    text = text.replace("relay tail", "relay tail --for 0").replace("--org alias:prod", "--org local")
    text = text.replace("relay test --user 1001", "relay test --user 10003")
    text = text.replace("curl ", "curl --fail --silent --show-error ")
    return stop_servers(text)


def serve_with(auth: str, secret: str, stage: Stage, folder: Path) -> Relay:
    """Start a separate relay, which checks webhooks with these settings."""
    shutil.copytree(stage.folder / "config", folder / "config")
    Journey(folder).edit("sfcode.yaml", "webhook_auth: {scheme: path}", f"webhook_auth: {auth}")
    environ = {**stage.world.environ, "SFCODE_RELAY_WEBHOOK_SECRET": secret}
    stage_world, database = stage.world, f"sqlite:///{folder / 'relay.db'}"
    other = World(folder, stage_world.far, environ, database, stage_world.relays, stage_world.programs)
    return other.ready(SFCODE_RELAY_DATABASE_URL=database)


def run_at_terminal(script: str, folder: Path, environ: dict[str, str]) -> tuple[int, str]:
    """Run a script at a terminal where a person answers each prompt with yes; return its exit code and its output."""
    keyboard, screen = pty.openpty()
    try:
        os.write(keyboard, b"yes\n" * 10)
        finished = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=folder,
            env={**os.environ, **environ, "PATH": search_path()},
            stdin=screen,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    finally:
        os.close(keyboard)
        os.close(screen)
    return finished.returncode, finished.stdout
