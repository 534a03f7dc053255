"""YAML 1.2 with the position of every key and value."""

from __future__ import annotations

import pytest

from sfcode.config.document import Document
from sfcode.config.yaml import parse
from sfcode.diagnostics import Position


def read(text: str) -> Document:
    return parse(text.encode(), "f.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'true'", "true"),
        ("12", 12),
        ("-0x1F", "-0x1F"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2025-12-31", "2025-12-31"),
        ("63.0", 63.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("9" * 5000, "9" * 5000),
        ("1e9999", float("inf")),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int '12'", 12),
        ("!!float 1", 1.0),
        ("!!bool true", True),
        ("!!null ''", None),
        ("!!seq [a]", ["a"]),
        ("!!map {a: b}", {"a": "b"}),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    document = read(f"key: {text}\n").data
    assert document == {"key": value}
    assert type(document["key"]) is type(value)  # type: ignore[index]


def test_keys_are_text() -> None:
    assert read("on: 1\ntrue: 2\n3: 4\n").data == {"on": 1, "true": 2, "3": 4}


def test_anchors_give_their_value_where_an_alias_stands() -> None:
    document = read("a: &x {b: c}\nd: *x\ne: [*x]\n")
    assert document.data == {"a": {"b": "c"}, "d": {"b": "c"}, "e": [{"b": "c"}]}
    assert document.key(("d",)) == Position("f.yaml", 2, 1)
    assert document.value(("d", "b")) == Position("f.yaml", 1, 11)


def test_every_key_and_value_has_its_place() -> None:
    document = read("ä: [ü, 'ö']\nb:\n  c: >\n    text\n  - x\n".replace("  - x\n", ""))
    places = {
        path: (spot.key.line, spot.key.column, spot.value.line, spot.value.column)
        for path, spot in document.spots.items()
    }
    assert places == {
        (): (1, 1, 1, 1),
        ("ä",): (1, 1, 1, 4),
        ("ä", 0): (1, 5, 1, 5),
        ("ä", 1): (1, 8, 1, 8),
        ("b",): (2, 1, 3, 3),
        ("b", "c"): (3, 3, 3, 6),
    }


def test_a_part_of_a_value_has_a_position() -> None:
    document = read("a: 'x ${b} ${b}'\nc: |\n  one\n  two ${b}\nd: plain\n")
    assert document.find(("a",), "${b}") == Position("f.yaml", 1, 7)
    assert document.find(("a",), "${b}", nth=1) == Position("f.yaml", 1, 12)
    assert document.find(("c",), "${b}") == Position("f.yaml", 4, 7)
    assert document.find(("d",), "${b}") == Position("f.yaml", 5, 4)
    assert document.line(("c",), 2) == Position("f.yaml", 4, 3)
    assert document.line(("d",), 2) == Position("f.yaml", 5, 4)


def test_get_returns_only_written_keys() -> None:
    document = read("a: [{b: c}]\n")
    assert document.get(("a", 0, "b")) == "c"
    assert [document.get(path) for path in (("a", 1), ("a", "b"), ("a", 0, "b", "c"), ("x",))] == [None] * 4
