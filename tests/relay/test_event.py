"""Where the attributes of an event are found: Appcues' payload is not published, so in every place that is likely."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.relay.event import attribute

EVENT: dict[str, Any] = {
    "name": "appcues:flow_completed",
    "attributes": {
        "flowName": "Welcome",
        "score": 0,
        "empty": None,
        "_identity": {"_currentPageUrl": "https://app.example.com/", "plan": "pro", "empty": "of the user"},
    },
    "identity": {"email": "ada@example.com", "flowName": "not this one"},
    "context": {"_localeName": "English"},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flowName", "Welcome"),
        ("score", 0),
        ("plan", "pro"),
        ("currentPageUrl", "https://app.example.com/"),
        ("_currentPageUrl", "https://app.example.com/"),
        ("email", "ada@example.com"),
        ("localeName", "English"),
        ("empty", "of the user"),
        ("name", None),
    ],
)
def test_an_attribute_is_found_where_it_may_be_and_the_events_own_comes_first(name: str, value: Any) -> None:
    assert attribute(EVENT, name) == value


@pytest.mark.parametrize(
    "event",
    [{}, {"attributes": None}, {"attributes": [1], "identity": "x", "context": 7}, {"attributes": {"_identity": "x"}}],
)
def test_an_event_of_another_shape_has_no_attributes(event: dict[str, Any]) -> None:
    assert attribute(event, "flowName") is None
