"""The REST client against a local GitHub: pages, retries, and errors with hints."""

from __future__ import annotations

import json

import pytest

from sfcode.errors import UsageError
from sfcode.github.client import OutcomeUnknown
from sfcode.github.context import GitHubError, read_job_context
from tests.github.server import Fault, Token


def test_every_page_of_a_list_is_read(hub):
    hub.state.page = 2
    for number in range(5):
        hub.state.add_comment(7, f"comment {number}")
    assert [page["body"] for page in hub.client().pages("issues/7/comments")] == [f"comment {n}" for n in range(5)]
    assert len(hub.state.asked) == 3


def test_a_page_link_to_another_host_gets_no_token(hub):
    with pytest.raises(GitHubError, match="Bad credentials"):
        list(_pages_from(hub, "localhost"))


def _pages_from(hub, host):
    """Request the first page under one host name; its link to the next page has another host name."""
    client = hub.client()
    next_page = hub.url.replace("127.0.0.1", host) + "/repos/acme/crm/issues/7/comments"
    hub.state.faults.append(Fault("GET", "comments", 200, {"Link": f'<{next_page}>; rel="next"'}))
    yield from client.pages("issues/7/comments")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_read_is_repeated_after_server_trouble(hub, status):
    hub.state.faults += [Fault("GET", "comments", status), Fault("GET", "comments", status)]
    assert list(hub.client().pages("issues/7/comments")) == []
    assert len(hub.waits) == 2


def test_the_client_waits_as_long_as_retry_after_says(hub):
    hub.state.faults += [
        Fault("GET", "comments", 429, {"Retry-After": "7"}, "slow down"),
        Fault("GET", "comments", 403, {"Retry-After": "11"}, "You have exceeded a secondary rate limit"),
        Fault("GET", "comments", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000020"}, "API rate limit"),
        Fault("GET", "comments", 403, {}, "You have exceeded a secondary rate limit. Please wait."),
    ]
    assert list(hub.client().pages("issues/7/comments")) == []
    assert hub.waits == [7.0, 11.0, 20.0, 60.0]


def test_the_client_does_not_wait_for_an_hour_and_names_the_time(hub):
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1003600"}
    hub.state.faults.append(Fault("GET", "comments", 403, headers, "API rate limit exceeded"))
    with pytest.raises(GitHubError, match="has limited the requests: .*; try again in 3600 s"):
        list(hub.client().pages("issues/7/comments"))
    assert hub.waits == []


def test_the_client_stops_after_five_attempts(hub):
    hub.state.faults += [Fault("GET", "comments", 502) for _ in range(9)]
    with pytest.raises(GitHubError, match="answered 502"):
        list(hub.client().pages("issues/7/comments"))
    assert len(hub.state.asked) == 5


def test_a_creation_with_a_lost_response_is_not_repeated(hub):
    hub.state.faults.append(Fault("POST", "comments", 502, done=True))
    with pytest.raises(OutcomeUnknown):
        hub.client().post("issues/7/comments", {"body": "once"})
    assert len(hub.state.comments_of(7)) == 1


def test_a_creation_refused_by_a_rate_limit_is_retried(hub):
    hub.state.faults.append(Fault("POST", "comments", 403, {"Retry-After": "2"}, "secondary rate limit"))
    hub.client().post("issues/7/comments", {"body": "once"})
    assert len(hub.state.comments_of(7)) == 1


def test_a_missing_permission_is_named(hub):
    hub.state.tokens["job-token-0123456789"] = Token(permissions={"contents": "read", "issues": "read"})
    with pytest.raises(GitHubError) as caught:
        hub.client().post("issues/7/comments", {"body": "x"})
    assert "Resource not accessible by integration" in caught.value.message
    assert caught.value.hint == "The token lacks a permission: give the job `permissions: {pull-requests: write}`."


def test_the_token_of_a_fork_is_reported_as_read_only(hub, event):
    hub.state.tokens["job-token-0123456789"] = Token(permissions={"contents": "read", "issues": "read"})
    fork = {"pull_request": {"number": 7, "head": {"sha": "abc", "repo": {"full_name": "stranger/crm"}}}}
    with pytest.raises(GitHubError) as caught:
        hub.client(GITHUB_EVENT_PATH=event(json.dumps(fork))).post("issues/7/comments", {"body": "x"})
    assert "The token of a pull request from a fork is read-only" in caught.value.hint


def test_a_wrong_token_is_reported_and_not_shown(hub):
    with pytest.raises(GitHubError) as caught:
        hub.client(GITHUB_TOKEN="not-the-right-one").post("issues/7/comments", {"body": "x"})
    assert "Check GITHUB_TOKEN" in str(caught.value)
    assert "not-the-right-one" not in str(caught.value)


def test_an_unreachable_server_is_an_error_with_its_address(hub):
    with pytest.raises(GitHubError, match="No answer from 127.0.0.1:9: ConnectionError"):
        list(hub.client(GITHUB_API_URL="http://127.0.0.1:9").pages("issues/7/comments"))


def test_the_author_of_a_token_is_requested_once_or_known(hub):
    assert hub.client().login == "github-actions[bot]"
    hub.state.tokens["job-token-0123456789"] = Token("octocat", may_ask=True)
    assert hub.client().login == "octocat"
    assert hub.client(SFCODE_GITHUB_LOGIN="acme-bot[bot]").login == "acme-bot[bot]"


@pytest.mark.parametrize(
    ("change", "error_text"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN must be set"),
        ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY must be set"),
        ({"GITHUB_REPOSITORY": "crm"}, "GITHUB_REPOSITORY is 'crm'"),
        ({"GITHUB_API_URL": "http://api.github.example"}, "a token is not sent there"),
        ({"GITHUB_EVENT_PATH": "/nowhere/event.json"}, "cannot be read"),
    ],
)
def test_missing_variables_of_the_runner_are_named(hub, change, error_text):
    with pytest.raises(UsageError) as caught:
        read_job_context(hub.environ(**change))
    assert error_text in str(caught.value)
    assert caught.value.hint


def test_the_pull_request_is_found_in_the_event_or_in_the_ref(hub, event):
    path = event('{"pull_request": {"number": 12, "head": {"sha": "f00", "repo": {"full_name": "acme/crm"}}}}')
    context = hub.context(GITHUB_EVENT_PATH=path)
    assert (context.pull_number, context.head_sha, context.from_fork) == (12, "f00", False)
    assert hub.context().pull_number == 7
    assert hub.context(GITHUB_SHA="ba4").head_sha == "ba4"
    with pytest.raises(UsageError, match="does not belong to a pull request"):
        _ = hub.context(GITHUB_REF="refs/heads/main").pull_number


def test_a_pull_request_of_a_deleted_repository_counts_as_a_fork(hub, event):
    path = event('{"pull_request": {"number": 12, "head": {"sha": "f00", "repo": null}}}')
    assert hub.context(GITHUB_EVENT_PATH=path).from_fork


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("https://github.example.com/api/v3/", "https://github.example.com/api/v3"),
        ("https://api.github.com", "https://api.github.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("", "https://api.github.com"),
        ("http://github.example.com", None),
        ("ftp://127.0.0.1/", None),
        ("api.github.com", None),
    ],
)
def test_a_token_is_sent_over_tls_or_to_this_machine(hub, url, used):
    environ = hub.environ(GITHUB_API_URL=url)
    if used is not None:
        assert read_job_context(environ).api_url == used
        return
    with pytest.raises(UsageError, match="a token is not sent there"):
        read_job_context(environ)


@pytest.mark.parametrize("text", ["{", "", None])
def test_an_event_that_cannot_be_read_is_named(hub, event, tmp_path, text):
    path = str(tmp_path / "missing.json") if text is None else event(text)
    with pytest.raises(UsageError, match="of GITHUB_EVENT_PATH cannot be read"):
        hub.context(GITHUB_EVENT_PATH=path)


def test_an_event_of_another_shape_names_no_pull_request(hub, event):
    context = hub.context(GITHUB_EVENT_PATH=event("[1]"), GITHUB_SHA="abc")
    assert (context.head_sha, context.base_name, context.from_fork) == ("abc", "the base", False)
    text = json.dumps({"pull_request": {"number": 9, "base": {"ref": "release"}, "head": {"sha": "def"}}})
    context = hub.context(GITHUB_EVENT_PATH=event(text), GITHUB_SHA="abc")
    assert (context.pull_number, context.head_sha, context.base_name) == (9, "def", "release")
    text = json.dumps({"pull_request": {"base": {}, "head": {}}})
    context = hub.context(GITHUB_EVENT_PATH=event(text), GITHUB_SHA="abc")
    assert (context.pull_number, context.head_sha, context.base_name) == (7, "abc", "the base")


@pytest.mark.parametrize(
    ("status", "headers", "message", "waits"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000005"}, "Forbidden", [5.0]),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "999000"}, "Forbidden", [0.0]),
        (403, {}, "API Rate Limit exceeded", [60.0]),
        (429, {}, "slow down", [60.0]),
        (403, {}, "Forbidden", None),
        (404, {}, "Not Found", None),
    ],
)
def test_the_client_waits_only_for_a_rate_limit(hub, status, headers, message, waits):
    hub.state.faults.append(Fault("GET", "comments", status, headers, message))
    client = hub.client()
    if waits is None:
        with pytest.raises(GitHubError) as refused:
            list(client.pages("issues/7/comments"))
        assert "The token lacks a permission" in refused.value.hint
        assert hub.waits == []
    else:
        assert list(client.pages("issues/7/comments")) == []
        assert hub.waits == waits
