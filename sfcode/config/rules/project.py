"""Rules for all files together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sfcode.config.document import Document, PathProblem
from sfcode.config.mapping_models import Mapping
from sfcode.config.names import NAME_LIMIT
from sfcode.config.resolve import resolve_conditions
from sfcode.config.rules.mapping import created_fields, written_fields
from sfcode.diagnostics import Diagnostic, Position
from sfcode.mapping.conditions import Condition, are_apart


@dataclass(frozen=True)
class Draft:
    """A mapping during the checks."""

    name: str
    spec: Mapping
    document: Document

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the records of the mapping have to fit."""
        return resolve_conditions(self.spec, self.document.keys)

    def problem(self, *path: str, message: str, hint: str, at_key: bool = False) -> Diagnostic:
        """Return a problem with its position in this mapping's file."""
        return self.document.problem(PathProblem(path, message, hint, "key" if at_key else "value"))


def check_mappings(prefix: str, drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Check that mappings do not conflict, each against those before it."""
    for index, draft in enumerate(drafts):
        yield from _check_names(prefix, draft)
        for earlier in drafts[:index]:
            yield from _check_pair(earlier, draft)


def warn_about_mappings(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Warn of valid settings that may surprise."""
    carried = [draft for draft in drafts if draft.spec.delivery == "connector" and draft.spec.match == "user"]
    for draft in carried[1:]:
        message = f"Appcues' connector maps one type of record, and {carried[0].document.file} has it already"
        yield draft.problem("delivery", message=message, hint="write delivery: relay")


def _check_names(prefix: str, draft: Draft) -> Iterator[Diagnostic]:
    name = f"{prefix}_{draft.name}"
    if len(name) > NAME_LIMIT:
        message = f"the file's name makes {name}, {len(name)} characters long, and Salesforce allows {NAME_LIMIT}"
        yield Diagnostic.error(Position(draft.document.file, 1, 1), "", message, "give the file a shorter name")


def _check_pair(first: Draft, second: Draft) -> Iterator[Diagnostic]:
    if first.name.lower() == second.name.lower():
        message = f"this file's name differs from {first.document.file} in case only, and Salesforce ignores case"
        yield Diagnostic.error(Position(second.document.file, 1, 1), "", message, "rename one of them")
    if first.spec.match == second.spec.match:
        yield from _find_spellings(first, second)
    if first.spec.object.lower() != second.spec.object.lower():
        return
    if first.spec.match == second.spec.match and not are_apart(first.conditions, second.conditions):
        place = first.document.value(("object",))
        message = f"{second.spec.object} is mapped already, at {place}"
        hint = "put both in one file, or give each a `where` that no record fits together with the other"
        yield second.problem("object", message=message, hint=hint)
        return
    yield from _find_claims(first, second)
    yield from _find_loops(first, second)


def _find_claims(first: Draft, second: Draft) -> Iterator[Diagnostic]:
    """Find fields that two mappings would manage."""
    claimed = {field.lower(): path for path, field in created_fields(first.spec)}
    for path, field in created_fields(second.spec):
        if field.lower() in claimed:
            where = first.document.value(claimed[field.lower()])
            message = f"{second.spec.object}.{field} is generated already, for {where}"
            yield second.problem(
                *map(str, path), message=message, hint="choose another name, or let one mapping own it"
            )


def _find_loops(first: Draft, second: Draft) -> Iterator[Diagnostic]:
    """Find fields that one mapping sends and another writes."""
    for sender, writer in ((first, second), (second, first)):
        sent = {
            attribute.field.lower(): ("to_appcues", "attributes", name)
            for name, attribute in (sender.spec.to_appcues.attributes if sender.spec.to_appcues else {}).items()
        }
        for path, target in written_fields(writer.spec).items():
            if target.field.lower() in sent:
                where = sender.document.value(sent[target.field.lower()])
                message = f"{target.field} is sent to Appcues at {where}, so Appcues must not write it"
                hint = "choose another field: data of one field flows one way"
                yield writer.problem(*map(str, path), "field", message=message, hint=hint)


def _find_spellings(first: Draft, second: Draft) -> Iterator[Diagnostic]:
    """Find attributes that two mappings spell differently, which Appcues would treat as two attributes."""
    names = {name.lower(): name for name in _attributes(first)}
    for name in _attributes(second):
        other = names.get(name.lower(), name)
        if other != name:
            where = first.document.key(("to_appcues", "attributes", other))
            message = f"{name} is spelled {other} at {where}, and would be another attribute in Appcues"
            yield second.problem("to_appcues", "attributes", name, message=message, hint=f"write {other}", at_key=True)


def _attributes(draft: Draft) -> Iterable[str]:
    return draft.spec.to_appcues.attributes if draft.spec.to_appcues else ()
