"""A comment on a real pull request, if one is named; on the local GitHub in every run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.github.client import GitHub
from sfcode.github.comment_marker import comment_marker
from sfcode.github.comments import CommentUpdate, list_own_comments, write_comment
from sfcode.github.context import read_job_context

MARKER = comment_marker(Path("config"), "sfcode-test", head="abc", plan="1f")


@pytest.fixture(params=["local", pytest.param("real", marks=pytest.mark.github)])
def pull(request: pytest.FixtureRequest, hub) -> Iterator[tuple[GitHub, int]]:
    """Return a client and the number of a pull request; the comment is deleted at the end."""
    if request.param == "local":
        client, number = hub.client(), 7
    else:
        repository, _, name = os.environ["SFCODE_TEST_GITHUB"].partition("#")
        environ = {"GITHUB_API_URL": "https://api.github.com", **os.environ, "GITHUB_REPOSITORY": repository}
        client, number = GitHub(read_job_context(environ), "pull-requests: write"), int(name)
    with client:
        yield client, number
        for comment in list_own_comments(client, number, MARKER):
            client.delete(f"issues/comments/{comment['id']}")
        assert list_own_comments(client, number, MARKER) == []


def test_a_comment_is_created_edited_in_place_and_unchanged_if_equal(pull):
    client, number = pull
    texts = [f"{MARKER.line()}\n{text}" for text in ("A test of sfcode, one.", "A test of sfcode, two.")]
    assert [write_comment(client, number, MARKER, text) for text in (*texts, texts[-1])] == [
        CommentUpdate.CREATED,
        CommentUpdate.EDITED,
        CommentUpdate.KEPT,
    ]
    (comment,) = list_own_comments(client, number, MARKER)
    assert comment["body"].replace("\r\n", "\n") == texts[-1]
