"""The dashboard in a real Chromium: accessible in both themes and on a phone, usable by keyboard, at home in its own origin."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.browser import CONTRAST, VIOLATIONS, find_chromium, open_chromium
from sfcode.relay.inbox import Filter
from sfcode.relay.message import Claim, Delivery, InboxMessage, Parked
from tests.relay.browser import Pages, fill, served_pages
from tests.relay.serving import ADMIN, Recorder, Relay
from tests.waiting import until

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here: apt-get install chromium")

PATHS = (
    "/",
    "/messages?ids=1,5,9",
    "/messages?since=yesterday",
    "/messages/1",
    "/messages/9999999",
    "/messages/change?action=replay&reason=unknown_user",
    "/pauses/new?target=direction:salesforce",
    "/audit",
    "/login",
)
SECONDS = 30
PHONE = 390
"""Pixels across."""
BROKEN_WORDS = """() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("pre, .long, script, option")) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}_]{2,}/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
"""Returns the words that stand on two lines."""


@dataclass
class WrongField(Recorder):
    """A writer whose mapping names a wrong field while it is not mended."""

    is_mended: bool = True

    async def deliver(self, claim: Claim) -> Delivery:
        if self.is_mended:
            return await super().deliver(claim)
        refusal = Parked("string_too_long", "STRING_TOO_LONG (Contact.AssistantName): data value too large")
        return Delivery(dict.fromkeys((message.id for message in claim.messages), refusal))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    relay = Relay(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'relay.db'}")
    relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN
    relay.to_salesforce = WrongField("appcues")
    with served_pages(relay) as pages:
        fill(pages.inbox, datetime.now(UTC))
        pages.inbox.pause("mapping", "contact", "ada")
        yield pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def signed_in(pages: Pages, browser: Any) -> Any:
    """Sign in by keyboard, and give what the browser then keeps."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{pages.url}/")
        page.wait_for_function("document.activeElement.id === 'token'")  # which gets the focus by itself
        page.keyboard.type(ADMIN)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{pages.url}/")
        page.wait_for_selector("text=admin (operator)")
        return context.storage_state()


def test_pages_are_accessible_in_both_themes_and_fit_a_phone(pages: Pages, browser: Any, signed_in: Any) -> None:
    viewport = {"width": PHONE, "height": 800}
    with browser.new_context(color_scheme="light", viewport=viewport, storage_state=signed_in) as context:
        page = context.new_page()
        complaints: list[str] = []
        hosts: set[str] = set()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        rules = axe.Axe().axe_script
        for path in PATHS:
            page.emulate_media(color_scheme="light")
            page.goto(pages.url + path)
            page.evaluate(rules)
            assert page.evaluate(VIOLATIONS) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, path
            assert page.evaluate(BROKEN_WORDS) == [], path
            page.emulate_media(color_scheme="dark")
            assert page.evaluate(CONTRAST) == [], path
        assert hosts == {urlsplit(pages.url).netloc}
        assert not [text for text in complaints if "Content Security Policy" in text]


def test_the_keyboard_reaches_everything_and_replays_a_message(pages: Pages, browser: Any, signed_in: Any) -> None:
    message = InboxMessage("appcues", "keys", "user:keys", "appcues:nps_score", {}, parked="no_campaign")
    pages.inbox.accept([message])
    with browser.new_context(storage_state=signed_in) as context:
        page = context.new_page()
        page.goto(f"{pages.url}/messages?reason=no_campaign")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        _press_on(page, "Replay …")
        page.wait_for_selector("h1:has-text('Replay 1 message?')")
        _press_on(page, "Replay 1 message")
        page.wait_for_selector("text=Done, by admin.")
    assert pages.inbox.count(Filter(reason="no_campaign")) == 0


def test_without_scripts_everything_works_as_well(pages: Pages, browser: Any) -> None:
    pages.inbox.accept([InboxMessage("appcues", "plain", "user:plain", "appcues:nps_score", {}, parked="bad_value")])
    secret = pages.inbox.tokens.create("plain", "operator", None)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{pages.url}/")
        page.fill("#token", secret)
        page.click("text=Sign in")
        page.locator("article.blocked", has_text="bad_value").get_by_role("link").click()
        page.click("text=Discard …")
        page.click("button:has-text('Discard 1 message')")
        end = time.monotonic() + SECONDS
        while "Done, by plain." not in page.inner_text("main"):
            assert time.monotonic() < end
            page.click("text=Refresh")
        page.click("text=Audit")
        page.wait_for_selector("td:has-text('discard')")
        page.click("text=Sign out")
        page.wait_for_selector("text=Sign in")
    assert pages.inbox.count(Filter(reason="bad_value")) == 0


def test_an_open_page_shows_what_happens_unless_somebody_is_at_it(pages: Pages, browser: Any, signed_in: Any) -> None:
    with browser.new_context(storage_state=signed_in) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{pages.url}/audit")
        page.goto(f"{pages.url}/")
        before = page.inner_text("h1")
        assert "alarm waits" in before
        pages.inbox.acknowledge([alarm.id for alarm in pages.inbox.alarms()], "somebody")
        page.focus("button:has-text('Acknowledge')")
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.clock.run_for(30_000)
        assert page.inner_text("h1") == before
        assert requests == [], "nothing moves under a hand"
        page.evaluate("document.activeElement.blur()")
        page.clock.run_for(10_000)
        page.wait_for_selector("h1:has-text('Paused: mapping contact.')")


def test_an_operator_finds_mends_and_replays_five_hundred_blocked_messages(pages: Pages, browser: Any) -> None:
    writer = pages.relay.to_salesforce
    assert isinstance(writer, WrongField)
    choice = Filter(reason="string_too_long")
    writer.is_mended = False
    secret = pages.inbox.tokens.create("ada", "operator", None)
    names = [f"wrong{number}" for number in range(500)]
    pages.inbox.accept([InboxMessage("appcues", name, f"user:{name}", "appcues:nps_feedback", {}) for name in names])
    until(lambda: pages.inbox.count(choice) == 500, "500 blocked messages")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{pages.url}/")
        page.fill("#token", secret)
        page.click("text=Sign in")
        blocked = page.locator("article.blocked", has_text="string_too_long").get_by_role("link")
        assert blocked.inner_text() == "500 messages"
        blocked.click()
        page.click("tbody a >> nth=0")
        assert "Contact.AssistantName" in page.inner_text("main"), "which field, and why"

        writer.is_mended = True
        page.go_back()
        page.click("text=Replay …")
        page.click("button:has-text('Replay 500 messages')")
        page.wait_for_selector("h1:has-text('500 of 500 messages replayed')")
        page.wait_for_selector("text=Done, by ada.")
        until(lambda: len([name for name in writer.delivered if name in names]) >= 500, "500 deliveries")
        page.click("text=Audit")
        page.wait_for_selector("tr:has-text('ada'):has-text('replay'):has-text('500')")
    assert sorted(name for name in writer.delivered if name in names) == sorted(names), "each once"
    assert pages.inbox.count(choice) == 0


def _press_on(page: Any, text: str) -> None:
    """Press Enter on a link or a button, reached by Tab alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", (
                "the focus is seen"
            )
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not reach {text}")
