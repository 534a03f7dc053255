"""The places in which an event may have an attribute."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.relay.appcues_payload import attribute

PAGE = "https://app.example.com/home"


@pytest.mark.parametrize(
    "event",
    [
        {"attributes": {"currentPageUrl": PAGE}},
        {"attributes": {"_currentPageUrl": PAGE}},
        {"attributes": {"_identity": {"_currentPageUrl": PAGE}}},
        {"identity": {"_currentPageUrl": PAGE}},
        {"context": {"currentPageUrl": PAGE}},
        {"user": {"_currentPageUrl": PAGE}},
        {"attributes": {"user": {"_currentPageUrl": PAGE}}},
        {"currentPageUrl": PAGE},
    ],
)
def test_an_attribute_is_found_wherever_appcues_keeps_it(event: dict[str, Any]) -> None:
    assert attribute(event, "currentPageUrl") == PAGE


def test_attributes_of_the_event_override_those_of_its_user() -> None:
    event = {
        "name": "appcues:flow_completed",
        "attributes": {"name": "Welcome", "plan": None, "_identity": {"plan": "pro", "_plan": "own"}},
        "identity": {"plan": "old"},
        "context": {"plan": "older"},
    }
    assert attribute(event, "name") == "Welcome"
    assert attribute(event, "plan") == "pro"
    assert attribute(event, "_plan") == "own"


def test_values_are_returned_unchanged_and_null_counts_as_missing() -> None:
    event = {"attributes": {"itemIndex": 0, "itemLabel": "", "done": False, "score": None}}
    assert [attribute(event, name) for name in ("itemIndex", "itemLabel", "done", "score")] == [0, "", False, None]


@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_parts_of_another_type_are_skipped(odd: object) -> None:
    event = {"attributes": odd, "identity": odd, "context": {"score": 9}, "user": odd}
    assert attribute(event, "score") == 9
    assert attribute(event, "missing") is None
