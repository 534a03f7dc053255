"""A project that is applied to a local org, a local Appcues, and relays as separate processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from sfcode.config import load
from sfcode.relay.inbox import Inbox, open_inbox
from tests.e2e.journey import SECRET, Journey
from tests.programs import Program
from tests.waiting import PATIENCE, free_port, until

INTEGRATION = "appcues.integration@example.com.local"
WEBHOOK = "webhook-secret-0123456789"
API = "/services/data/v63.0"


@dataclass
class FarSide:
    """The local org and the local Appcues in a separate process, used as the org's administrator."""

    process: Program
    url: str
    access_token: str
    org_id: str
    appcues: str
    org: requests.Session
    account: requests.Session

    def rows(self, query: str) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        path = f"{API}/query"
        answer = self.org.get(self.url + path, params={"q": query}, timeout=PATIENCE).json()
        while True:
            records += answer["records"]
            if answer["done"]:
                return records
            answer = self.org.get(self.url + answer["nextRecordsUrl"], timeout=PATIENCE).json()

    def create(self, records: list[dict[str, Any]]) -> list[str]:
        ids: list[str] = []
        for start in range(0, len(records), 200):
            answer = self.org.post(
                f"{self.url}{API}/composite/sobjects",
                json={"allOrNone": True, "records": records[start : start + 200]},
                timeout=PATIENCE,
            ).json()
            assert all(entry["success"] for entry in answer), answer[:2]
            ids += [entry["id"] for entry in answer]
        return ids

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Return the profiles of all users."""
        answer = self.account.get(f"{self.appcues}/sfcode/profiles", timeout=PATIENCE).json()
        return dict(answer["users"])

    def calls(self) -> list[dict[str, Any]]:
        """Return the requests to Appcues' API."""
        return list(self.account.get(f"{self.appcues}/sfcode/requests", timeout=PATIENCE).json()["requests"])

    def arm(self, **fault: Any) -> None:
        """Set a fault of the org."""
        answer = self.org.post(f"{self.url}/services/sfcode/faults", json=fault, timeout=PATIENCE)
        assert answer.ok, answer.text

    def arm_appcues(self, **fault: Any) -> None:
        """Set a fault of Appcues."""
        answer = self.account.post(f"{self.appcues}/sfcode/faults", json=fault, timeout=PATIENCE)
        assert answer.ok, answer.text

    def remove_faults(self) -> None:
        """Remove all faults."""
        assert self.org.delete(f"{self.url}/services/sfcode/faults", timeout=PATIENCE).ok
        assert self.account.delete(f"{self.appcues}/sfcode/faults", timeout=PATIENCE).ok


@dataclass
class Relay:
    """One relay process."""

    pid: int
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend the process, as the suspension of its machine does."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def ended(self, seconds: float = PATIENCE) -> None:
        until(lambda: not self.runs, f"the end of relay {self.pid}\n{self.text()[-3000:]}", seconds)

    def text(self) -> str:
        """Return the output of the process."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def get(self, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, timeout=PATIENCE, **more)

    def answers(self, path: str = "/healthz") -> bool:
        try:
            return self.get(path).status_code == 200
        except requests.ConnectionError:
            return False


@dataclass
class World:
    """All resources of one end-to-end test."""

    folder: Path
    far: FarSide
    environ: dict[str, str]
    database: str
    relays: list[Relay] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)

    def relay(self, port: int | None = None, *options: str, org: str = "", **environ: str) -> Relay:
        """Start a relay without waiting until it answers."""
        port = port or free_port()
        log = self.folder / f"relay-{port}.log"
        words = [
            "--env",
            "local",
            "--org",
            org or self.far.url,
            "relay",
            "serve",
            "--port",
            str(port),
            "--json",
            *options,
        ]
        environ = {**os.environ, **self.environ, **environ}
        with log.open("a") as output:
            program = Program(
                words, cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self.programs.append(program)
        relay = Relay(program.pid, port, log)
        self.relays.append(relay)
        return relay

    def ready(self, *options: str, org: str = "", **environ: str) -> Relay:
        """Start a relay and wait until it is ready."""
        relay = self.relay(None, *options, org=org, **environ)
        until(lambda: relay.answers("/readyz") or not relay.runs, f"readiness: {relay.text()[-2000:]}")
        assert relay.runs, relay.text()
        return relay

    @contextlib.contextmanager
    def inbox(self, database: str = "") -> Iterator[Inbox]:
        with open_inbox(database or self.database) as inbox:
            yield inbox

    def contacts(self, people: Sequence[str]) -> dict[str, str]:
        """Create a contact for each user; return the IDs of the contacts by user."""
        account = self.far.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
        common = {"attributes": {"type": "Contact"}, "AccountId": account}
        records = [common | {"LastName": f"Load {user}", "Product_User_Id__c": int(user)} for user in people]
        return dict(zip(people, self.far.create(records), strict=True))

    @property
    def outbound_path(self) -> str:
        """Return the URL of the org's outbound messages about contacts."""
        project = load(self.folder / "config", "local")
        contact = next(mapping for mapping in project.resolved if mapping.name == "contact")
        return f"/outbound-messages/contact/{SECRET}?v={contact.message_version}"

    @property
    def webhook_path(self) -> str:
        return f"/webhooks/appcues/{WEBHOOK}"

    def close(self) -> None:
        for relay in self.relays:
            relay.kill()
        for program in self.programs:
            program.wait(PATIENCE)


@contextlib.contextmanager
def world(
    folder: Path,
    database: str,
    prepare: Callable[[Journey, str, str], None] = lambda *_: None,
    *,
    deliver: bool = False,
) -> Iterator[World]:
    """
    Start everything, and stop it at the end.

    `prepare` is called before the apply, with the address and token of the org. The org sends outbound messages only
    with `deliver`.
    """
    journey = Journey.start(folder / "project")
    quiet = () if deliver else ("--no-deliveries",)
    process = journey.spawn("local", "serve", "--json", "--port", "0", "--state", "org", *quiet)
    with contextlib.ExitStack() as stack:
        stack.callback(_end, process)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        org = stack.enter_context(requests.Session())
        account = stack.enter_context(requests.Session())
        org.trust_env = account.trust_env = False
        org.headers["Authorization"] = f"Bearer {ready['access_token']}"
        account.auth = ("local-appcues-key", "local-appcues-secret")
        far = FarSide(process, ready["url"], ready["access_token"], ready["org_id"], ready["appcues_url"], org, account)
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": ready["access_token"]}
        prepare(journey, far.url, far.access_token)
        applied = journey.run("--org", far.url, "apply", "--auto-approve")
        assert applied.code == 0, applied.err
        app = journey.run("--json", "local", "app", "relay", "--run-as", INTEGRATION, "--state", "org").json["result"]
        environ = {
            "SFCODE_RELAY_DATABASE_URL": database,
            "SFCODE_RELAY_OUTBOUND_SECRET": SECRET,
            "SFCODE_RELAY_WEBHOOK_SECRET": WEBHOOK,
            "SF_CLIENT_ID": app["consumer_key"],
            "SF_CLIENT_SECRET": app["consumer_secret"],
            "APPCUES_API_URL": far.appcues,
            "APPCUES_API_KEY": "local-appcues-key",
            "APPCUES_API_SECRET": "local-appcues-secret",
        }
        new_world = World(journey.folder, far, environ, database)
        stack.callback(new_world.close)
        yield new_world


def _end(process: Program) -> None:
    process.terminate()
    process.wait(PATIENCE)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
