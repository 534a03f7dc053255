"""The documentation site: every page is in the navigation, and every link leads to a page of the site."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scripts.browser import find_chromium, open_chromium
from scripts.check_site import check_pages, serve_folder
from scripts.site import add_dark_pictures, rewrite_links, write

ROOT = Path(__file__).resolve().parents[1]
PAGE = """\
<html lang="en"><head><title>A</title><meta name="viewport" content="width=device-width"><style>
  @media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} }}
</style></head><body><main><h1>A</h1>{}</main></body></html>
"""
needs_chromium = pytest.mark.skipif(
    find_chromium() is None, reason="there is no Chromium here: apt-get install chromium"
)


def listed(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            yield from listed(value) if isinstance(value, list) else [value]


def test_the_navigation_has_every_page_once_and_nothing_else(tmp_path):
    names = write(tmp_path / "website")
    nav = list(listed(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]))
    # Decisions are listed on their own page instead of the navigation.
    assert sorted(nav) == sorted(
        name for name in names if not name.startswith("decisions/") or name == "decisions/README.md"
    )
    assert (tmp_path / "website/zensical.toml").is_file()


def test_pages_of_an_earlier_build_are_deleted(tmp_path):
    stale = tmp_path / "website/pages/gone.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("", encoding="utf-8")
    write(tmp_path / "website")
    assert not stale.exists()


@pytest.mark.parametrize(
    ("path", "text", "rewritten"),
    [
        (
            "docs/relay.md",
            "[log](../CHANGELOG.md#a) [in](relay-inbox.md)",
            "[log](changelog.md#a) [in](relay-inbox.md)",
        ),
        ("docs/guide/review.md", "[x](../../SECURITY.md)", "[x](../security.md)"),
        ("CONTRIBUTING.md", "[d](docs/decisions/README.md)", "[d](decisions/README.md)"),
        ("benchmarks/RESULTS.md", "[d](../docs/relay.md)", "[d](relay.md)"),
        ("docs/relay.md", "[code](../sfcode/relay/main.py) [`t`](../tests)", "code `t`"),
        (
            "docs/relay.md",
            "[a](https://example.com) [b](#here) ![c](x.png)",
            "[a](https://example.com) [b](#here) ![c](x.png)",
        ),
        ("docs/relay.md", "```\n[log](../CHANGELOG.md)\n```\n", "```\n[log](../CHANGELOG.md)\n```\n"),
        (
            "docs/relay.md",
            "| a | https://a.example/b | (https://a.example/c). `https://a.example/d`",
            "| a | <https://a.example/b> | (<https://a.example/c>). `https://a.example/d`",
        ),
    ],
)
def test_links_lead_to_pages_of_the_site(path, text, rewritten):
    assert rewrite_links(text, path) == rewritten


def test_a_picture_is_shown_with_the_theme_that_it_fits(tmp_path):
    for name in ("plan.png", "plan-dark.png", "other.png"):
        (tmp_path / name).touch()
    assert add_dark_pictures("![a b](plan.png)\n![c](other.png)", tmp_path) == (
        "![a b](plan.png#only-light)![a b](plan-dark.png#only-dark)\n![c](other.png)"
    )


def test_the_threat_model_names_tests_that_exist():
    named_tests = set(re.findall(r"`(tests/[^`]*)`", (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")))
    assert len(named_tests) > 20
    assert [name for name in sorted(named_tests) if not (ROOT / name).exists()] == []


def test_a_header_of_every_table_names_its_column():
    """A screen reader reads the header with each cell."""
    nameless = [
        f"{page.relative_to(ROOT)}:{number}"
        for page in (*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"))
        for number, (line, following) in enumerate(pairwise(page.read_text(encoding="utf-8").splitlines()), 1)
        if re.fullmatch(r"(\| *:?-+:? *)+\|", following) and re.search(r"\| *\|", line)
    ]
    assert nameless == []


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@needs_chromium
def test_an_inaccessible_page_is_found(tmp_path: Path, browser: Any) -> None:
    contents = {
        "good.html": "<p>a</p>",
        "nameless.html": "<p><a href='/'></a></p>",
        "dark.html": "<p style='color: #333'>Some words</p>",
        "wide.html": "<p style='width: 600px'>a</p>",
        "stuck.html": "<p>a</p><script>document.body.dataset.mdColorScheme = 'default'</script>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(PAGE.format(content), encoding="utf-8")
    with serve_folder(tmp_path) as url:
        problems = check_pages(browser, url, contents)
    assert problems == [
        "nameless.html, 1280 pixels, light: link-name: a",
        "wide.html, 390 pixels, light: the page is wider than the screen",
        "dark.html, 1280 pixels, dark: color-contrast: p",
        "stuck.html, 1280 pixels, dark: the page has the color scheme default",
    ]
