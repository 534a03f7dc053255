"""The time in which an operator finds a user's failed message among 100,000, in a browser and with commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import relay_million
from benchmarks.measure import ROOT, ProgramMissing
from scripts.browser import find_chromium, open_chromium
from sfcode.relay.inbox import open_inbox
from sfcode.relay.message import InboxMessage
from tests.relay.browser import served_pages
from tests.relay.serving import ADMIN, Relay

ROWS = 100_000
USER = "ann.example@example.com"
KEY, POINT, CLICK, HAND, THINK = 0.28, 1.1, 0.2, 0.4, 1.35
"""Seconds in the keystroke-level model: a key of an average typist, pointing, a click, moving a hand, a thought."""


@dataclass(slots=True)
class Effort:
    """The actions of a person, and the response times of the relay."""

    keys: int = 0
    clicks: int = 0
    moves: int = 0
    thoughts: int = 0
    answers: int = 0
    waited: float = 0.0

    @property
    def seconds(self) -> float:
        """The estimated time of the person plus the measured time of the relay."""
        acts = self.keys * KEY + self.clicks * (POINT + CLICK) + self.moves * HAND + self.thoughts * THINK
        return acts + self.waited

    def describe(self) -> str:
        """Return the effort as the cells of a row."""
        return f"{self.clicks} | {self.keys} | {self.answers} | {self.waited:.2f} s | {self.seconds:.0f} s"


def search_in_browser(page: Any, url: str) -> Effort:
    """Find the message from the first page: type the user's ID, open the blocked message, read the cause."""
    effort = Effort()
    page.goto(url)

    def wait_for(act: Any, text: str) -> None:
        began = time.perf_counter()
        act()
        page.wait_for_selector(text)
        effort.waited += time.perf_counter() - began
        effort.answers += 1

    effort.thoughts, effort.clicks, effort.moves = 3, 2, 2
    box = page.get_by_label("User or record")
    box.fill(USER)
    effort.keys = len(USER) + 1
    wait_for(lambda: box.press("Enter"), "td:has-text('waits for a person')")
    row = page.locator("tr", has_text="waits for a person").first
    wait_for(lambda: row.get_by_role("link").click(), "text=no record in Salesforce has this user ID")
    return effort


def search_by_commands(environ: dict[str, str]) -> Effort:
    """Find the message with `relay list` and `relay show`."""
    effort = Effort(thoughts=3)
    number = ""
    for words, text in (
        (f"relay list --user {USER}", "unknown_user"),
        ("relay show {}", "no record in Salesforce has"),
    ):
        command = words.format(number).split()
        began = time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-m", "sfcode", *command],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        effort.waited += time.perf_counter() - began
        effort.keys += len(" ".join(["sfcode", *command])) + 1
        effort.answers += 1
        line = next(line for line in result.stdout.splitlines() if text in line)
        number = line.split()[0]
    return effort


def table() -> str:
    """
    Measure both ways and return the figures as Markdown.

    Raises:
        ProgramMissing: Chromium is not installed.

    """
    if find_chromium() is None:
        raise ProgramMissing("Chromium")
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as folder:
        relay = Relay(f"sqlite:///{Path(folder) / 'relay.db'}")
        relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN
        with open_inbox(relay.database) as inbox:
            relay_million.fill(inbox, ROWS)
            payload = {"user_id": USER, "event": {"score": 9}}
            messages = [
                InboxMessage("appcues", f"ann{number}", f"user:{USER}", "appcues:nps_score", payload, parked=reason)
                for number, reason in enumerate(["discarded"] * 5 + ["unknown_user"])
            ]
            inbox.accept(messages)
        with served_pages(relay) as pages, open_chromium(Path(folder)) as browser, browser.new_context() as context:
            page = context.new_page()
            page.goto(pages.url)
            page.fill("#token", ADMIN)
            page.click("text=Sign in")
            page.wait_for_selector("text=admin (operator)")
            browsed = search_in_browser(page, pages.url)
        environ = {**os.environ, "SFCODE_RELAY_DATABASE_URL": relay.database, "SFCODE_ENV": "local"}
        typed = search_by_commands(environ)
    head = f"| {ROWS:,} messages | clicks | keys | answers | waited | in all |\n|{' --- |' + ' ---: |' * 5}"
    return f"{head}\n| dashboard | {browsed.describe()} |\n| commands | {typed.describe()} |"


if __name__ == "__main__":
    print(table())
