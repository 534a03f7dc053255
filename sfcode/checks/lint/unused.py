"""Settings without effect (SF210), and NPS fields that nothing fills (SF211)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.config.events_file import default_events
from sfcode.config.files import EVENTS
from sfcode.diagnostics import Diagnostic, Position
from sfcode.mapping.targets import NPS_KINDS


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Find settings without effect."""
    yield from _check_answers(side)
    yield from _check_texts(side)
    yield from _check_variables(side)


def _check_answers(side: Snapshot) -> Iterator[Diagnostic]:
    filled = {key for attributes in side.project.events.properties.values() for key in attributes}
    for mapping in side.project.resolved:
        for target in mapping.targets:
            kind = target.value.kind
            if mapping.by_relay and kind in NPS_KINDS and kind not in filled:
                text = f"no event fills {mapping.object}.{target.field}: events.yaml has no event with the {target.value.noun}"
                yield report("SF211", target.place, text, f"add `{kind}:` to an event under properties in events.yaml")


def _check_texts(side: Snapshot) -> Iterator[Diagnostic]:
    """Find the project's own texts for events that no mapping lists. Texts that equal sfcode's are not reported."""
    sections = [mapping.spec.to_salesforce for mapping in side.project.mappings if mapping.spec.delivery == "relay"]
    used = {name for section in sections if section for name in section.activity_events}
    if any(section and section.click_to_track for section in sections):
        used.add("click_to_track")
    file = str(PurePath(side.project.at().file).with_name(EVENTS))
    for name, text in side.project.events.activities.items():
        if name not in used and text != default_events().activities.get(name):
            line = _line(side.texts[file], f"{name}:")
            message = f"the text of {name} is never used: no mapping lists it under activities"
            yield report("SF210", Position(file, *line), message, "list it there, or remove the text")


def _check_variables(side: Snapshot) -> Iterator[Diagnostic]:
    source = "\n".join(text for name, text in side.texts.items() if not name.endswith(".j2"))
    project = side.project
    for name in project.target.variables:
        if f"${{{name}}}" not in source:
            place = project.place("environments", project.environment, "variables", name)
            yield report(
                "SF210",
                place,
                f"the variable {name} is never used",
                f"write ${{{name}}} where it is needed, or remove it",
            )


def _line(text: str, prefix: str) -> tuple[int, int]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip().startswith(prefix):
            return number, len(line) - len(line.lstrip()) + 1
    return 1, 1
