"""Retrieve components as files, in the form an org returns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from lxml import etree

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.http.soap import SoapFault
from sfcode.local.metadata.inventory import InventoryEntry, file_name, file_properties, list_children, list_entries
from sfcode.local.metadata.org_form import org_form
from sfcode.local.metadata.registry import (
    FILE_TYPES,
    META,
    WILDCARD,
    allows_wildcard,
    container_of,
    is_known,
    parent_of,
)
from sfcode.local.store import OrgTransaction
from sfcode.metadata import schema_table
from sfcode.metadata.component import Address, Component
from sfcode.metadata.manifest import PACKAGE
from sfcode.metadata.package import unzip, write, write_manifest, zip_files
from sfcode.metadata.types import CHILDREN
from sfcode.metadata.xml import to_bytes

MAX_FILES = 10_000
"""The maximum number of files of a retrieve: https://github.com/forcedotcom/salesforcedx-vscode/issues/685"""


@dataclass
class RetrievedFiles:
    """The zip, its contents, and the members that were not found."""

    zip: bytes = b""
    file_properties: list[Mapping[str, Any]] = field(default_factory=list)
    messages: list[Mapping[str, str]] = field(default_factory=list)


def retrieve(
    tx: OrgTransaction,
    members: Mapping[str, Iterable[str]],
    api_version: str,
    *,
    folder: str = "unpackaged/",
    only: frozenset[str] = frozenset(),
) -> RetrievedFiles:
    """
    Retrieve the members of a manifest; `folder` is the root of the files in the zip.

    If `only` has paths of files, the others are left out. Raises SoapFault when there are too many files.
    """
    package = RetrievedFiles()
    entries: dict[Address, InventoryEntry] = {}
    for type_, names in sorted(members.items()):
        if not is_known(type_):
            package.messages.append(_message(folder, f"Entity type: '{type_}' is unknown"))
            continue
        by_name = {unquote(entry.component.full_name).lower(): entry for entry in list_entries(tx, type_)}
        for name in sorted(set(names)):
            if name == WILDCARD:
                selection = _list_selected(type_, by_name.values())
            else:
                entry = by_name.get(unquote(name).lower()) or _version(tx, type_, name)
                selection = [entry] if entry else []
                if entry is None:
                    text = f"Entity of type '{type_}' named '{name}' cannot be found"
                    package.messages.append(_message(folder, text))
            entries |= {entry.component.address: entry for entry in selection}
    files = _files(tx, list(entries.values()), float(api_version))
    if only:
        files = {name: data for name, data in files.items() if name.removesuffix(META) in only}
        entries = {address: entry for address, entry in entries.items() if file_name(entry.component) in files}
    if len(files) > MAX_FILES:
        raise SoapFault("LIMIT_EXCEEDED", f"Too many files in retrieve call, limit is: {MAX_FILES}")
    files[PACKAGE] = write_manifest(entries, api_version)
    package.zip = zip_files({folder + name: data for name, data in files.items()})
    package.file_properties = [
        file_properties(tx, entry, folder + file_name(entry.component)) for _, entry in sorted(entries.items())
    ]
    return package


def _list_selected(type_: str, entries: Iterable[InventoryEntry]) -> list[InventoryEntry]:
    """List the entries that `*` selects."""
    if not allows_wildcard(type_):
        return []
    # `*` does not select standard fields: https://github.com/forcedotcom/cli/issues/3052
    return [entry for entry in entries if type_ != "CustomField" or entry.stored is not None]


def _version(tx: OrgTransaction, type_: str, name: str) -> InventoryEntry | None:
    version = tx.flows.find_version(name) if type_ == "Flow" else None
    return (
        None if version is None else InventoryEntry(Component("Flow", name, version.body), version.stored, version.id)
    )


def _message(folder: str, problem: str) -> Mapping[str, str]:
    return {"fileName": folder + PACKAGE, "problem": problem}


def _files(tx: OrgTransaction, entries: list[InventoryEntry], api_version: float) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    modeled: dict[Address, Component] = {}
    elements: dict[Address, dict[Address, bytes]] = {}
    for entry in entries:
        component = entry.component
        parent = FILE_TYPES[parent_of(component.type)]
        if parent.elements:
            stored = list_children(tx, component) if component.type == parent.name else [entry.stored]
            container = Address(parent.name, container_of(component.type, component.full_name))
            raw_elements = {child.component.address: child.raw for child in stored if child and child.raw}
            elements.setdefault(container, {}).update(raw_elements)
            continue
        if entry.stored is not None and entry.stored.raw is not None:
            files |= unzip(entry.stored.raw)
            continue
        modeled[component.address] = org_form(component, api_version)
        for child in list_children(tx, component) if component.type in CHILDREN else ():
            modeled[child.component.address] = org_form(child.component, api_version)
    modeled_files = write(modeled.values(), str(api_version))
    del modeled_files[PACKAGE]
    return (
        files
        | modeled_files
        | {file_name(Component(key.type, key.full_name)): _assemble(key.type, raw) for key, raw in elements.items()}
    )


def _assemble(type_: str, elements: Mapping[Address, bytes]) -> bytes:
    """Write the file of a container whose elements are stored unchanged."""
    root = etree.Element(f"{{{schema_table.NAMESPACE}}}{type_}", nsmap={None: schema_table.NAMESPACE})  # type: ignore[dict-item]
    root.extend(etree.fromstring(elements[address]) for address in sorted(elements))
    return to_bytes(root)
