"""
Take the pictures of the documentation with Chromium: the page of a plan, and the relay's dashboard.

Both are pages of a real project in a temporary folder, with the local org and the local Appcues. `make pictures` runs this.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import requests

from scripts.browser import PROGRAMS, find_chromium
from scripts.demo import make_environment
from scripts.demo_relay import ROOT, Failed, Stage, play, reserve_port, until

PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1280
PLAN_HEIGHT, DASHBOARD_HEIGHT = 1500, 1100
"""The heights of the parts of both pages that the pictures show, in pixels."""
DARK, LIGHT = 0, 1
"""Chromium's numbers for the themes that a page may prefer."""
CHART = "<svg"
"""The beginning of a chart, which the dashboard contains as soon as the relay has stored the figures of a minute."""
CHANGES = (
    ("mappings/contact.yaml", "    plan: Plan__c\n", "    account_plan: Plan__c\n    phone: MobilePhone\n"),
    ("mappings/contact.yaml", "department: Department", "department: LeadSource"),
    ("mappings/contact.yaml", "    - goal_reached\n", ""),
)
"""The changes after a first apply that the pictured plan shows: file, old text, new text."""


def take(browser: str, url: str, name: str, height: int) -> None:
    """Write a picture of a page, and one of it with the dark theme."""
    PICTURES.mkdir(exist_ok=True)
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1", "--disable-gpu")
    for file, scheme in {f"{name}.png": LIGHT, f"{name}-dark.png": DARK}.items():
        path = PICTURES / file
        size, theme = f"--window-size={WIDTH},{height}", f"--blink-settings=preferredColorScheme={scheme}"
        command = [browser, *options, size, theme, "--virtual-time-budget=3000", f"--screenshot={path}", url]
        subprocess.run(command, check=True, capture_output=True)
        print(f"wrote {path.relative_to(ROOT)}")


def take_plan(browser: str, stage: Stage) -> None:
    """Apply the config, change it, and take the page of the plan."""
    stage.sfcode("apply", "--auto-approve")
    for file, old, new in CHANGES:
        path = stage.folder / "config" / file
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise Failed(f"{file} has no {old!r} any more: change CHANGES in scripts/pictures.py")
        path.write_text(text.replace(old, new), encoding="utf-8")
    page = stage.folder / "plan.html"
    stage.sfcode("open", "--output", str(page), "--quiet")
    take(browser, page.as_uri(), "plan", PLAN_HEIGHT)


def take_dashboard(browser: str, folder: Path) -> None:
    """Let data flow as the demo does, and take the dashboard."""
    shutil.copytree(ROOT / "config", folder / "config")
    stage = Stage(folder, make_environment())
    stage.org.trust_env = stage.appcues.trust_env = False
    with ExitStack() as stack:
        port = stack.enter_context(reserve_port()).getsockname()[1]
        settings = folder / "config" / "sfcode.yaml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("http://127.0.0.1:8400", f"http://127.0.0.1:{port}"), encoding="utf-8")
        stage.sfcode("apply", "--auto-approve")
        stack.enter_context(stage.org)
        stack.enter_context(stage.appcues)
        relay = stack.enter_context(stage.running("relay", "serve", "--port", str(port), "--json", "relay"))
        stage.connect(relay)
        play(stage, relay["url"])
        strangers = [{"user_id": f"guest-{number}", "name": "appcues:flow_completed"} for number in range(3)]
        stage.control("POST", "trigger", strangers)
        until("the figures of a minute", lambda: CHART in requests.get(relay["url"], timeout=20).text, 3 * 60)
        take(browser, relay["url"], "dashboard", DASHBOARD_HEIGHT)


def main() -> int:
    """Take all pictures."""
    try:
        browser = find_chromium()
        if browser is None:
            raise Failed(f"no browser was found: install one of {', '.join(PROGRAMS)}")
        with tempfile.TemporaryDirectory(prefix="sfcode-pictures-") as folder:
            shutil.copytree(ROOT / "config", Path(folder) / "plan" / "config")
            take_plan(browser, Stage(Path(folder) / "plan", make_environment()))
            (Path(folder) / "relay").mkdir()
            take_dashboard(browser, Path(folder) / "relay")
    except Failed as error:
        print(f"make pictures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
