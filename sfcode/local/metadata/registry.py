"""
Every kind of file that a package may contain: its folder, and the name of its component.

`sfcode.metadata.types` has the types whose content is known. The others are in a table: the org stores their files,
or the elements that are components, unchanged.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based.htm has the folders.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.metadata.types import CHILDREN, TYPES

META = "-meta.xml"
"""The end of the name of a file with properties, beside the file with the content."""


@dataclass(frozen=True)
class FileType:
    """A metadata type as describeMetadata describes it."""

    name: str
    directory: str
    suffix: str
    meta_file: bool = False
    """Whether the content is in one file and the properties are in another file, `-meta.xml`."""
    in_folder: bool = False
    bundle: bool = False
    """Whether a folder of files is one component."""
    modeled: bool = False
    """Whether the contents are checked; otherwise they are stored unchanged."""
    elements: Mapping[str, str] = field(default_factory=dict)
    """The elements that are separate components, with their types; only for a type that is not modeled."""

    @property
    def children(self) -> tuple[str, ...]:
        """The types of the components inside files of this type."""
        return tuple(sorted((CHILDREN.get(self.name) or self.elements).values()))


def _parse_file_type(line: str) -> FileType:
    name, directory, suffix, *words = line.split()
    return FileType(
        name,
        directory,
        "" if suffix == "-" else suffix,
        meta_file="meta" in words,
        in_folder="folder" in words,
        bundle="bundle" in words,
        elements=dict(word[1:].split(":") for word in words if word.startswith(">")),
    )


UNMODELED = [
    line
    for line in resources.files(__package__).joinpath("file_types.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]

FILE_TYPES: Mapping[str, FileType] = {
    kind.name: kind
    for kind in sorted(
        (
            *(
                FileType(
                    kind.name,
                    kind.directory,
                    kind.suffix,
                    meta_file=kind.has_content,
                    in_folder=kind.name == "Report",
                    modeled=True,
                )
                for kind in TYPES.values()
                if not (kind.parent or kind.folder_of)
            ),
            *map(_parse_file_type, UNMODELED),
        ),
        key=lambda kind: kind.name,
    )
}
"""Types whose components have separate files, by name."""

BY_DIRECTORY: Mapping[str, FileType] = {kind.directory: kind for kind in FILE_TYPES.values()}
_BY_SUFFIX = {(kind.directory, kind.suffix): kind for kind in FILE_TYPES.values()}


def type_at(path: str) -> FileType | None:
    """Return the type of a file below a package's root; a few types share a folder and differ in their suffix."""
    parts = path.removesuffix(META).split("/")
    suffix = parts[-1].rpartition(".")[2]
    return (_BY_SUFFIX.get((parts[0], suffix)) or BY_DIRECTORY.get(parts[0])) if len(parts) > 1 else None


PARENTS: Mapping[str, str] = {child: kind.name for kind in FILE_TYPES.values() for child in kind.children}
"""The type of the container, by type of the child."""

CONTAINER_OF_ALL = {"CustomLabel": "CustomLabels"}
"""The container of each type with only one container. Component names of the type do not contain its name."""

WILDCARD = "*"
"""The name in a package.xml that selects all components of a type."""

NO_WILDCARD = frozenset({"Dashboard", "Document", "EmailTemplate", "Report", "StandardValueSet"})
"""Types for which `*` in a package.xml selects nothing."""


def allows_wildcard(type_: str) -> bool:
    """Return whether `*` in a package.xml selects the components of a type."""
    return type_ not in NO_WILDCARD and (type_ in FILE_TYPES or type_ in PARENTS)


def is_known(type_: str) -> bool:
    """Return whether a package.xml may name this type."""
    return type_ in FILE_TYPES or type_ in TYPES or type_ in PARENTS


def parent_of(type_: str) -> str:
    """Return the type whose files contain the components of a type: its container, or the type itself."""
    return PARENTS.get(type_, type_)


def container_of(type_: str, full_name: str) -> str:
    """Return the full name of the component whose file contains a given one: `Case` for `Case.Escalate`, else its own."""
    if type_ not in PARENTS:
        return full_name
    return CONTAINER_OF_ALL.get(type_) or full_name.partition(".")[0]


def child_name(type_: str, container: str, local: str) -> str:
    """Return the full name of a component from the name of its container and its name in the container's file."""
    return local if type_ in CONTAINER_OF_ALL else f"{container}.{local}"
