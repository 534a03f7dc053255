"""What others have in the files that our components live in: it is left alone, and a plan says how much that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sfcode.metadata.component import Address
from sfcode.metadata.objects import OrgSchema
from sfcode.metadata.types import CHILDREN, TYPES
from sfcode.plan.change import Change

WORDS = {
    "CustomField": "field",
    "WorkflowAlert": "alert",
    "WorkflowFieldUpdate": "field update",
    "WorkflowOutboundMessage": "message",
    "WorkflowRule": "rule",
    "WorkflowTask": "task",
}
"""What a reader calls a component of a type; the others are entries."""


@dataclass(frozen=True)
class Preserved:
    """How many components of others stay as they are in one file that a plan writes to."""

    container: str
    """Type and name: `Workflow:Contact`."""
    counts: Mapping[str, int]
    """By type."""

    def __str__(self) -> str:
        said = [
            f"{count} {WORDS.get(type_, 'entry' if count == 1 else 'entrie')}" for type_, count in self.counts.items()
        ]
        said = [text if text.startswith("1 ") else f"{text}s" for text in said]
        whole = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
        type_, _, name = self.container.partition(":")
        are = "is" if sum(self.counts.values()) == 1 else "are"
        return f"{whole} of others in {name}.{TYPES[type_].suffix} {are} left alone"


def preserved(changes: Iterable[Change], others: Collection[Address]) -> tuple[Preserved, ...]:
    """Count what others have in the files that a plan writes to."""
    touched = {container for change in changes if (container := container_of(change.address))}
    counts: dict[Address, Counter[str]] = {}
    for address in others:
        container = container_of(address)
        if container in touched:
            counts.setdefault(container, Counter())[address.type] += 1
    return tuple(Preserved(str(each), dict(sorted(counts[each].items()))) for each in sorted(counts))


def container_of(address: Address) -> Address | None:
    """Name the component in whose file this one lives, where it has none of its own."""
    kind = TYPES.get(address.type)
    return Address(kind.parent, address.full_name.partition(".")[0]) if kind and kind.parent else None


def other_fields(schema: OrgSchema, mine: Collection[Address]) -> Iterator[Address]:
    """List the custom fields that a describe shows and that are not ours."""
    for name, known in schema.objects.items():
        if name == "Task":
            continue  # its custom fields are those of Event: both are Activity's
        owner = "Activity" if name == "Event" else name
        for field in known.fields.values():
            address = Address("CustomField", f"{owner}.{field.name}")
            if field.custom and known.complete and address not in mine:
                yield address


def only(files: Mapping[str, bytes], asked: Collection[Address]) -> tuple[dict[str, bytes], set[Address]]:
    """
    Take out of workflow files what was not asked for, and say what is in them.

    What others have there is only counted: it may hold what this version of the schema does not know.
    """
    from lxml import etree  # a plan has it loaded by then

    from sfcode.metadata.paths import component_at
    from sfcode.metadata.xml import children_of, parse

    kept, seen = dict(files), set[Address]()
    for path, data in files.items():
        container = component_at(path.removeprefix("unpackaged/"))
        if container is None or container.type != "Workflow":
            continue
        root = parse(data, path)
        for name, element in list(children_of(root)):
            type_ = CHILDREN["Workflow"].get(name)
            own = next((child.text for child in element.iterchildren("{*}fullName")), None)
            address = Address(type_, f"{container.full_name}.{(own or '').strip()}") if type_ else None
            if address:
                seen.add(address)
            if address not in asked:
                root.remove(element)
        kept[path] = etree.tostring(root)
    return kept, seen
