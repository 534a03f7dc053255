"""The endpoint of each path, and the response to an unexpected exception."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.relay.ingress.asking import SALESFORCE_TOKEN, TOKEN, Relay, project


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay(project(tmp_path))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//webhooks/appcues",
        "/webhooks/appcues/",
        f"/webhooks/appcues/{TOKEN}/",
        f"/x/webhooks/appcues/{TOKEN}",
        f"/Webhooks/appcues/{TOKEN}",
        "/outbound-messages",
        "/outbound-messages/contact",
        "/outbound-messages/contact/",
        f"/outbound-messages//{SALESFORCE_TOKEN}",
        f"/outbound-messages/contact/{SALESFORCE_TOKEN}/",
    ],
)
def test_a_path_similar_to_an_endpoint_is_not_found(relay: Relay, path: str) -> None:
    answer = relay.ask(path, b"{}")
    assert (answer.status, answer.body) == (404, b'{"error": "not_found"}\n')
    assert relay.inbox.messages == []


def test_a_bug_is_answered_without_its_text_and_left_to_the_server(relay: Relay) -> None:
    relay.now = "no time"  # type: ignore[assignment]
    responses: list[Any] = []
    with pytest.raises(AttributeError):
        asyncio.run(relay.ask_async(f"/webhooks/appcues/{TOKEN}", b"{}", sent=responses))
    assert (responses[0]["status"], responses[1]["body"]) == (500, b'{"error": "internal_error"}\n')
