"""
Find the cause of a YAML syntax error.

A parser reports where it stopped, which is often far behind the mistake. So the text is
searched for common mistakes: conflict markers, unusual spaces, tabs, a missing colon, an open
quote or bracket.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import yaml

from sfcode.diagnostics import Position

_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)")
_SPACE = re.compile("[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]")
_ENTRY = re.compile(r"(?:- +)*(?P<key>[^\s\"'{\[#&*!|>%@`][^\s:]*)(?:(?P<colon>:)(?=\S)|\s)?\s*(?P<value>\S.*)?$")
_BEFORE_OPENED = re.compile(r"\s*(?:- +)*(?P<key>[^\s\"'{\[#&*!|>%@`:]+) +(?=[{\[])")
_AFTER_A_LINE = ("mapping values are not allowed", "could not find expected ':'", "did not find expected key")
_OPEN = {"quoted scalar": "quote", "flow sequence": "[", "flow mapping": "{"}


class Mistake(NamedTuple):
    """A mistake in a YAML file: its position, message and hint."""

    position: Position
    message: str
    hint: str


def find_mistake(file: str, text: str, error: yaml.MarkedYAMLError) -> Mistake | None:
    """Return the mistake that causes a syntax error; None if only the parser's message is known."""
    lines = text.splitlines()
    failed = error.problem_mark.line if error.problem_mark else len(lines) - 1
    for number, line in enumerate(lines):
        if _MARKER.match(line):
            hint = "keep one of the two sides, and remove the lines with <<<<<<<, ======= and >>>>>>>"
            return Mistake(Position(file, number + 1, 1), "an unresolved git conflict", hint)
    return _find_space(file, lines, failed) or _find_open(file, error) or _find_missing_colon(file, lines, error)


def _find_space(file: str, lines: list[str], failed: int) -> Mistake | None:
    """Find a character that looks like a space before a key or after a colon, or a tab in the indentation."""
    for number in range(min(failed, len(lines) - 1), max(failed - 3, -1), -1):
        line = lines[number]
        content = line.lstrip()
        indent = line[: len(line) - len(content)]
        space = _SPACE.search(line[: len(indent) + len(_leading_spaces(content))]) or _behind_colon(line)
        if space:
            name = unicodedata.name(space[0], "").lower()
            message = f"the character U+{ord(space[0]):04X} ({name}) looks like a space, but is not one in YAML"
            return Mistake(Position(file, number + 1, space.start() + 1), message, "replace it with a plain space")
        if "\t" in indent:
            position = Position(file, number + 1, indent.index("\t") + 1)
            return Mistake(position, "a tab in the indentation", "indent with spaces")
    return None


def _leading_spaces(content: str) -> str:
    return content[: len(content) - len(content.lstrip("\u200b\u2060\ufeff"))]


def _behind_colon(line: str) -> re.Match[str] | None:
    colon = re.search(r":(?=[^\S ]|[\u200b\u2060\ufeff])", line)
    return _SPACE.match(line, colon.end()) if colon else None


def _find_open(file: str, error: yaml.MarkedYAMLError) -> Mistake | None:
    """Find a quote or bracket that is never closed, which a parser reports at the end of the file."""
    start, sign = error.context_mark, next((sign for part, sign in _OPEN.items() if part in (error.context or "")), "")
    if start is None or not sign or (error.problem_mark and error.problem_mark.line <= start.line):
        return None
    position = Position(file, start.line + 1, start.column + 1)
    if sign == "quote":
        return Mistake(position, "a quote that is not closed", "close it where the value ends")
    closing_bracket = {"[": "]", "{": "}"}[sign]
    return Mistake(
        position, f"a {sign} that is not closed", f"close it with {closing_bracket}, and check the commas in it"
    )


def _find_missing_colon(file: str, lines: list[str], error: yaml.MarkedYAMLError) -> Mistake | None:
    """Find a line without a colon, or without a space after it, at or before the line that could not be parsed."""
    if not any(part in (error.problem or "") for part in _AFTER_A_LINE):
        return None
    failed, column = (
        (error.problem_mark.line, error.problem_mark.column) if error.problem_mark else (len(lines) - 1, -1)
    )
    for number in range(min(failed, len(lines) - 1), -1, -1):
        line = lines[number].split(" #")[0].rstrip()
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if number == failed and (opened := _BEFORE_OPENED.match(line)):
            position = Position(file, number + 1, opened.start("key") + 1)
            return Mistake(position, "no colon after the key", f"write `{opened['key']}: {line[opened.end() :]}`")
        if colon := re.search(r":(\s|$)", line):
            # The parser stops at the colon of a key if the previous line is not an entry.
            if number == failed and (line.count(": ") < 2 or colon.start() == column):
                continue
            return None
        entry = _ENTRY.match(line.strip())
        if entry is None:
            return None
        position = Position(file, number + 1, len(line) - len(line.lstrip()) + 1)
        key, value = entry["key"], entry["value"] or ""
        if entry["colon"]:
            return Mistake(position, "no space after the colon", f"write `{key}: {value}`")
        corrected_line = f"{key}: {value}" if value else f"{key}:"
        return Mistake(position, "no colon after the key", f"write `{corrected_line}`")
    return None
