"""Manifests: package.xml and the destructive changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address, Component, Value
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.types import member_type
from sfcode.metadata.xml import from_element, parse, to_bytes, to_element

PACKAGE = "package.xml"
DESTRUCTIVE_POST = "destructiveChangesPost.xml"
DESTRUCTIVE = ("destructiveChanges.xml", "destructiveChangesPre.xml", DESTRUCTIVE_POST)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest: the API version ("" if missing), and the members by type."""

    api_version: str
    members: Mapping[str, tuple[str, ...]]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All members as addresses, sorted; `*` is included."""
        return tuple(sorted(Address(type_, name) for type_, names in self.members.items() for name in names))


def write_manifest(addresses: Iterable[Address], api_version: str) -> bytes:
    """
    Render a package.xml with sorted types and members; an empty version is omitted, as in destructive changes.

    A folder is listed before its content; in destructive changes after it, since an org deletes only empty folders.
    """
    members: dict[str, list[Value]] = {}
    for address in sorted(set(addresses), key=lambda member: _order(member, deletes=not api_version)):
        members.setdefault(member_type(address.type), []).append(address.full_name)
    body: dict[str, Value] = {"types": {type_: {"members": names} for type_, names in members.items()}}
    # The WSDL requires a version; destructive changes have none.
    root = to_element(Component("Package", PACKAGE, {**body, "version": api_version} if api_version else body))
    return to_bytes(root)


def _order(address: Address, *, deletes: bool) -> tuple[str, bool, str]:
    type_ = member_type(address.type)
    is_folder = type_ != address.type
    return (type_, is_folder is deletes, address.full_name.lower())


def read_manifest(data: bytes, name: str = PACKAGE) -> Manifest:
    """Read a package.xml or destructive changes. Raises MetadataError."""
    root = parse(data, name)
    if not root.tag.endswith("}Package"):
        raise MetadataError(f"the root must be <Package>, not <{root.tag}>", file=name, line=1, column=1)
    body = from_element("Package", name, root, file=name).body
    types = body.get("types", {})
    entries: list[tuple[str, Mapping[str, Value]]]
    if isinstance(types, Mapping):
        entries = [(type_, cast(Mapping[str, Value], entry)) for type_, entry in types.items()]
    else:  # a type that occurs twice
        entries = [(str(entry["name"]), entry) for entry in cast(list[dict[str, Value]], types)]
    members: dict[str, set[str]] = {}
    for type_, entry in entries:
        members.setdefault(type_, set()).update(cast(list[str], entry.get("members", [])))
    return Manifest(
        api_version=str(body.get("version", "")),
        members={type_: tuple(sorted(names)) for type_, names in sorted(members.items())},
    )
