"""The dashboard in a real Chromium: accessible in both themes and on a phone, and usable with the keyboard."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from scripts.browser import CONTRAST, VIOLATIONS, find_chromium, open_chromium
from sfcode.relay.inbox import Filter
from sfcode.relay.message import InboxMessage
from tests.e2e.journey import Journey
from tests.relay.browser import Pages, fill, served_pages
from tests.relay.e2e.sender import send_all
from tests.relay.e2e.traffic import Post
from tests.relay.e2e.world import Relay as Process
from tests.relay.e2e.world import World, world
from tests.relay.notify.receiver import SECRET, NotificationReceiver, receiving
from tests.relay.serving import ADMIN, Relay
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
"""The width of a phone in pixels."""
MAPPING = "mappings/contact.yaml"
SCORE, WRONG_SCORE = "score: {field: Appcues_NPS_Score__c", "score: {field: Appcues_NPS_Skore__c"
NOTIFY = """
  notify: [{form: standard_webhooks, url_variable: ALERTS_URL, secret_variable: ALERTS_SECRET}]
  activities_as: event"""
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
"""A function that returns the words which are broken across two lines."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    relay = Relay(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'relay.db'}")
    relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN
    with served_pages(relay, lambda inbox: fill(inbox, datetime.now(UTC))) as pages:
        pages.inbox.pause("mapping", "contact", "ada")
        yield pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def receiver() -> Iterator[NotificationReceiver]:
    with receiving() as state:
        yield state


@pytest.fixture
def around(tmp_path: Path, receiver: NotificationReceiver) -> Iterator[World]:
    """Return a local org with the applied config, and the resources of a relay that notifies the receiver."""

    def prepare(journey: Journey, _url: str, _token: str) -> None:
        journey.edit("sfcode.yaml", "\n  activities_as: event", NOTIFY)

    with world(tmp_path, f"sqlite:///{tmp_path / 'relay.db'}", prepare) as around:
        around.environ |= {"ALERTS_URL": receiver.url, "ALERTS_SECRET": SECRET, "SFCODE_RELAY_ADMIN_TOKEN": ADMIN}
        yield around


@pytest.fixture(scope="module")
def signed_in(pages: Pages, browser: Any) -> Any:
    """Sign in with the keyboard, and return the browser's cookies."""
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


def test_a_mapping_with_a_long_name_fits_a_phone(pages: Pages, browser: Any, signed_in: Any) -> None:
    name = "people_" * 10
    pages.inbox.accept([InboxMessage("salesforce", name * 2, "user:long", name, {}, parked="bad_value")])
    message = pages.inbox.page(Filter(kind=name))[0].id
    pages.inbox.pause("mapping", name, "ada")
    try:
        with browser.new_context(viewport={"width": PHONE, "height": 800}, storage_state=signed_in) as context:
            page = context.new_page()
            for path in ("/", "/messages", f"/messages/{message}"):
                page.goto(pages.url + path)
                assert name in page.inner_text("main")
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, path
            pages.inbox.discard(Filter(kind=name), "ada")
            page.reload()
            assert "discarded by ada 20" in page.inner_text("main"), "a space separates the event and its time"
    finally:
        pages.inbox.resume("mapping", name, "ada")


def test_a_message_is_replayed_with_the_keyboard_alone(pages: Pages, browser: Any, signed_in: Any) -> None:
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
    assert pages.inbox.count(Filter(reason="no_campaign")).number == 0


def test_one_users_message_and_its_cause_are_two_clicks_from_the_first_page(
    pages: Pages, browser: Any, signed_in: Any
) -> None:
    message = InboxMessage("appcues", "ann", "user:ann@example.com", "appcues:nps_score", {}, parked="unknown_user")
    pages.inbox.accept([message])
    with browser.new_context(storage_state=signed_in) as context:
        page = context.new_page()
        page.goto(f"{pages.url}/")
        page.get_by_label("User or record").fill("ann@example.com")
        page.keyboard.press("Enter")
        page.locator("tr", has_text="waits for a person").get_by_role("link").click()
        page.wait_for_selector("text=no record in Salesforce has this user ID")


def test_every_page_works_without_scripts(pages: Pages, browser: Any) -> None:
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
    assert pages.inbox.count(Filter(reason="bad_value")).number == 0


def test_an_open_page_refreshes_unless_it_has_the_focus(pages: Pages, browser: Any, signed_in: Any) -> None:
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


def test_an_operator_is_notified_corrects_the_mapping_and_replays_five_hundred_messages(
    around: World, receiver: NotificationReceiver, browser: Any
) -> None:
    people = [str(690_000 + number) for number in range(100)]
    contacts = around.contacts(people)
    journey = Journey(
        around.folder, {**around.environ, "SFCODE_ENV": "local", "SF_ACCESS_TOKEN": around.far.access_token}
    )
    journey.edit(MAPPING, SCORE, WRONG_SCORE)
    relay = around.ready()
    secret = journey.run("--json", "relay", "token", "create", "ada", "--role", "operator").json["result"]["token"]
    send(relay, around.webhook_path, people)
    until(lambda: receiver.requests, "a notification")
    notification = Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)
    assert (notification["type"], notification["data"]["alarm"]) == ("alarm.raised", "salesforce_access")
    assert "mapping contact" in notification["data"]["detail"]

    with browser.new_context() as context, around.inbox() as inbox:
        page = context.new_page()
        page.goto(f"{relay.url}/")
        page.fill("#token", secret)
        page.click("text=Sign in")
        page.wait_for_selector("article.alarm:has-text('mapping contact')")
        page.select_option("select[name=target]", "direction:salesforce")
        page.click("text=Pause …")
        page.click("main button.main")
        page.wait_for_selector("h1:has-text('alarm')")
        until(
            lambda: inbox.stats().count("leased") == 0 and inbox.stats().count("ready") == 500, "500 messages that wait"
        )
        page.reload()
        page.click("section.way dd a[href*='state=ready']")
        page.click("tbody a >> nth=0")
        assert "Appcues_NPS_Skore__c" in page.inner_text("main"), "which field, and why"

        journey.edit(MAPPING, WRONG_SCORE, SCORE)
        assert journey.run("--org", around.far.url, "apply", "--auto-approve").code == 0
        digest = page.inner_text("footer code")
        os.kill(relay.pid, signal.SIGHUP)
        until(lambda: digest not in relay.get("/healthz").text, "the mended config")
        page.goto(f"{relay.url}/messages?source=appcues&state=ready")
        page.click("text=Replay …")
        page.click("button:has-text('Replay 500 messages')")
        page.wait_for_selector("h1:has-text('500 of 500 messages replayed')")
        page.wait_for_selector("text=Done, by ada.")
        page.goto(f"{relay.url}/")
        page.click("button:has-text('Resume')")
        until(lambda: not inbox.stats().oldest, "an empty queue")
        assert inbox.stats().reasons == {}, "nothing waits for a person"
        page.goto(f"{relay.url}/audit")
        page.wait_for_selector("tr:has-text('ada'):has-text('replay'):has-text('500')")
        page.goto(f"{relay.url}/")
        page.click("text=Acknowledge")
        page.wait_for_selector("h1:has-text('All is well: nothing waits.')")
    owners = [row["WhoId"] for row in around.far.rows("SELECT WhoId FROM Event")]
    assert sorted(owners) == sorted([*contacts.values()] * 5), "each event once"


def send(relay: Process, path: str, people: list[str]) -> None:
    """Send five scores of each person, as Appcues does: a request is repeated until it succeeds."""
    events = [
        {
            "name": "appcues:nps_score",
            "user_id": user,
            "timestamp": f"2026-06-01T08:0{n}:00Z",
            "attributes": {"score": 9},
        }
        for n in range(5)
        for user in people
    ]
    posts = [Post(path, json.dumps(event).encode(), 1, soap=False) for event in events]
    with ThreadPoolExecutor(1) as pool:  # the browser's loop runs in this thread
        pool.submit(send_all, [relay.port], posts[0::2], posts[1::2]).result()


def _press_on(page: Any, text: str) -> None:
    """Press Enter on a link or a button that is reached only with the Tab key."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", (
                "the focus is seen"
            )
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not reach {text}")
