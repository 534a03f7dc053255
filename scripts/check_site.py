"""
Read the built documentation site in Chromium: axe-core on every page, light and dark, on a desktop and on a phone.

`python -m scripts.check_site FOLDER` prints the problems, and exits with 1 if there is one. `make site` runs it on the
built site.
"""

from __future__ import annotations

import functools
import http.server
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.browser import CONTRAST, VIOLATIONS, find_chromium, open_chromium

WIDTHS = (1280, 390)
"""The widths of a desktop and of a phone, in pixels."""
THEMES = {"light": "default", "dark": "slate"}
"""The color schemes of browsers, and their names on the pages of the site."""
NO_MOTION = "*, ::before, ::after { animation: none !important; transition: none !important }"
"""
The style that turns off animations: otherwise colors would be checked while they fade after a change of the width.
"""


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log no requests."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on loopback; yield the URL."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def check_pages(browser: Any, url: str, paths: Iterable[str]) -> list[str]:
    """Return the problems of pages below an address, each once, with the page and the first width and theme that show it."""
    from axe_playwright_python.sync_playwright import Axe

    problems: dict[tuple[str, str], str] = {}
    for theme in THEMES:
        # Each theme has its own browser context, since a page keeps the theme with which it was loaded.
        with browser.new_context(color_scheme=theme) as context:
            page = context.new_page()
            for path in paths:
                page.goto(f"{url}/{path}")
                page.add_style_tag(content=NO_MOTION)
                page.evaluate(Axe().axe_script)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 800})
                    for problem in _list_problems(page, width, theme):
                        problems.setdefault((path, problem), f"{path}, {width} pixels, {theme}: {problem}")
    return list(problems.values())


def _list_problems(page: Any, width: int, theme: str) -> Iterator[str]:
    if page.evaluate("document.documentElement.scrollWidth") > width:
        yield "the page is wider than the screen"
    scheme = page.evaluate("document.body.dataset.mdColorScheme")
    if scheme not in {None, THEMES[theme]}:
        yield f"the page has the color scheme {scheme}"
    for violation in page.evaluate(VIOLATIONS if theme == "light" else CONTRAST):
        for node in violation["nodes"]:
            yield f"{violation['id']}: {' '.join(map(str, node['target']))}"


def main(folder: str) -> int:
    """Check all pages of a site; return the exit code."""
    if find_chromium() is None:
        print("make site: there is no Chromium here, so the pages were built and not read", file=sys.stderr)
        return 0
    paths = sorted(page.relative_to(folder).as_posix() for page in Path(folder).rglob("*.html"))
    with tempfile.TemporaryDirectory() as home, serve_folder(Path(folder)) as url, open_chromium(Path(home)) as browser:
        problems = check_pages(browser, url, paths)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(paths)} pages were read in Chromium, with {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
