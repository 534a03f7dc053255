"""Read a folder that contains a project or a package as one package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from sfcode.local.metadata.registry import BY_DIRECTORY, FILE_TYPES, FileType
from sfcode.metadata import schema_table
from sfcode.metadata.package import zip_files
from sfcode.metadata.types import CHILDREN

META = "-meta.xml"
ELEMENTS = {f"{type[0].lower()}{type[1:]}": element for element, type in CHILDREN["CustomObject"].items()}
ELEMENTS["field"] = "fields"
"""Elements of an object in a package, by the suffix of the component's own file in a project."""
BY_SUFFIX = {kind.suffix: kind for kind in FILE_TYPES.values() if kind.suffix}
NOT_METADATA = {".git", "node_modules", "__tests__", "__pycache__"}


@dataclass
class Checkout:
    """The files of a folder."""

    files: dict[str, bytes] = field(default_factory=dict)
    """The package, without its package.xml."""
    sources: dict[str, list[str]] = field(default_factory=dict)
    """The files from which each file of the package was assembled."""
    unknown: list[str] = field(default_factory=list)
    """Metadata of types that the local org does not know."""
    unreadable: list[str] = field(default_factory=list)
    """Files that are not XML."""

    @property
    def count(self) -> int:
        """Return the number of metadata files, without files that have a -meta.xml beside them."""
        known_count = sum(len(names) for names in self.sources.values())
        return known_count + len(self.unknown) + len(self.unreadable)


def read(folder: Path) -> Checkout:
    """Read all metadata files below a folder."""
    checkout = Checkout()
    objects: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or NOT_METADATA & set(inside.parts):
            continue
        bundle = _bundle(path)
        if bundle:
            _put(checkout, bundle, path.read_bytes(), str(inside))
        elif path.name.endswith(META):
            _from_project(checkout, objects, path, inside)
        else:
            _from_package(checkout, path, inside)
    for name, paths in objects.items():
        _object(checkout, folder, name, paths)
    return checkout


def _put(checkout: Checkout, path: str, data: bytes, source: str) -> None:
    checkout.files.setdefault(path, data)
    checkout.sources.setdefault(path, []).append(source)


def _bundle(path: Path) -> str:
    for parent in path.parents:
        kind = BY_DIRECTORY.get(parent.parent.name)
        if kind and kind.bundle:
            return f"{kind.directory}/{path.relative_to(parent.parent)}"
    return ""


def _from_project(checkout: Checkout, objects: dict[str, list[Path]], path: Path, inside: Path) -> None:
    name, _, suffix = path.name.removesuffix(META).rpartition(".")
    if suffix in ELEMENTS and path.parent.parent.parent.name == "objects":
        objects.setdefault(path.parent.parent.name, []).append(path)
        return
    if suffix == "object":
        objects.setdefault(name, []).insert(0, path)
        return
    kind = BY_SUFFIX.get(suffix)
    if kind is None:
        checkout.unknown.append(str(inside))
        return
    target = f"{kind.directory}/{_folder(kind, path)}{name}.{suffix}"
    if not kind.meta_file:
        _put(checkout, target, path.read_bytes(), str(inside))
        return
    content = _content(path, name, suffix)
    if content is not None:
        checkout.files.setdefault(target, content)
        _put(checkout, target + META, path.read_bytes(), str(inside))


def _from_package(checkout: Checkout, path: Path, inside: Path) -> None:
    kind = BY_DIRECTORY.get(path.parent.name)
    # A content file with a -meta.xml is read together with the latter.
    if kind and path.suffix == f".{kind.suffix}" and not kind.meta_file:
        _put(checkout, f"{kind.directory}/{path.name}", path.read_bytes(), str(inside))


def _folder(kind: FileType, path: Path) -> str:
    return f"{path.parent.name}/" if kind.in_folder else ""


def _content(path: Path, name: str, suffix: str) -> bytes | None:
    sibling = path.with_name(f"{name}.{suffix}")
    if sibling.is_file():
        return sibling.read_bytes()
    if path.with_name(name).is_dir():  # the folder of an unpacked archive
        inside = path.with_name(name)
        return zip_files(
            {str(file.relative_to(inside)): file.read_bytes() for file in inside.rglob("*") if file.is_file()}
        )
    candidates: Iterable[Path] = path.parent.glob(f"{name}.*")
    return next((file.read_bytes() for file in candidates if not file.name.endswith(META)), None)


def _object(checkout: Checkout, folder: Path, name: str, paths: list[Path]) -> None:
    root = etree.Element(f"{{{schema_table.NAMESPACE}}}CustomObject", nsmap={None: schema_table.NAMESPACE})
    children: dict[str, list[etree._Element]] = {}
    for path in paths:
        suffix = path.name.removesuffix(META).rpartition(".")[2]
        try:
            read = etree.parse(path).getroot()
        except etree.XMLSyntaxError:
            checkout.unreadable.append(str(path.relative_to(folder)))
            continue
        checkout.sources.setdefault(f"objects/{name}.object", []).append(str(path.relative_to(folder)))
        if suffix == "object":
            for element in read.iterchildren("*"):
                children.setdefault(etree.QName(element).localname, []).append(element)
        else:
            read.tag = f"{{{schema_table.NAMESPACE}}}{ELEMENTS[suffix]}"
            children.setdefault(ELEMENTS[suffix], []).append(read)
    for child in sorted(children):
        root.extend(children[child])
    checkout.files[f"objects/{name}.object"] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
