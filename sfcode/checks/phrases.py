"""Phrases of the sentences that reviews and plans consist of."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.metadata.objects import standard

MANY = 5
"""The number of names that a sentence lists; further ones are counted."""

LONG = 100
"""The maximum length of a quoted text in a sentence, in characters."""


def code(value: object) -> str:
    """Quote a value of the config on one line between backticks."""
    text = " ".join(str(value).split()).replace("`", "'")
    return f"`{text if len(text) <= LONG else text[: LONG - 1] + '…'}`"


def records(object_name: str) -> str:
    """Return the words for the records of an object, such as `Contacts` or `Widget__c records`."""
    target = standard().objects.get(object_name)
    return target.label_plural if target and target.label_plural else f"{object_name} records"


def join_list(names: Iterable[str], last: str = "and") -> str:
    """Join names as in a sentence. A long list is truncated, and ends with the number of further names."""
    every = list(names)
    if len(every) > MANY:
        every = [*every[: MANY - 1], f"{len(every) - MANY + 1} more"]
    return f"{', '.join(every[:-1])} {last} {every[-1]}" if len(every) > 1 else "".join(every)


def capitalize(text: str) -> str:
    """Capitalize a sentence."""
    return text[:1].upper() + text[1:]


def describe_saves(on: Iterable[str]) -> str:
    """Describe which saves of a record send its data."""
    words = {"create": "created", "update": "changed"}
    return " or ".join(word for key, word in words.items() if key in on)
