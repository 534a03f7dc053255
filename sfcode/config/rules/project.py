"""Rules for all files together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice

from sfcode.config import mapping_models
from sfcode.config.document import Document, PathProblem
from sfcode.config.names import NAME_LIMIT
from sfcode.config.resolve import resolve_conditions
from sfcode.config.rules.mapping import created_fields, written_fields
from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.conditions import Condition, are_apart
from sfcode.mapping.place import ConfigPath


@dataclass(frozen=True)
class Draft:
    """A mapping during the checks."""

    name: str
    spec: mapping_models.Mapping
    document: Document

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions on the records of the mapping."""
        return resolve_conditions(self.spec, self.document.keys)

    @property
    def attributes(self) -> Mapping[str, mapping_models.Attribute]:
        """The attributes that are sent to Appcues."""
        return self.spec.to_appcues.attributes if self.spec.to_appcues else {}

    def key_of(self, field: str) -> tuple[str, str]:
        """Return the key by which mappings are indexed: object and field, in lower case since Salesforce ignores case."""
        return self.spec.object.lower(), field.lower()

    def problem(self, *path: str, message: str, hint: str, at_key: bool = False) -> Diagnostic:
        """Return a problem with its position in this mapping's file."""
        return self.document.problem(PathProblem(path, message, hint, "key" if at_key else "value"))


def check_mappings(prefix: str, drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """
    Report conflicts between mappings, for each mapping the first one.

    All lookups are by name, so that the time per mapping does not grow with their number. A mapping
    with the same records as another one is not compared further.
    """
    for draft in drafts:
        yield from _check_length(prefix, draft)
    yield from _check_names(drafts)
    yield from _check_spellings(drafts)
    records_by_object: dict[tuple[str, str], MappingsByRecords] = defaultdict(MappingsByRecords)
    apart: list[Draft] = []
    for draft in drafts:
        of_object = records_by_object[draft.spec.object.lower(), draft.spec.match]
        if first_draft := of_object.find(draft):
            message = f"{draft.spec.object} is already mapped at {first_draft.document.value(('object',))}"
            hint = "put both in one file, or give each a `where` so that no record matches both"
            yield draft.problem("object", message=message, hint=hint)
        else:
            of_object.add(draft)
            apart.append(draft)
    yield from _check_claims(apart)
    yield from _check_loops(apart)


class MappingsByRecords:
    """Mappings of one object and one kind of profile, indexed to find two mappings that may share a record."""

    def __init__(self) -> None:
        self._all: list[Draft] = []
        self._by_value: dict[tuple[str, object], list[Draft]] = defaultdict(list)
        """The mappings that require some values of a field, by field and value."""
        self._any_value: dict[str, list[Draft]] = {}
        """The mappings whose records may have any value of a field, by field."""

    def add(self, draft: Draft) -> None:
        """Add a mapping."""
        values_by_field = {condition.field.lower(): condition.listed_values for condition in draft.conditions}
        listed = {field: values for field, values in values_by_field.items() if values is not None}
        for field in listed.keys() - self._any_value.keys():
            self._any_value[field] = [*self._all]
        for field, drafts in self._any_value.items():
            for value in listed.get(field, ()):
                self._by_value[field, value].append(draft)
            if field not in listed:
                drafts.append(draft)
        self._all.append(draft)

    def find(self, draft: Draft) -> Draft | None:
        """Return the first mapping that may share a record with a given one."""
        candidates = self._all
        for condition in draft.conditions:
            field = condition.field.lower()
            if condition.listed_values is not None and field in self._any_value:
                same = (self._by_value.get((field, value), ()) for value in condition.listed_values)
                candidates = min(candidates, [*self._any_value[field], *chain.from_iterable(same)], key=len)
        shared = (candidate for candidate in candidates if not are_apart(candidate.conditions, draft.conditions))
        return min(shared, key=lambda candidate: candidate.name, default=None)


def warn_about_mappings(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Warn of valid settings that may surprise."""
    connector_drafts = [draft for draft in drafts if draft.spec.delivery == "connector" and draft.spec.match == "user"]
    for draft in connector_drafts[1:]:
        message = f"Appcues' connector maps one object, and {connector_drafts[0].document.file} already uses it"
        yield draft.problem("delivery", message=message, hint="write delivery: relay")


def _check_length(prefix: str, draft: Draft) -> Iterator[Diagnostic]:
    name = f"{prefix}_{draft.name}"
    if len(name) > NAME_LIMIT:
        message = (
            f"the file's name results in {name}, which has {len(name)} characters, and Salesforce allows {NAME_LIMIT}"
        )
        yield Diagnostic.error(Position(draft.document.file, 1, 1), "", message, "give the file a shorter name")


def _check_names(drafts: Iterable[Draft]) -> Iterator[Diagnostic]:
    """Find files whose names Salesforce does not distinguish."""
    first: dict[str, Draft] = {}
    for draft in drafts:
        first_draft = first.setdefault(draft.name.lower(), draft)
        if first_draft is not draft:
            message = (
                f"this file's name differs from {first_draft.document.file} only in case, and Salesforce ignores case"
            )
            yield Diagnostic.error(Position(draft.document.file, 1, 1), "", message, "rename one of them")


def _check_claims(drafts: Iterable[Draft]) -> Iterator[Diagnostic]:
    """Find fields that two mappings would generate."""
    claimed: dict[tuple[str, str], tuple[Draft, ConfigPath]] = {}
    for draft in drafts:
        for path, field in created_fields(draft.spec):
            owner, place = claimed.setdefault(draft.key_of(field), (draft, path))
            if owner is not draft:
                message = f"{draft.spec.object}.{field} is already generated for {owner.document.value(place)}"
                hint = "choose another name, or generate it in one mapping only"
                yield draft.problem(*map(str, path), message=message, hint=hint)


def _check_loops(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Find fields that one mapping sends to Appcues and another one writes."""
    senders: dict[tuple[str, str], list[tuple[Draft, str]]] = defaultdict(list)
    for draft in drafts:
        for name, attribute in draft.attributes.items():
            pairs = senders[draft.key_of(attribute.field)]
            if len(pairs) < 2 and all(
                sending is not draft for sending, _ in pairs
            ):  # one of them is from another mapping
                pairs.append((draft, name))
    for draft in drafts:
        for path, target in written_fields(draft.spec).items():
            other_pairs = (pair for pair in senders.get(draft.key_of(target.field), ()) if pair[0] is not draft)
            for sender, name in islice(other_pairs, 1):
                position = sender.document.value(("to_appcues", "attributes", name))
                message = f"{target.field} is sent to Appcues at {position}, so Appcues must not write it"
                hint = "choose another field: a field can only have one direction"
                yield draft.problem(*map(str, path), "field", message=message, hint=hint)


def _check_spellings(drafts: Iterable[Draft]) -> Iterator[Diagnostic]:
    """Find attributes that two mappings spell differently, which Appcues would treat as two attributes."""
    first: dict[tuple[str, str], tuple[Draft, str]] = {}
    for draft in drafts:
        for name in draft.attributes:
            first_draft, spelling = first.setdefault((draft.spec.match, name.lower()), (draft, name))
            if spelling != name and first_draft is not draft:
                position = first_draft.document.key(("to_appcues", "attributes", spelling))
                message = f"{name} is spelled {spelling} at {position}, and would be another attribute in Appcues"
                path = ("to_appcues", "attributes", name)
                yield draft.problem(*path, message=message, hint=f"write {spelling}", at_key=True)
