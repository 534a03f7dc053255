"""The pages of the dashboard over HTTP, without a browser and scripts: permissions and actions."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests

from sfcode.relay.admin_auth import COOKIE
from sfcode.relay.alarms import Alarm
from sfcode.relay.api_calls import ApiUse
from sfcode.relay.inbox import Filter, search
from sfcode.relay.message import InboxMessage
from sfcode.relay.reasons import ALARMS
from tests.relay.browser import Pages, fill, served_pages
from tests.relay.serving import ADMIN, Relay
from tests.waiting import until

SECONDS = 20


class Visitor:
    """A person, signed in or not."""

    def __init__(self, pages: Pages, secret: str = "") -> None:
        self.url = pages.url
        self.session = requests.Session()
        self.session.trust_env = False
        if secret:
            answer = self.session.post(f"{self.url}/login", {"token": secret}, timeout=SECONDS, allow_redirects=False)
            assert answer.status_code == 303, answer.text

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=SECONDS)

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> requests.Response:
        if "form_key" not in form:
            form["form_key"] = self.form_key
        return self.session.post(self.url + path, form, timeout=SECONDS, headers=headers, allow_redirects=False)

    @property
    def form_key(self) -> str:
        return re.search(r'name="form_key" value="(\w+)"', self.get("/").text)[1]  # type: ignore[index]


def text(answer: requests.Response) -> str:
    """Return the visible text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    relay = Relay(f"sqlite:///{tmp_path / 'relay.db'}")
    relay.environ["SFCODE_RELAY_ADMIN_TOKEN"] = ADMIN
    return relay


@pytest.fixture
def pages(relay: Relay) -> Iterator[Pages]:
    with served_pages(relay) as pages:
        yield pages


@pytest.fixture
def operator(pages: Pages) -> Visitor:
    return Visitor(pages, ADMIN)


@pytest.fixture
def viewer(pages: Pages) -> Visitor:
    return Visitor(pages, str(pages.inbox.tokens.create("vera", "viewer", None)))


def park(pages: Pages, count: int, reason: str = "unknown_user") -> None:
    messages = [
        InboxMessage(
            "appcues", f"{reason}{n}", f"user:u{n}", "appcues:nps_score", {"score": f"secret{n}"}, parked=reason
        )
        for n in range(count)
    ]
    pages.inbox.accept(messages)


def blocked(pages: Pages) -> int:
    return pages.inbox.count(Filter()).number


def test_a_viewer_sees_pages_and_changes_nothing(pages: Pages, viewer: Visitor) -> None:
    park(pages, 2)
    pages.inbox.raise_alarms([Alarm("salesforce_locked", "locked", "2026-11-29T17:00:00Z")])
    alarm = pages.inbox.alarms()[0].id
    for path in ("/", "/messages", "/messages?reason=unknown_user", "/messages/1", "/audit"):
        answer = viewer.get(path)
        assert answer.status_code == 200, path
        assert "secret" not in answer.text, "what a message holds is for operators"
        assert "Replay" not in answer.text
        assert "Acknowledge" not in answer.text
    for path in ("/messages/change?action=replay&reason=unknown_user", "/pauses/new?target=direction:salesforce"):
        answer = viewer.get(path)
        assert answer.status_code == 400, path
        assert "Your token is read-only" in text(answer)
    for path, form in (
        ("/messages/change", {"action": "discard", "reason": "unknown_user"}),
        (f"/alarms/{alarm}/acknowledge", {}),
        ("/pauses", {"target": "direction:salesforce"}),
        ("/resumes", {"target": "direction:salesforce"}),
    ):
        answer = viewer.post(path, **form)
        assert answer.status_code == 403, path
        assert "Your token is read-only" in text(answer)
    assert blocked(pages) == 2
    assert pages.inbox.alarms()
    assert not pages.inbox.pauses()
    assert [line.action for line in pages.inbox.audit_lines()] == ["token create"]


def test_a_form_of_another_site_or_session_is_refused(pages: Pages, operator: Visitor) -> None:
    park(pages, 1)
    form = {"action": "discard", "reason": "unknown_user"}
    assert operator.post("/messages/change", form_key="", **form).status_code == 403
    assert operator.post("/messages/change", padding="x" * 20_000, **form).status_code == 403, "too large"
    other = Visitor(pages, str(pages.inbox.tokens.create("olga", "operator", None)))
    assert operator.post("/messages/change", form_key=other.form_key, **form).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert operator.post("/messages/change", headers, **form).status_code == 403
    assert Visitor(pages).post("/messages/change", form_key="", **form).status_code == 401
    assert blocked(pages) == 1
    assert operator.post("/messages/change", {"Origin": pages.url}, **form).status_code == 303


def test_the_search_finds_a_user_or_a_record(pages: Pages, viewer: Visitor) -> None:
    contact = "003000000000001"
    park(pages, 3)
    changed = {"record": {"Id": f"{contact}AAA"}}
    pages.inbox.accept([InboxMessage("salesforce", "change", "contact:1", "contact", changed, parked="no_user_id")])
    for typed in (
        contact,
        f"{contact}AAA",
        f"https://example.lightning.force.com/lightning/r/Contact/{contact}AAA/view",
        f"https://example.my.salesforce.com/{contact}",
    ):
        answer = viewer.get(f"/find?text={quote(typed)}")
        assert urlsplit(answer.url).query == urlencode({"record": typed})
        assert re.findall(r'<a href="/messages/(\d+)">', answer.text) == ["4"], typed
    assert re.findall(r'<a href="/messages/(\d+)">', viewer.get("/find?text=%20u2").text) == ["3"]
    response = viewer.get("/find?text=nobody@example.com")
    assert "No messages match." in text(response)
    assert 'name="user" value="nobody@example.com"' in response.text


def test_a_search_that_ends_early_shows_how_far_it_searched(
    pages: Pages, viewer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(pages, 9)
    monkeypatch.setattr(search, "FIRST", 1)
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 0)
    monkeypatch.setattr("sfcode.relay.dashboard.messages.PAGE", 1)
    monkeypatch.setattr("sfcode.relay.inbox.walk.FEW", ())
    first = viewer.get("/messages?user=u3&state=dead")
    assert "No messages match so far." in text(first)
    assert re.search(r"Searched the messages received since \S+", text(first))
    older = html.unescape(re.search(r'rel="next" href="([^"]+)">Search older messages<', first.text)[1])  # type: ignore[index]
    assert "No messages match." in text(viewer.get(older))


def test_a_bulk_change_says_that_not_all_messages_were_counted(
    pages: Pages, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(pages, 3)
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 0)
    monkeypatch.setattr(search, "AT_ONCE", 1)
    preview = operator.get("/messages/change?action=discard&user=u1&state=dead")
    assert "Discard 0 or more messages?" in text(preview)
    assert "nothing to discard" not in text(preview)
    id_ = pages.inbox.begin_change("discard", Filter(subject="user:u1"), "ann@host", holder="a command")
    assert "Under way Discard: 0 of 1 or more messages by ann@host" in text(operator.get("/"))
    progress = text(operator.get(f"/changes/{id_}"))
    assert "0 of 1 or more messages discarded" in progress
    assert "Match and wait for a person 1 or more" in progress


def test_messages_are_found_by_each_condition_and_listed_page_by_page(pages: Pages, viewer: Visitor) -> None:
    park(pages, 60)
    park(pages, 2, "no_campaign")
    first = viewer.get("/messages?reason=unknown_user")
    ids = re.findall(r'<a href="/messages/(\d+)">', first.text)
    assert len(ids) == 50
    assert "no_campaign" not in first.text.partition("<table>")[2]
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', first.text)[1])  # type: ignore[index]
    rest = re.findall(r'<a href="/messages/(\d+)">', viewer.get(older).text)
    assert len(rest) == 10
    assert not set(ids) & set(rest)
    for query, count in (
        ("user=u7", 1),
        ("user=nobody", 0),
        ("kind=appcues:nps_score&reason=no_campaign", 2),
        ("state=parked&source=salesforce", 0),
        ("since=2999-01-01T00:00", 0),
        ("until=2999-01-01T00:00&reason=no_campaign", 2),
        ("ids=1,2", 2),
    ):
        answer = viewer.get(f"/messages?{query}")
        assert len(re.findall(r'<a href="/messages/(\d+)">', answer.text)) == count, query
    for query in ("since=yesterday", "state=lost", "source=mail", "ids=one"):
        answer = viewer.get(f"/messages?{query}")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
    assert viewer.get("/messages?before=9999999").status_code == 200
    assert viewer.get("/messages/9999999").status_code == 404
    assert viewer.get("/messages/99999999999999999999999").status_code == 404


def test_the_page_of_a_message_shows_history_reason_and_hint(pages: Pages, operator: Visitor) -> None:
    park(pages, 1)
    page = text(operator.get("/messages/1"))
    assert "Message 1: parked: waits for a person" in page
    assert "no record in Salesforce has this user ID" in page
    assert "What to do: Enter the user ID on the contact or lead, then replay." in page
    assert "secret0" in page, "an operator may see what it holds"
    assert "received 2" in page.partition("History")[2]


def test_a_selection_is_counted_confirmed_changed_and_audited(pages: Pages, operator: Visitor) -> None:
    park(pages, 5)
    park(pages, 3, "no_campaign")
    preview = operator.get("/messages/change?action=discard&reason=unknown_user")
    assert "Discard 5 messages?" in text(preview)
    assert blocked(pages) == 8, "a preview changes nothing"
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', preview.text.partition("<main")[2]))
    began = operator.post("/messages/change", **form)
    assert began.status_code == 303
    deadline = time.monotonic() + SECONDS
    while "Done, by admin." not in (page := text(operator.get(began.headers["Location"]))):
        assert time.monotonic() < deadline, page
    assert "5 of 5 messages discarded" in page
    assert blocked(pages) == 3
    (line,) = pages.inbox.audit_lines()
    assert (line.who, line.action, line.selection, line.number) == ("admin", "discard", {"reason": "unknown_user"}, 5)
    assert re.search(
        r"UTC admin discard reason unknown_user 5$", text(operator.get("/audit")).partition(" sfcode 0")[0]
    )
    for unknown in ("unknown", "9999999", "99999999999999999999999"):
        assert operator.get(f"/changes/{unknown}").status_code == 404


def test_a_bulk_change_of_another_process_is_shown_and_can_be_stopped(
    pages: Pages, operator: Visitor, viewer: Visitor
) -> None:
    park(pages, 2)
    id_ = pages.inbox.begin_change("replay", Filter(subject="user:u1"), "ann@host", holder="a command")
    under_way = text(operator.get("/"))
    assert "Under way Replay: 0 of 1 messages by ann@host" in under_way
    path = f"/changes/{id_}"
    assert "User u1" in text(operator.get(path))
    assert "It continues even if you close this page." in text(operator.get(path))
    assert "u1" not in viewer.get(path).text, "whom messages are about is for operators"
    assert viewer.post(f"{path}/stop").status_code == 403
    assert operator.post(f"{path}/stop").headers["Location"] == path
    assert "It ended early: admin stopped it." in text(operator.get(path))
    assert f"{path}/stop" not in operator.get(path).text
    assert blocked(pages) == 2


def test_a_bulk_change_of_an_ended_process_is_continued(pages: Pages, operator: Visitor) -> None:
    park(pages, 2)
    id_ = pages.inbox.begin_change("discard", Filter(reason="unknown_user"), "ann@host")
    pages.service.housekeeping._beat()
    until(lambda: "Done, by ann@host." in text(operator.get(f"/changes/{id_}")))
    assert blocked(pages) == 0


@pytest.mark.parametrize(
    "query",
    ["action=replay", "action=erase&reason=x", "action=replay&since=x", "action=replay&state=leased", "reason=x"],
)
def test_a_bulk_change_needs_an_action_and_a_condition(pages: Pages, operator: Visitor, query: str) -> None:
    park(pages, 1)
    assert operator.get(f"/messages/change?{query}").status_code == 400
    form = dict(part.split("=") for part in query.split("&"))
    assert operator.post("/messages/change", **form).status_code == 400
    assert blocked(pages) == 1
    assert not pages.inbox.audit_lines()


def test_an_alarm_is_acknowledged_in_the_name_of_the_operator(pages: Pages) -> None:
    pages.inbox.raise_alarms([Alarm("salesforce_locked", "locked", "2026-11-29T17:00:00Z")])
    ada = Visitor(pages, str(pages.inbox.tokens.create("ada", "operator", None)))
    until(lambda: not pages.service.problems(), "a relay that is ready")
    page = ada.get("/")
    assert "An alarm waits for a person." in text(page)
    path = re.search(r'action="(/alarms/\d+/acknowledge)"', page.text)[1]  # type: ignore[index]
    assert ada.post(path).headers["Location"] == "/"
    assert not pages.inbox.alarms()
    line = pages.inbox.audit_lines()[0]
    assert (line.who, line.action) == ("ada", "ack")
    assert "All is well" in text(ada.get("/"))


def test_each_alarm_is_shown_with_what_it_means_and_what_to_do(pages: Pages, viewer: Visitor) -> None:
    at = "2026-11-29T17:00:00Z"
    pages.inbox.raise_alarms([Alarm(name, f"detail of {name}", at) for name in (*ALARMS, "of_a_newer_version")])
    articles = re.findall(r'<article class="alarm".*?last at', viewer.get("/").text, re.DOTALL)

    def squeeze(words: str) -> str:
        return "".join(words.replace("`", "").split())

    alarm_texts = {squeeze(html.unescape(re.sub(r"<[^>]+>", "", article))) for article in articles}
    expected = [
        f"{name}: {reason.meaning} detail of {name} {reason.hint} once, last at" for name, reason in ALARMS.items()
    ]
    unknown = "of_a_newer_version detail of of_a_newer_version once, last at"
    assert alarm_texts == {squeeze(words) for words in (*expected, unknown)}


def test_an_alarm_whose_acknowledgment_has_an_effect_names_the_command(pages: Pages, operator: Visitor) -> None:
    pages.inbox.raise_alarms([Alarm("clearing_stopped", "contact.plan stopped", "2026-11-29T17:00:00Z")])
    page = operator.get("/")
    assert f"sfcode relay ack {pages.inbox.alarms()[0].id}" in text(page)
    assert "/acknowledge" not in page.text


def test_a_direction_and_a_mapping_are_paused_and_resumed(pages: Pages, operator: Visitor) -> None:
    for target, title in (("direction:salesforce", "deliveries to Salesforce"), ("mapping:contact", "mapping contact")):
        assert f"Pause {title}?" in text(operator.get(f"/pauses/new?target={target}"))
        assert not pages.inbox.pauses(), "a preview pauses nothing"
        assert operator.post("/pauses", target=target).status_code == 303
        (pause,) = pages.inbox.pauses()
        assert (f"{pause.scope}:{pause.name}", pause.who) == (target, "admin")
        assert f"Paused: {title}." in text(operator.get("/"))
        assert operator.post("/resumes", target=target).status_code == 303
        assert not pages.inbox.pauses()
    assert operator.get("/pauses/new?target=mapping:nothing").status_code == 400
    assert operator.post("/pauses", target="mapping:nothing").status_code == 400
    done = [(line.who, line.action) for line in pages.inbox.audit_lines()]
    assert done == [("admin", "resume"), ("admin", "pause")] * 2


def test_signing_in_gives_a_new_session_and_signing_out_ends_it(pages: Pages) -> None:
    secret = str(pages.inbox.tokens.create("ada", "operator", None))
    fixed = requests.Session()
    fixed.trust_env = False
    fixed.cookies.set(COOKIE, "chosen-by-somebody-else")
    answer = fixed.post(f"{pages.url}/login", {"token": secret}, timeout=SECONDS, allow_redirects=False)
    assert answer.cookies[COOKIE] != "chosen-by-somebody-else"
    first, second = Visitor(pages, secret), Visitor(pages, secret)
    cookies = dict(first.session.cookies)
    assert secret not in cookies.values()
    assert first.post("/logout").status_code == 303
    assert requests.get(f"{pages.url}/", cookies=cookies, timeout=SECONDS).status_code == 401
    assert second.get("/").status_code == 200
    pages.inbox.tokens.revoke("ada")
    assert second.get("/").status_code == 401, "at once"
    assert fixed.post(f"{pages.url}/login", {"token": secret}, timeout=SECONDS).status_code == 401
    evil = {"Origin": "https://evil.example"}
    assert fixed.post(f"{pages.url}/login", {"token": ADMIN}, headers=evil, timeout=SECONDS).status_code == 403


def test_a_request_of_another_site_does_not_sign_out(pages: Pages, operator: Visitor, viewer: Visitor) -> None:
    for visitor in (operator, viewer):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert visitor.post("/logout", headers).status_code == 403
        assert visitor.post("/logout", form_key="").status_code == 403
        assert visitor.get("/").status_code == 200


def test_no_text_of_an_alarm_becomes_markup(pages: Pages, viewer: Visitor) -> None:
    pages.inbox.raise_alarms([Alarm("salesforce_locked", "<b>a</b> `<i>b</i>`", "2026-11-29T17:00:00Z")])
    page = viewer.get("/").text
    assert "&lt;b&gt;a&lt;/b&gt; <code>&lt;i&gt;b&lt;/i&gt;</code>" in page


def test_figures_over_time_are_shown_with_a_table_beside_the_charts(relay: Relay) -> None:
    with served_pages(relay, lambda inbox: fill(inbox, datetime.now(UTC) - timedelta(minutes=1))) as pages:
        viewer = Visitor(pages, str(pages.inbox.tokens.create("vera", "viewer", None)))
        for period, title in (("hour", "the last hour"), ("day", "the last day"), ("week", "the last week")):
            page = viewer.get(f"/?period={period}")
            assert page.text.count("<svg") >= 6
            assert f"Appcues → Salesforce in {title} (UTC)" in text(page)
        assert re.search(r"Salesforce \d{2},\d{3}, 28 failed", text(viewer.get("/?period=day")))
        assert viewer.get("/?period=century").status_code == 200


def test_the_requests_to_the_org_are_shown_with_what_made_them(pages: Pages, viewer: Visitor) -> None:
    pages.inbox.api_calls.add({ApiUse("to_salesforce", "contact", "upsert"): 7})
    assert "7 requests to Salesforce in 24 hours 7 upsert (contact)" in text(viewer.get("/"))


def test_the_style_and_the_script_are_cached_by_their_content(pages: Pages) -> None:
    stranger = Visitor(pages)
    page = stranger.get("/login").text
    path = re.search(r'href="(/static/dashboard\.css\?v=\w+)"', page)[1]  # type: ignore[index]
    answer = stranger.get(path)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert stranger.get("/static/dashboard.css?v=old").headers["Cache-Control"] == "no-store"
    assert stranger.get("/static/routes.py").status_code == 404
    assert stranger.get("/static/..%2froutes.py").status_code == 404
