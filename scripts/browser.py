"""A real Chromium for pages of this machine, and axe-core, which checks their accessibility."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIOLATIONS = "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"
"""The JavaScript that runs axe-core in a page and returns the violations."""
CONTRAST = "axe.run({runOnly: ['color-contrast']}).then((found) => found.violations)"
"""The JavaScript that checks only the color contrast, for a page in another theme."""


def find_chromium() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def open_chromium(home: Path) -> Iterator[Any]:
    """Open a browser whose files are stored in the folder `home`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium does not start as root with its sandbox. CI may run as root, and opens only pages of this machine.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[*sandbox, "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
            env={**os.environ, "HOME": str(home)},
        )
        try:
            yield browser
        finally:
            browser.close()
