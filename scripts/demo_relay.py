"""
Show on this machine how data flows from a contact to Appcues, and from a survey to an Event.

The org and the Appcues account are sfcode's own emulators. The relay between them runs as it would anywhere. At the end
Appcues is unavailable for a while, and no data is lost. Everything is in a temporary folder that is deleted. The script
exits with 1 if a step fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

ROOT = Path(__file__).resolve().parent.parent
OUTBOUND, WEBHOOK = "SFCODE_RELAY_OUTBOUND_SECRET", "SFCODE_RELAY_WEBHOOK_SECRET"
INTEGRATION_USER = "appcues.integration@example.com.local"
API = "/services/data/v63.0"
PATIENCE = 60.0
T = TypeVar("T")


class Failed(Exception):
    """Raised when a step does not have its expected effect, which the message names."""


def say(text: str) -> None:
    """Print one paragraph of explanation."""
    print(f"\n# {text}", flush=True)


def show(text: str) -> None:
    """Print one line that describes what happens."""
    print(f"  {text}", flush=True)


def until(description: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
    """Wait for a result; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while not (outcome := look()):
        if time.monotonic() > end:
            raise Failed(f"{description}: no result within {patience:.0f} s")
        time.sleep(0.05)
    return outcome


@dataclass
class Stage:
    """A project in a folder, and its running programs."""

    folder: Path
    environment: dict[str, str]
    org: requests.Session = field(default_factory=requests.Session)
    appcues: requests.Session = field(default_factory=requests.Session)
    org_url: str = ""
    appcues_url: str = ""

    def command(self, *words: str) -> list[str]:
        """Return the command line of sfcode in this project."""
        program = str(Path(sys.executable).with_name("sfcode"))
        return [program, "--config", "config", "--env", "local", *words]

    def sfcode(self, *words: str) -> str:
        """Run one command to its end, and return its output."""
        process = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if process.returncode:
            raise Failed(f"sfcode {' '.join(words)} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
        return process.stdout

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[dict[str, Any]]:
        """Run a serving command until the block ends; yield the line of JSON that it prints when it is ready."""
        log = self.folder / f"{words[-1]}.log"
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                self.command(*words[:-1]), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=errors
            ) as process,
        ):
            try:
                line = process.stdout.readline() if process.stdout else b""
                ready = json.loads(line or b"{}")
                if "url" not in ready:
                    text = ready.get("message") or log.read_text()[-3000:]
                    raise Failed(f"sfcode {' '.join(words[:-1])} did not start:\n{text}")
                yield ready
            finally:
                process.terminate()

    def connect(self, relay: dict[str, Any]) -> None:
        """Sign in to both sides of a ready relay, and subscribe it to webhooks of the local Appcues."""
        self.org_url, self.appcues_url = relay["org_url"], relay["appcues_url"]
        self.org.headers["Authorization"] = f"Bearer {relay['access_token']}"
        self.appcues.auth = ("local-appcues-key", "local-appcues-secret")
        self.assign("Appcues_Viewer", relay["username"])
        hook = {
            "url": f"{relay['url']}/webhooks/appcues",
            "auth": {"scheme": "path", "secret": self.environment[WEBHOOK]},
        }
        self.control("PUT", "webhook", hook)

    def contact(self, user: str) -> dict[str, Any]:
        """Read a contact by its user ID."""
        fields = "Id, Name, Title, Appcues_NPS_Score__c, Appcues_NPS_Feedback__c"
        return self.rows(f"SELECT {fields} FROM Contact WHERE Product_User_Id__c = {user}")[0]  # noqa: S608

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Query the org."""
        answer = self.org.get(f"{self.org_url}{API}/query", params={"q": query}, timeout=20)
        answer.raise_for_status()
        return list(answer.json()["records"])

    def change(self, contact_id: str, **values: Any) -> None:
        """Save a contact in the org, as a person would."""
        answer = self.org.patch(f"{self.org_url}{API}/sobjects/Contact/{contact_id}", json=values, timeout=20)
        answer.raise_for_status()

    def assign(self, permission_set: str, username: str) -> None:
        """Assign a permission set to a user."""
        (row,) = self.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{permission_set}'")  # noqa: S608
        (user,) = self.rows(f"SELECT Id FROM User WHERE Username = '{username}'")  # noqa: S608
        values = {"PermissionSetId": row["Id"], "AssigneeId": user["Id"]}
        url = f"{self.org_url}{API}/sobjects/PermissionSetAssignment"
        self.org.post(url, json=values, timeout=20).raise_for_status()

    def profile(self, user: str) -> dict[str, Any]:
        """Read a profile in Appcues; an empty one if there is none."""
        answer = self.appcues.get(f"{self.appcues_url}/v2/accounts/1/users/{user}/profile", timeout=20)
        return dict(answer.json()) if answer.status_code == 200 else {}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call a control route of the local Appcues, for actions that Appcues' API lacks: answer a survey, arm a fault."""
        answer = self.appcues.request(method, f"{self.appcues_url}/sfcode/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def play(stage: Stage, relay_url: str) -> None:
    """Make changes on each side, and wait for their effects on the other side."""
    user = "10003"
    contact = stage.contact(user)
    say(f"1. Salesforce -> Appcues. {contact['Name']}, who is user {user} in the product, gets another title.")
    show(f"contact   Title: {contact['Title']} -> Chief Customer Officer")
    stage.change(contact["Id"], Title="Chief Customer Officer")
    profile = until("the profile", lambda: stage.profile(user))
    show(f"profile   {', '.join(f'{name}: {value}' for name, value in profile.items() if name != 'user_id')}")

    say("2. Appcues -> Salesforce. The same person answers a survey in the product.")
    answers: list[tuple[str, dict[str, Any]]] = [
        ("appcues:nps_score", {"score": 9}),
        ("appcues:nps_feedback", {"feedback": "It just works."}),
    ]
    page = {"_identity": {"_currentPageUrl": "https://app.example.com/home", "_currentPageTitle": "Home"}}
    for name, attributes in answers:
        show(f"Appcues   {name} {attributes}")
    events = [{"user_id": user, "name": name, "attributes": {**answer, **page}} for name, answer in answers]
    stage.control("POST", "trigger", events)
    query = f"SELECT Subject, Description FROM Event WHERE WhoId = '{contact['Id']}' ORDER BY Subject"  # noqa: S608
    for event in until("the Events", lambda: rows if len(rows := stage.rows(query)) == len(answers) else None) or ():
        show(f"Event     {event['Subject']}: {event['Description']}")
    scored = until("the score", lambda: row if (row := stage.contact(user))["Appcues_NPS_Feedback__c"] else None) or {}
    show(f"contact   score {scored['Appcues_NPS_Score__c']:g}, feedback {scored['Appcues_NPS_Feedback__c']!r}")

    say("3. Appcues goes down, and the contact changes twice meanwhile.")
    stage.control("POST", "faults", {"kind": "unavailable", "times": 1_000_000, "path": "/v2/*"})
    for title in ("Chief Everything Officer", "Founder"):
        show(f"contact   Title: {title}")
        stage.change(contact["Id"], Title=title)
    until(
        "a refused request",
        lambda: any(request["status"] == 503 for request in stage.control("GET", "requests")["requests"]),
    )
    for line in stage.sfcode("relay", "status").splitlines():
        show(f"relay     {line}")
    show("Appcues   is back")
    stage.control("DELETE", "faults")
    role = until("the latest title", lambda: stage.profile(user).get("role") == "Founder" and "Founder")
    show(f"profile   role: {role}")
    show(f"(the relay's dashboard was at {relay_url}/)")


@contextlib.contextmanager
def reserve_port() -> Iterator[socket.socket]:
    """Reserve a free port until the relay listens on it."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved


def demo(folder: Path) -> None:
    """Set everything up in a folder, and run the scenes."""
    with reserve_port() as reserved:
        set_up_and_play(folder, reserved.getsockname()[1])


def set_up_and_play(folder: Path, relay_port: int) -> None:
    """Apply the project with the relay's URL, start everything, and run the scenes."""
    shutil.copytree(ROOT / "config", folder / "config")
    settings = folder / "config" / "sfcode.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("http://127.0.0.1:8400", f"http://127.0.0.1:{relay_port}"), encoding="utf-8")
    # Variables of the user's own orgs and accounts are removed.
    foreign = ("SF_", "SFDX_", "SFCODE_", "APPCUES_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {OUTBOUND: secrets.token_urlsafe(24), WEBHOOK: secrets.token_urlsafe(24)}
    stage = Stage(folder, environment)
    stage.org.trust_env = stage.appcues.trust_env = False

    say(
        "A local org and a local Appcues start, and config/ is applied to the org: fields, message, flow, user, permissions."
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(stage.org)
        stack.enter_context(stage.appcues)
        far = stack.enter_context(
            stage.running("local", "serve", "--port", "0", "--state", "org", "--json", "far-sides")
        )
        stage.org_url, stage.appcues_url = far["url"], far["appcues_url"]
        stage.org.headers["Authorization"] = f"Bearer {far['access_token']}"
        key, secret = "local-appcues-key", "local-appcues-secret"
        stage.appcues.auth = (key, secret)
        environment["SF_ACCESS_TOKEN"] = far["access_token"]
        applied = stage.sfcode("--org", far["url"], "apply", "--auto-approve")
        show(next(line for line in applied.splitlines() if line.startswith("Apply complete")))
        del environment["SF_ACCESS_TOKEN"]
        # Nobody can read new fields without the viewers' permission set, so the administrator gets it.
        stage.assign("Appcues_Viewer", far["username"])

        say(
            "The relay starts. It signs in to the org as the integration user, with only the permissions of the mappings."
        )
        words = ("--json", "local", "app", "relay", "--run-as", INTEGRATION_USER, "--state", "org")
        app = json.loads(stage.sfcode(*words))["result"]
        environment |= {"SF_CLIENT_ID": app["consumer_key"], "SF_CLIENT_SECRET": app["consumer_secret"]}
        environment |= {"APPCUES_API_URL": far["appcues_url"], "APPCUES_API_KEY": key, "APPCUES_API_SECRET": secret}
        relay = stack.enter_context(
            stage.running("--org", far["url"], "relay", "serve", "--port", str(relay_port), "--json", "relay")
        )
        show(f"relay     {relay['url']}")
        webhook = {
            "url": f"{relay['url']}/webhooks/appcues",
            "auth": {"scheme": "path", "secret": environment[WEBHOOK]},
        }
        stage.control("PUT", "webhook", webhook)
        play(stage, relay["url"])


def main() -> int:
    """Run the demo in a temporary folder."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sfcode-demo-relay-") as folder:
        try:
            demo(Path(folder))
        except (Failed, requests.RequestException) as error:
            say(f"This did not work: {error}")
            for log in sorted(Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
            return 1
    say(f"Done in {time.monotonic() - started:.1f} s. docs/relay.md says how to run the relay for real.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
