"""One comment for each pull request and environment, also after lost requests and responses."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.github.client import OutcomeUnknown
from sfcode.github.comment_marker import Marker, comment_marker, read_marker
from sfcode.github.comments import CommentUpdate, is_own, write_comment
from tests.github.server import Fault

MARKER = comment_marker(Path("config"), "production", head="abc", plan="1f")


def body(text: str, marker: Marker = MARKER) -> str:
    return f"{marker.line()}\n{text}"


def texts(hub, number: int = 7) -> list[str]:
    return [comment["body"].partition("\n")[2] for comment in hub.state.comments_of(number)]


def test_a_comment_is_created_edited_in_place_and_unchanged_if_equal(hub):
    client = hub.client()
    assert write_comment(client, 7, MARKER, body("one")) is CommentUpdate.CREATED
    first = hub.state.comments_of(7)[0]["id"]
    assert write_comment(client, 7, MARKER, body("two")) is CommentUpdate.EDITED
    assert texts(hub) == ["two"]
    assert hub.state.comments_of(7)[0]["id"] == first
    count = len(hub.state.asked)
    assert write_comment(client, 7, MARKER, body("two")) is CommentUpdate.KEPT
    assert hub.state.asked[count:] == ["GET /repos/acme/crm/issues/7/comments?per_page=100"]


def test_a_comment_is_found_on_a_later_page(hub):
    hub.state.page = 3
    for number in range(8):
        hub.state.add_comment(7, f"talk {number}", "colleague")
    client = hub.client()
    write_comment(client, 7, MARKER, body("one"))
    write_comment(client, 7, MARKER, body("two"))
    assert texts(hub)[8:] == ["two"]


def test_a_comment_of_another_author_with_the_marker_is_not_edited(hub):
    hub.state.add_comment(7, body("mine, says somebody"), "somebody")
    assert write_comment(hub.client(), 7, MARKER, body("ours")) is CommentUpdate.CREATED
    assert texts(hub) == ["mine, says somebody", "ours"]


@pytest.mark.parametrize("login", ["GitHub-Actions[bot]", "github-actions[bot]"])
def test_an_author_is_compared_without_case(hub, login):
    client = hub.client(SFCODE_GITHUB_LOGIN=login)
    assert is_own(client, {"user": {"login": "Github-Actions[Bot]"}})
    assert not is_own(client, {"user": {"login": "somebody"}})
    assert not is_own(client, {"user": None})


def test_a_login_in_another_case_is_the_same_account(hub):
    hub.state.add_comment(7, body("one"))
    client = hub.client(SFCODE_GITHUB_LOGIN="GitHub-Actions[bot]")
    assert write_comment(client, 7, MARKER, body("two")) is CommentUpdate.EDITED
    assert texts(hub) == ["two"]


def test_an_own_comment_that_quotes_the_marker_further_down_is_not_edited(hub):
    hub.state.add_comment(7, f"quoting:\n{MARKER.line()}")
    assert write_comment(hub.client(), 7, MARKER, body("ours")) is CommentUpdate.CREATED


def test_environments_and_config_folders_have_a_comment_each(hub):
    client = hub.client()
    places = [comment_marker(Path(folder), name) for folder in ("config", "other/config") for name in ("uat", "prod")]
    for _ in range(2):
        for marker in places:
            write_comment(client, 7, marker, body(f"{marker.config} {marker.environment}", marker))
    assert len(texts(hub)) == 4


def test_two_concurrent_comments_are_merged(hub):
    hub.state.add_comment(7, body("one"))
    hub.state.add_comment(7, body("other"))
    assert write_comment(hub.client(), 7, MARKER, body("new")) is CommentUpdate.EDITED
    assert texts(hub) == ["new"]


def test_a_lost_response_creates_no_second_comment(hub):
    hub.state.faults.append(Fault("POST", "comments", 0, done=True, drop=True))
    assert write_comment(hub.client(), 7, MARKER, body("once")) is CommentUpdate.KEPT
    assert texts(hub) == ["once"]


def test_a_lost_request_is_sent_again(hub):
    hub.state.faults.append(Fault("POST", "comments", 502))
    assert write_comment(hub.client(), 7, MARKER, body("once")) is CommentUpdate.CREATED
    assert texts(hub) == ["once"]


def test_repeated_failures_end_with_an_error(hub):
    hub.state.faults += [Fault("POST", "comments", 502) for _ in range(3)]
    with pytest.raises(OutcomeUnknown):
        write_comment(hub.client(), 7, MARKER, body("never"))
    assert texts(hub) == []


def test_an_empty_review_creates_no_comment_and_updates_an_existing_one(hub):
    client = hub.client()
    assert write_comment(client, 7, MARKER, body("No changes."), needed=False) is CommentUpdate.NONE
    assert texts(hub) == []
    write_comment(client, 7, MARKER, body("something"))
    assert write_comment(client, 7, MARKER, body("No changes."), needed=False) is CommentUpdate.EDITED
    assert texts(hub) == ["No changes."]


@pytest.mark.parametrize("name", ["production", "a --> b", "<!-- x -->", 'quo"te', "back\\slash", "ü"])
def test_a_marker_is_one_hidden_line_and_is_read_back(name):
    marker = Marker("comment", f"{name}/config", name, "abc", "1f")
    line = marker.line()
    assert "\n" not in line
    assert line.count("-->") == 1
    assert "--" not in line.removeprefix("<!--").removesuffix("-->")
    assert read_marker(f"{line}\nmore") == marker


@pytest.mark.parametrize(
    "text", [None, "", "hello", "<!-- sfcode {} -->", "<!-- sfcode {not json} -->", "\n<!-- sfcode"]
)
def test_an_invalid_marker_is_ignored(text):
    assert read_marker(text) is None
