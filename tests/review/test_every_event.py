"""Every event of Appcues that a config may name has a description in reviews, at every place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfcode.config.schema import json_schema
from tests.review.projects import FILES, edited, list_texts, reviewed

ACTIVITIES = "  activities: [nps_score, flow_completed]\n"


def names(kind: str, *path: str) -> list[str]:
    """Return the events that the mapping language accepts in one place, from the JSON Schema."""
    node: Any = json_schema(kind)
    for key in path:
        node = node[key]
    while "$ref" in node:
        node = json_schema(kind)["$defs"][node["$ref"].rpartition("/")[2]]
    values = list(enums(node))
    assert len(values) == 1, node
    return list(values[0])


def enums(node: Any) -> Iterator[list[str]]:
    """Yield the lists of values of a node and its alternatives."""
    if "enum" in node:
        yield node["enum"]
    for part in node.get("anyOf", ()):
        yield from enums(part)


IN_MAPPINGS = names("mapping", "$defs", "ToSalesforce", "properties", "activities", "items")
WITH_TEXTS = names("events", "properties", "activities", "propertyNames")
WITH_PROPERTIES = names("events", "properties", "properties", "propertyNames")


def with_events(text: str) -> dict[str, str]:
    return {**FILES, "config/events.yaml": f"version: 1\n{text}"}


def with_activity(name: str) -> dict[str, str]:
    return edited(FILES, ("contact", ACTIVITIES, f"  activities: [{name}]\n"))


def words_of(line: str, before: str, after: str) -> str:
    """Return the text between two parts of a line."""
    assert line.startswith(before), line
    assert line.endswith(after), line
    return line.removeprefix(before).removesuffix(after)


def check_words(words_by_event: dict[str, str]) -> None:
    """Check that all descriptions differ, and that none of them is a name of the config."""
    assert len({words.lower() for words in words_by_event.values()}) == len(words_by_event), words_by_event
    assert not [words for words in words_by_event.values() if "_" in words or not words.strip()]


def test_the_language_names_events_in_three_places() -> None:
    assert len(IN_MAPPINGS) >= 6
    assert {*IN_MAPPINGS, "click_to_track"} <= {*WITH_TEXTS}
    assert WITH_PROPERTIES


def test_each_added_or_removed_event_of_a_mapping_has_its_description(tmp_path: Path) -> None:
    without = edited(FILES, ("contact", ACTIVITIES, ""))
    started, ended = {}, {}
    for name in IN_MAPPINGS:
        (line,) = list_texts(reviewed(tmp_path / name / "forth", without, with_activity(name)))
        started[name] = words_of(line, "medium: ", " will be written to Contacts as Events")
        (line,) = list_texts(reviewed(tmp_path / name / "back", with_activity(name), without))
        ended[name] = words_of(line, "low: ", " will no longer be written to Contacts")
    assert started == ended
    check_words(started)


@pytest.mark.parametrize("part", ["subject", "comment"])
def test_each_event_with_a_changed_text_has_its_description(tmp_path: Path, part: str) -> None:
    words_by_event = {}
    for name in WITH_TEXTS:
        texts = {"subject": "A subject", "comment": "A comment"}
        before, after = (
            with_events(f"activities:\n  {name}: {{subject: {activity['subject']}, comment: {activity['comment']}}}\n")
            for activity in (texts, {**texts, part: "Other words"})
        )
        (line,) = list_texts(reviewed(tmp_path / name, before, after))
        end = f" will read `Other words` instead of `{texts[part]}`"
        words_by_event[name] = words_of(line, f"low: The {part} of activities for ", end)
    check_words(words_by_event)


@pytest.mark.parametrize("part", ["score", "feedback"])
def test_each_event_with_a_changed_attribute_has_its_description(tmp_path: Path, part: str) -> None:
    words_by_event = {}
    for name in WITH_PROPERTIES:
        before, after = (
            with_events(f"properties:\n  {name}: {{{part}: {attribute}}}\n") for attribute in ("old", "new")
        )
        (line,) = list_texts(reviewed(tmp_path / name, before, after))
        start = f"medium: The {part} in Appcues' event for "
        words_by_event[name] = words_of(line, start, " will be taken from `new` instead of `old`")
    check_words(words_by_event)
