"""Count unmanaged components in files that also contain managed ones; a plan does not change them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address
from sfcode.metadata.objects import OrgSchema
from sfcode.metadata.types import CHILDREN, TYPES
from sfcode.plan.change import Change
from sfcode.text import count_noun

WORDS = {
    "CustomField": "field",
    "WorkflowAlert": "alert",
    "WorkflowFieldUpdate": "field update",
    "WorkflowOutboundMessage": "message",
    "WorkflowRule": "rule",
    "WorkflowTask": "task",
}
"""The name of a component for people, by type; the default is `entry`."""
MANY_FILES, NAMED_FILES = 5, 3
"""The maximum number of files with a sentence each. A plan with more files has one sentence, which names NAMED_FILES."""


@dataclass(frozen=True)
class Preserved:
    """The number of unmanaged components in one file that a plan writes."""

    container: str
    """Type and name of the file, such as `Workflow:Contact`."""
    counts: Mapping[str, int]
    """Numbers by type."""

    def __str__(self) -> str:
        return _describe(self.counts, self.file)

    @property
    def file(self) -> str:
        """The name of the file, such as `Contact.workflow`."""
        type_, _, name = self.container.partition(":")
        return f"{name}.{TYPES[type_].suffix}"


def describe_preserved(rows: Sequence[Preserved]) -> list[str]:
    """Describe the unmanaged components in a sentence for each file, or in one sentence if there are many files."""
    if len(rows) <= MANY_FILES:
        return list(map(str, rows))
    counts = sum((Counter(row.counts) for row in rows), Counter[str]())
    named_files = ", ".join(row.file for row in rows[:NAMED_FILES])
    return [
        _describe(
            dict(sorted(counts.items())), f"{len(rows):,} files ({named_files} and {len(rows) - NAMED_FILES:,} more)"
        )
    ]


def _describe(counts: Mapping[str, int], place: str) -> str:
    parts = [
        count_noun(count, WORDS[type_]) if type_ in WORDS else count_noun(count, "entry", "entries")
        for type_, count in counts.items()
    ]
    phrase = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    are = "is" if sum(counts.values()) == 1 else "are"
    return f"{phrase} in {place} {are} not managed by sfcode, and not changed"


def count_preserved(changes: Iterable[Change], unmanaged_addresses: Collection[Address]) -> tuple[Preserved, ...]:
    """Count the unmanaged components in the files that a plan writes."""
    touched = {container for change in changes if (container := container_of(change.address))}
    counts: dict[Address, Counter[str]] = {}
    for address in unmanaged_addresses:
        container = container_of(address)
        if container in touched:
            counts.setdefault(container, Counter())[address.type] += 1
    return tuple(Preserved(str(container), dict(sorted(counts[container].items()))) for container in sorted(counts))


def container_of(address: Address) -> Address | None:
    """Return the component whose file contains a given one; None if the given one has its own file."""
    kind = TYPES.get(address.type)
    return Address(kind.parent, address.full_name.partition(".")[0]) if kind and kind.parent else None


def unmanaged_fields(schema: OrgSchema, managed: Collection[Address]) -> Iterator[Address]:
    """List the custom fields of a describe that are not managed."""
    for name, described in schema.objects.items():
        if name == "Task":
            continue  # its custom fields are those of Event: both belong to Activity
        owner = "Activity" if name == "Event" else name
        for field in described.fields.values():
            address = Address("CustomField", f"{owner}.{field.name}")
            if field.custom and described.complete and address not in managed:
                yield address


def extract_components(
    files: Mapping[str, bytes], requested_addresses: Collection[Address]
) -> tuple[dict[str, bytes], set[Address]]:
    """
    Remove the components that were not requested from workflow files; return the files, and all addresses in them.

    Unmanaged components are only counted, since they may contain elements that this version of the schema does not know.
    """
    from lxml import etree  # already imported by a plan

    from sfcode.metadata.paths import address_of_file
    from sfcode.metadata.xml import children_of, parse

    remaining_files, addresses = dict(files), set[Address]()
    for path, data in files.items():
        container = address_of_file(path.removeprefix("unpackaged/"))
        if container is None or container.type != "Workflow":
            continue
        root = parse(data, path)
        for name, element in list(children_of(root)):
            type_ = CHILDREN["Workflow"].get(name)
            own = next((child.text for child in element.iterchildren("{*}fullName")), None)
            address = Address(type_, f"{container.full_name}.{(own or '').strip()}") if type_ else None
            if address:
                addresses.add(address)
            if address not in requested_addresses:
                root.remove(element)
        remaining_files[path] = etree.tostring(root)
    return remaining_files, addresses
