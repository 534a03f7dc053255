"""
Show the main job on this machine: plan, apply, plan again, against an org that sfcode serves to itself; then one use case.

Works on a copy of config/ in a temporary folder, so it leaves nothing behind. Exits 1 if the second
plan still finds something to change, or if the report of the use case stays empty.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from scripts.demo_relay import API, WEBHOOK, Failed, Stage, until

ROOT = Path(__file__).resolve().parent.parent
OUTBOUND = "SFCODE_RELAY_OUTBOUND_SECRET"
FOREIGN = ("SF_", "SFDX_", "SFCODE_", "APPCUES_")
RECIPES = "version: 1\nnps_history: {}\nnps_by_account: {}\n"


def say(text: str) -> None:
    """Print one paragraph of explanation."""
    print(f"\n# {text}", flush=True)


def sfcode(folder: Path, environment: dict[str, str], *arguments: str) -> int:
    """Run one command as a user would, and show it."""
    words = ("sfcode", "--config", "config", "--env", "local", *arguments)
    print(f"\n$ {' '.join(words)}\n", flush=True)
    command = [str(Path(sys.executable).with_name("sfcode")), *words[1:]]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def make_environment() -> dict[str, str]:
    """Return this process's variables with new secrets, and without those of other projects and orgs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**environment, OUTBOUND: secrets.token_urlsafe(24), WEBHOOK: secrets.token_urlsafe(24)}


def demo(folder: Path) -> int:
    """Plan, apply, and plan again in `folder`; return the exit code of the demo."""
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "config" / "recipes.yaml").write_text(RECIPES, encoding="utf-8")
    environment = make_environment()

    say("The integration of this repository's config/ against an org that runs on this machine.")
    print(f"# Everything is in {folder} and goes away at the end.")
    print(f"# {OUTBOUND} is made up for this run; a real one comes from your secret store.")

    say("1. What would change in the org? Nothing is touched.")
    if sfcode(folder, environment, "plan"):
        return 1
    say("2. Do it: one package, one transaction, with the user before and the assignments after.")
    if sfcode(folder, environment, "apply", "--auto-approve"):
        return 1
    say("3. Ask again. An exit code of 0 says that the org is what config/ asks for; 2 would say that it is not.")
    answer = sfcode(folder, environment, "plan", "--detailed-exitcode")
    if answer:
        say(f"The second plan ended with {answer}: it should have found nothing to change.")
        return 1
    return 0


def show_use_case(folder: Path) -> None:
    """Answer a survey in the local Appcues, and show the report in the org; the relay delivers the answers."""
    say("4. A use case: customers answer an NPS survey in the product, and sales reads NPS by account in a report.")
    stage = Stage(folder, make_environment())
    stage.org.trust_env = stage.appcues.trust_env = False
    with stage.org, stage.appcues, stage.running("relay", "serve", "--port", "0", "--json", "relay") as relay:
        stage.connect(relay)
        people = stage.rows(
            "SELECT Product_User_Id__c FROM Contact WHERE Product_User_Id__c != null AND AccountId != null "
            "ORDER BY Product_User_Id__c LIMIT 14"
        )
        ids = [f"{row['Product_User_Id__c']:.0f}" for row in people]
        users = [user for user in ids if ids.count(user) == 1]  # an ID of two contacts is ambiguous
        events: list[dict[str, Any]] = [
            {
                "user_id": user,
                "name": "appcues:nps_score",
                "attributes": {"score": 10 - number % 5 * 2, "flowName": "Autumn survey"},
            }
            for number, user in enumerate(users)
        ]
        stage.control("POST", "trigger", events)
        print(f"\n  {len(events)} people answer in Appcues, which tells the relay.", flush=True)
        (report,) = stage.rows("SELECT Id FROM Report WHERE DeveloperName = 'NPS_By_Account'")

        def read() -> Any:
            answer = stage.org.get(f"{stage.org_url}{API}/analytics/reports/{report['Id']}", timeout=20)
            answer.raise_for_status()
            document = answer.json()
            return document if document["factMap"]["T!T"]["aggregates"][1]["value"] == len(events) else None

        document = until("the report", read)
        for group in document["groupingsDown"]["groupings"]:
            score, answers = (
                aggregate["value"] for aggregate in document["factMap"][f"{group['key']}!T"]["aggregates"]
            )
            noun = "answer" if answers == 1 else "answers"
            print(f"  {group['label']:<24} NPS {score:>5.0f}, of {answers} {noun}", flush=True)


def main() -> int:
    """Run the demo in a temporary folder."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sfcode-demo-") as folder:
        code = demo(Path(folder))
        try:
            if code == 0:
                show_use_case(Path(folder))
        except (Failed, requests.RequestException) as error:
            say(f"This did not work: {error}")
            code = 1
    if code == 0:
        say(f"Done in {time.monotonic() - started:.1f} s. Change a mapping in config/mappings/ and run it again.")
    return code


if __name__ == "__main__":
    sys.exit(main())
