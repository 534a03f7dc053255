"""Convert components to file paths and back, in mdapi packages and sfdx projects."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from sfcode.metadata.component import Address
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.types import DIRECTORIES, FOLDERS, TYPES, MetadataType, container, local_name

Layout = Literal["mdapi", "source"]

SOURCE_ROOT = "force-app/main/default"
META = "-meta.xml"

_CONTENT_SUFFIXES = {
    "application/javascript": "js",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "text/css": "css",
    "text/html": "html",
    "text/javascript": "js",
    "text/plain": "txt",
    "text/xml": "xml",
}

_OWN_FOLDER = {"CustomObject": "objects"}
"""Containers whose children have separate files in an sfdx project; other containers have the same files in both layouts."""


def metadata_type(type_: str) -> MetadataType:
    """Return a metadata type by name. Raises MetadataError for an unknown one."""
    kind = TYPES.get(type_)
    if kind is None:
        raise MetadataError(f"{type_} is not a metadata type that sfcode knows")
    return kind


def file_path(address: Address, layout: Layout = "mdapi", *, content_type: str = "") -> str:
    """Return the path of a component's file; its content file if it has one."""
    kind = metadata_type(address.type)
    owner = _safe(container(address.type, address.full_name))
    if kind.folder_of:
        return meta_file_path(address, layout)
    if layout == "mdapi":
        return f"{kind.directory}/{owner}.{kind.suffix}"
    folder = f"{SOURCE_ROOT}/{kind.directory}"
    if kind.parent in _OWN_FOLDER:
        name = _safe(local_name(address.type, address.full_name))
        return f"{folder}/{owner}/{kind.element}/{name}.{_source_suffix(kind)}{META}"
    if address.type in _OWN_FOLDER:
        return f"{folder}/{owner}/{owner}.{kind.suffix}{META}"
    if kind.has_content:
        return f"{folder}/{owner}.{_CONTENT_SUFFIXES.get(content_type, kind.suffix)}"
    return f"{folder}/{owner}.{kind.suffix}{META}"


def meta_file_path(address: Address, layout: Layout = "mdapi") -> str:
    """Return the path of the XML file beside a component's content file, or beside a folder."""
    kind = metadata_type(address.type)
    folder = kind.directory if layout == "mdapi" else f"{SOURCE_ROOT}/{kind.directory}"
    suffix = "" if kind.folder_of and layout == "mdapi" else f".{kind.suffix}"
    return f"{folder}/{_safe(address.full_name)}{suffix}{META}"


def address_of_file(path: str) -> Address | None:
    """
    Return the component of a file, in either layout and below any root folder; None for other files.

    For a container's file, return the container, since the file name does not contain its children.
    """
    parts = PurePosixPath(path).parts
    for index in range(len(parts) - 2, -1, -1):
        kind = DIRECTORIES.get(parts[index])
        if kind is not None and (address := _at(kind, parts[index + 1 :])) is not None:
            return address
    return None


def _at(kind: MetadataType, below: tuple[str, ...]) -> Address | None:
    if kind.name in _OWN_FOLDER and len(below) == 3:
        owner, element, file = below
        for child in TYPES.values():
            suffix = f".{_source_suffix(child)}{META}"
            if child.parent == kind.name and child.element == element and file.endswith(suffix):
                return Address(child.name, f"{owner}.{file.removesuffix(suffix)}")
        return None
    name = below[-1].removesuffix(META)
    if (folder := FOLDERS.get(kind.name)) and name != below[-1] and not name.endswith(f".{kind.suffix}"):
        return Address(folder.name, "/".join((*below[:-1], name.removesuffix(f".{folder.suffix}"))))
    if name.endswith(f".{kind.suffix}"):
        stem = name.removesuffix(f".{kind.suffix}")
    elif kind.has_content:
        stem = name.rpartition(".")[0]
    else:
        return None
    if kind.name in _OWN_FOLDER:
        return Address(kind.name, stem) if below[:-1] in ((), (stem,)) else None
    return Address(kind.name, "/".join((*below[:-1], stem))) if stem else None


def _source_suffix(kind: MetadataType) -> str:
    """Return the suffix of a child's own file: `field` for CustomField, otherwise the type's name in lower camel case."""
    return "field" if kind.name == "CustomField" else kind.name[:1].lower() + kind.name[1:]


def _safe(name: str) -> str:
    """
    Return the form of a name in a path.

    An org also uses full names as file names: characters that file names cannot contain are already percent-encoded
    in the name (`Custom%3A Sales Profile`).
    """
    if name.startswith("/") or "\\" in name or "\0" in name or {"", ".", ".."} & set(name.split("/")):
        raise MetadataError(f"{name!r} cannot be the name of a file")
    return name
