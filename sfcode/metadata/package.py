"""
Convert components to package files and back, in the layouts of the Metadata API (mdapi) and the sf CLI (source).

A container (an object, a workflow) is listed in package.xml only if it is itself a component;
its children are listed by their own type, which an org compares with the file.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata import schema_table
from sfcode.metadata.archive import unzip, zip_files
from sfcode.metadata.component import Address, Component, Value
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.manifest import (
    DESTRUCTIVE,
    DESTRUCTIVE_POST,
    PACKAGE,
    Manifest,
    read_manifest,
    write_manifest,
)
from sfcode.metadata.paths import META, Layout, address_of_file, file_path, meta_file_path, metadata_type
from sfcode.metadata.types import CHILDREN, DIRECTORIES, TYPES, container
from sfcode.metadata.xml import children_of, from_element, line_of, parse, sort_children, to_bytes, to_element

__all__ = [
    "Contents",
    "Layout",
    "Manifest",
    "PackagePosition",
    "address_of_file",
    "file_path",
    "read",
    "read_contents",
    "read_manifest",
    "unzip",
    "write",
    "write_manifest",
    "zip_files",
]


@dataclass(frozen=True, slots=True)
class PackagePosition:
    """The position of a component in a package: its file, and the first line of its element."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a package: components with their positions, and files of unknown types."""

    components: tuple[Component, ...]
    places: Mapping[Address, PackagePosition]
    skipped: tuple[str, ...]


def write(
    components: Iterable[Component],
    api_version: str,
    *,
    layout: Layout = "mdapi",
    deleted: Iterable[Address] = (),
) -> dict[str, bytes]:
    """Render components as files, reproducible to the byte. Raises MetadataError for an unknown type."""
    ordered = sorted(components)
    deleted_addresses = sorted(set(deleted))
    files: dict[str, bytes] = {}
    for path, group in _group_by_file(ordered, layout).items():
        files.update(_files(path, group, layout))
    folder = "" if layout == "mdapi" else "manifest/"
    files[folder + PACKAGE] = write_manifest((component.address for component in ordered), api_version)
    if deleted_addresses:
        files[folder + DESTRUCTIVE_POST] = write_manifest(deleted_addresses, "")
    if layout == "source":
        files["sfdx-project.json"] = _project(api_version)
    return dict(sorted(files.items()))


def _group_by_file(components: list[Component], layout: Layout) -> dict[str, list[Component]]:
    groups: dict[str, list[Component]] = {}
    addresses: set[Address] = set()
    for component in components:
        content_type = str(component.body.get("contentType", ""))
        group = groups.setdefault(file_path(component.address, layout, content_type=content_type), [])
        if component.address in addresses:
            raise MetadataError(f"{component.address} is in the package twice")
        addresses.add(component.address)
        group.append(component)
    return groups


def _files(path: str, group: list[Component], layout: Layout) -> dict[str, bytes]:
    first = group[0]
    kind = metadata_type(first.type)
    if kind.has_content:
        return _content_files(path, first, layout)
    if not (kind.parent or first.type in CHILDREN) or (layout == "source" and kind.parent == "CustomObject"):
        return {path: to_bytes(to_element(first))}
    owner = kind.parent or first.type
    itself = next((component for component in group if component.type == owner), None)
    root = to_element(itself or Component(owner, container(first.type, first.full_name)))
    for component in group:
        if component is not itself:
            root.append(to_element(component, metadata_type(component.type).element))
    sort_children(root, owner)
    return {path: to_bytes(root)}


def _content_files(path: str, component: Component, layout: Layout) -> dict[str, bytes]:
    body = dict(component.body)
    try:
        content = base64.b64decode(str(body.pop("content", "")), validate=True)
    except binascii.Error as error:
        raise MetadataError(f"{component.address}: `content` is not base64: {error}") from None
    meta = to_bytes(to_element(Component(component.type, component.full_name, body)))
    return {path: content, meta_file_path(component.address, layout): meta}


def _project(api_version: str) -> bytes:
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "namespace": "",
        # Without sfdcLoginUrl, sf uses SF_ORG_INSTANCE_URL, and refuses a URL that is not one of Salesforce.
        "sfdcLoginUrl": "https://login.salesforce.com",
        "sourceApiVersion": api_version,
    }
    return (json.dumps(project, indent=2) + "\n").encode()


def read(files: Mapping[str, bytes]) -> tuple[Component, ...]:
    """Parse the components of a package in mdapi layout, sorted. Raises MetadataError with file and line."""
    return read_contents(files).components


def read_contents(files: Mapping[str, bytes]) -> Contents:
    """Parse a package in mdapi layout, with or without a root folder, and return the position of each component."""
    components_by_address: dict[Address, tuple[Component, PackagePosition]] = {}
    skipped: list[str] = []
    root = find_root(files)
    for path in sorted(files):
        inside = path.removeprefix(root)
        parts = PurePosixPath(inside).parts
        if inside == PACKAGE or inside in DESTRUCTIVE:
            continue
        address = address_of_file(inside) if len(parts) > 1 and parts[0] in DIRECTORIES else None
        if address is None:
            skipped.append(path)
            continue
        for component, line in _read_file(address, path, files):
            if component.address in components_by_address:
                raise MetadataError(f"{component.address} is in the package twice", file=path, line=line)
            components_by_address[component.address] = (component, PackagePosition(path, line))
    return Contents(
        components=tuple(sorted(component for component, _ in components_by_address.values())),
        places={address: place for address, (_, place) in sorted(components_by_address.items())},
        skipped=tuple(skipped),
    )


def find_root(files: Mapping[str, bytes]) -> str:
    """Find the root folder of a package: the one of its package.xml, otherwise the single top folder; "" for none."""
    manifests = sorted(
        (path for path in files if PurePosixPath(path).name == PACKAGE), key=lambda path: path.count("/")
    )
    if manifests:
        return manifests[0].removesuffix(PACKAGE)
    tops = {PurePosixPath(path).parts[0] for path in files if path}
    top = tops.pop() if len(tops) == 1 else ""
    return f"{top}/" if top and top not in DIRECTORIES and all("/" in path for path in files) else ""


def _read_file(address: Address, path: str, files: Mapping[str, bytes]) -> list[tuple[Component, int]]:
    kind = TYPES[address.type]
    if kind.has_content:
        return _read_content(address, path, files)
    root = parse(files[path], path)
    expected = f"{{{schema_table.NAMESPACE}}}{address.type}"
    if root.tag != expected:
        message = f'the root must be <{address.type} xmlns="{schema_table.NAMESPACE}">, not <{root.tag}>'
        raise MetadataError(message, file=path, line=line_of(root))
    children: list[tuple[Component, int]] = []
    for name, element in list(children_of(root)):
        child_type = CHILDREN.get(address.type, {}).get(name)
        if child_type is not None:
            local = element.findtext(f"{{{schema_table.NAMESPACE}}}fullName")
            if not local:
                raise MetadataError(f"Required field is missing: fullName in {name}", file=path, line=line_of(element))
            full_name = f"{address.full_name}.{local.strip()}"
            children.append((from_element(child_type, full_name, element, file=path), line_of(element)))
            root.remove(element)
    itself = from_element(address.type, address.full_name, root, file=path)
    if itself.body or address.type not in CHILDREN:
        children.append((itself, line_of(root)))
    return children


def _read_content(address: Address, path: str, files: Mapping[str, bytes]) -> list[tuple[Component, int]]:
    if path.endswith(META):
        if path.removesuffix(META) not in files:
            raise MetadataError("the content file is missing", f"Add {path.removesuffix(META)}.", file=path)
        return []
    meta = path + META
    if meta not in files:
        raise MetadataError("the -meta.xml file of this file is missing", f"Add {meta}.", file=path)
    component = from_element(address.type, address.full_name, parse(files[meta], meta), file=meta)
    content: Value = base64.b64encode(files[path]).decode()
    return [(Component(address.type, address.full_name, {**component.body, "content": content}), 1)]
