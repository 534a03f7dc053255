"""Names that Appcues confuses: similar names (SF204) and the names of its own events (SF205)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.config.project import NamedMapping
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.events import APPCUES_EVENTS
from sfcode.mapping.place import Place, place_at

_SEPARATORS = re.compile(r"[\s_.-]+")


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Find confusing names."""
    yield from _check_alike(_attributes(side), "attribute")
    yield from _check_alike(_events(side), "click-to-track event")
    for _, name, place in _events(side):
        if _plain(name) in {_plain(own) for own in APPCUES_EVENTS} or name.lower().startswith("v2:"):
            text = f"{name} is the name of an event of Appcues itself, which is never a click-to-track event"
            yield report(
                "SF205",
                place,
                text,
                "list Appcues' own events under activities, or write the click-to-track event's name",
            )


def _check_alike(names: Iterator[tuple[str, str, Place]], noun: str) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], tuple[str, Place]] = {}
    reported_names = set()
    for kind, name, place in names:
        spelling, first_place = first.setdefault((kind, _plain(name)), (name, place))
        if spelling != name and (kind, name) not in reported_names:
            reported_names.add((kind, name))
            text = f"the {noun} {name} is spelled {spelling} at {first_place.position}: Appcues stores two, and displays them alike"
            yield report("SF204", place, text, f"write {spelling}")


def _plain(name: str) -> str:
    """Return a key that is the same for all spellings that Appcues displays alike: `planName`, `plan_name`, `Plan Name`."""
    return _SEPARATORS.sub("", name).lower()


def _attributes(side: Snapshot) -> Iterator[tuple[str, str, Place]]:
    for mapping in side.project.mappings:
        section = mapping.spec.to_appcues
        for name in section.attributes if section else ():
            yield mapping.spec.match, name, _place(mapping, "to_appcues", "attributes", name)


def _events(side: Snapshot) -> Iterator[tuple[str, str, Place]]:
    for mapping in side.project.mappings:
        section = mapping.spec.to_salesforce
        for index, name in enumerate(section.click_to_track if section else ()):
            yield "", name, _place(mapping, "to_salesforce", "click_to_track", index)


def _place(mapping: NamedMapping, *path: str | int) -> Place:
    return place_at(mapping.positions, *path)
