"""Special cases of differences: lists that are no sets, groups that differ in one key, and odd names in paths."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Component, Value
from sfcode.metadata.diff import diff, path_text


def compare(before: Value, after: Value) -> list[tuple[str, Value, Value]]:
    return [(path_text(change.path), change.before, change.after) for change in diff({"a": before}, {"a": after})]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"x": 1}, "text"], [{"x": 2}, "text"]),
        ([{"x": 1}, "text"], [{"x": 1, "y": 2}, "text"]),
        ([{"x": 1, "y": 2}, "text"], [{"x": 1}, "text"]),
        ([[1, 2], "text"], [[1, 3], "text"]),
        ([[1], "text"], [[1, 2], "text"]),
        (["a", "c", "b"], ["a", "c", "d"]),
        (["b", "a"], ["a", "b"]),
        ([{"x": 1}], ["text"]),
        ([1, 2], [2, 1]),
    ],
)
def test_a_mixed_list_is_one_change(before: Value, after: Value) -> None:
    assert compare(before, after) == [("a", before, after)]
    assert compare(before, before) == []


def test_a_set_replaced_by_a_group_is_compared_item_by_item() -> None:
    assert compare(["x", "y"], {"b": "c"}) == [("a.b", None, "c"), ("a.x", "x", None), ("a.y", "y", None)]
    assert compare({"b": "c"}, ["x", "y"]) == [("a.b", "c", None), ("a.x", None, "x"), ("a.y", None, "y")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "0", "b"), "a[0].b"),
        (("a", "²"), 'a["²"]'),
        (("a", 'say "x"'), 'a["say \\"x\\""]'),
        (("a", "back\\slash"), 'a["back\\\\slash"]'),
        (("0",), "[0]"),
        ((), ""),
    ],
)
def test_a_path_is_written_so_that_it_can_be_read_back(path: tuple[str, ...], text: str) -> None:
    assert path_text(path) == text


def test_the_fingerprint_of_a_component_is_the_same_in_every_release() -> None:
    component = Component("CustomField", "Contact.A__c", {"label": "Größe", "list": [1, True, None]})
    assert component != "CustomField:Contact.A__c"
    assert component.canonical == '{"label":"Größe","list":[1,true,null]}'
    # Saved plans contain these fingerprints: if they differed in another release, the org would seem to have changed.
    assert component.fingerprint == "3eddc7785270af3f6bd86ec5769be2df618ee23f098cf1137f9e3d89146208ef"
