"""Parse the files of a package into components with their positions, and report problems of the files."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote

from lxml import etree

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.metadata.deploy.messages import ComponentMessage, describe_parse_error
from sfcode.local.metadata.registry import META, FileType, child_name, type_at
from sfcode.local.metadata.versions import FIRST_IN_SCHEMA, FLOW_NUMBER, is_beyond_schema
from sfcode.metadata import schema_table
from sfcode.metadata.component import Address, Component
from sfcode.metadata.errors import MetadataError, SchemaProblem
from sfcode.metadata.package import zip_files
from sfcode.metadata.types import CHILDREN
from sfcode.metadata.validate import validate
from sfcode.metadata.xml import children_of, from_element, line_of, parse
from sfcode.metadata.xml_positions import Span, find_spans

REQUIRED = "Required field is missing: "
NEWER = re.compile("^Element .* invalid at this location|is not a valid value for the enum")
"""Matches problems that are caused by names of another API version."""


@dataclass(frozen=True)
class PackageItem:
    """One component of a package, with its file and position."""

    component: Component
    file: str
    line: int = 0
    column: int = 0
    raw: bytes | None = None
    """The files of the component as a zip, or its element in the container's file, for a type that is not modeled."""
    bare: bool = False
    """Whether the component is a container without its own elements; only its children are stored."""

    def error(self, problem: str) -> ComponentMessage:
        """Return an error message about this component."""
        address = self.component.address
        return ComponentMessage.error(problem, address.full_name, address.type, self.file, (self.line, self.column))


@dataclass
class PackageItems:
    """The components and the problems in the files of a package."""

    version: float
    found: list[PackageItem] = field(default_factory=list)
    problems: list[ComponentMessage] = field(default_factory=list)
    broken: set[Address] = field(default_factory=set)
    """Components whose files could not be parsed; no further problems of them or their children are reported."""

    def add_broken(self, address: Address, problem: str, file: str, at: tuple[int, int] = (0, 0)) -> None:
        """Add a component whose file could not be read."""
        self.broken.add(address)
        self.problems.append(ComponentMessage.error(problem, address.full_name, address.type, file, at))


def read_items(
    files: Mapping[str, bytes],
    root: str,
    skip: frozenset[str],
    version: float,
    check_open: Callable[[], None] = lambda: None,
) -> PackageItems:
    """Read all files below the root except the manifests in `skip`; `version` is the API version of the package."""
    items = PackageItems(version)
    for address, paths in _group_by_component(files, root, skip, items).items():
        check_open()
        kind = type_at(paths[0].removeprefix(root))
        if kind is None:
            continue
        if kind.modeled and not _is_folder(kind, paths[0]):
            _read_modeled(items, kind, address, paths, files)
        else:
            _read_unmodeled(items, kind, address, {path.removeprefix(root): files[path] for path in paths}, paths)
    _drop_repeated(items)
    return items


def _group_by_component(
    files: Mapping[str, bytes], root: str, skip: frozenset[str], items: PackageItems
) -> dict[Address, list[str]]:
    groups: dict[Address, list[str]] = {}
    for path in sorted(files):
        if path in skip:
            continue
        address = _address(path.removeprefix(root)) if path.startswith(root) else None
        if address is not None and address.type == "Flow" and items.version < FIRST_IN_SCHEMA:
            # Before FIRST_IN_SCHEMA, names of files contained the version number of the flow.
            address = Address("Flow", FLOW_NUMBER.sub("", address.full_name))
        if address is None:
            items.problems.append(
                ComponentMessage.error("Not in package.xml", PurePosixPath(path).name, file_name=path)
            )
        else:
            groups.setdefault(address, []).append(path)
    return groups


def _address(path: str) -> Address | None:
    parts = PurePosixPath(path).parts
    kind = type_at(path)
    if kind is None:
        return None
    if kind.bundle:
        return Address(kind.name, parts[1].partition(".")[0]) if len(parts) > 2 or path.endswith(META) else None
    name = "/".join(parts[1:])
    if kind.meta_file or kind.in_folder:
        name = name.removesuffix(META)
    if kind.suffix:
        if not name.endswith(f".{kind.suffix}"):
            # The file of a folder for reports or templates, such as `reports/Sales-meta.xml`.
            return Address(kind.name, unquote(name)) if kind.in_folder and path.endswith(META) else None
        name = name.removesuffix(f".{kind.suffix}")
    return Address(kind.name, unquote(name))


def _is_folder(kind: FileType, path: str) -> bool:
    """Return whether a file describes a folder of reports, which has its own type."""
    return kind.in_folder and path.endswith(META) and not path.endswith(f".{kind.suffix}{META}")


def _read_unmodeled(
    items: PackageItems, kind: FileType, address: Address, files: dict[str, bytes], paths: list[str]
) -> None:
    """Add components that are stored unchanged: the files of one component, or the elements of a container's file."""
    main = next((path for path in paths if not path.endswith(META)), paths[0])
    component = Component(address.type, address.full_name)
    if not kind.elements:
        items.found.append(PackageItem(component, main, raw=zip_files(files)))
        return
    try:
        for name, element in children_of(parse(files[next(iter(files))], main)):
            local = (element.findtext(f"{{{schema_table.NAMESPACE}}}fullName") or "").strip()
            if name in kind.elements and local:
                type_ = kind.elements[name]
                child = Component(type_, child_name(type_, address.full_name, local))
                raw = etree.tostring(element, encoding="utf-8", with_tail=False)
                items.found.append(PackageItem(child, main, line=line_of(element), raw=raw))
    except MetadataError as error:
        items.add_broken(address, describe_parse_error(error.problem), main, (error.line, error.column))
        return
    items.found.append(PackageItem(component, main, bare=True))


def _read_modeled(
    items: PackageItems, kind: FileType, address: Address, paths: list[str], files: Mapping[str, bytes]
) -> None:
    if not kind.meta_file:
        _read_xml(items, address, paths[0], files[paths[0]])
        return
    meta = next((path for path in paths if path.endswith(META)), None)
    content = next((path for path in paths if not path.endswith(META)), None)
    if meta is None or content is None:
        missing = f"{content}{META}" if content else (meta or "").removesuffix(META)
        problem = f"The file {missing} is missing: a {kind.name} is made of its content and its -meta.xml"
        items.add_broken(address, problem, content or meta or "")
        return
    _read_xml(items, address, content, files[meta], content=files[content])


def _read_xml(items: PackageItems, address: Address, path: str, data: bytes, *, content: bytes | None = None) -> None:
    try:
        root = parse(data, path)
        if root.tag != f"{{{schema_table.NAMESPACE}}}{address.type}":
            raise MetadataError(
                f"Element {root.tag} invalid at this location in type {address.type}", file=path, line=1, column=1
            )
        spans = find_spans(data, root)
        lenient = is_beyond_schema(items.version)
        problems = find_problems(root, address.type, spans, lenient=lenient)
        unreadable = next((problem for problem in problems if not problem.message.startswith(REQUIRED)), None)
        if unreadable is not None:
            raise MetadataError(unreadable.message, file=path, line=unreadable.line, column=unreadable.column)
        components = list(_components(address, root, spans, path, lenient=lenient))
    except MetadataError as error:
        items.add_broken(address, describe_parse_error(error.problem), path, (error.line, error.column))
        return
    if content is not None:
        encoded = base64.b64encode(content).decode()
        components = [
            (Component(address.type, address.full_name, {**component.body, "content": encoded}), span, bare)
            for component, span, bare in components
        ]
    for component, span, bare in components:
        child = component.address != address
        line, column = span.opened if child else (0, 0)
        item = PackageItem(component, path, line, column, bare=bare)
        missing = [problem for problem in problems if _inside(problem, span, components, child=child)]
        if missing:
            items.broken.add(component.address)
            items.problems += [item.error(problem.message) for problem in missing]
        else:
            items.found.append(item)


def find_problems(
    root: etree._Element, type_: str, spans: Mapping[etree._Element, Span], *, lenient: bool
) -> list[SchemaProblem]:
    """List the elements that the org would refuse, in the order of the file; with `lenient`, unknown names are accepted."""
    return [problem for problem in validate(root, type_, spans) if not (lenient and NEWER.search(problem.message))]


def _inside(problem: SchemaProblem, span: Span, components: list[tuple[Component, Span, bool]], *, child: bool) -> bool:
    point = (problem.line, problem.column)
    if child:
        return span.start <= point <= span.closed
    other_spans = [other_span for _, other_span, _ in components if other_span is not span]
    return not any(other_span.start <= point <= other_span.closed for other_span in other_spans)


def _components(
    address: Address, root: etree._Element, spans: Mapping[etree._Element, Span], path: str, *, lenient: bool
) -> Iterator[tuple[Component, Span, bool]]:
    """Split the file of a container into its components, the container last."""
    for name, element in list(children_of(root)):
        child_type = CHILDREN.get(address.type, {}).get(name)
        if child_type is None:
            continue
        local = (element.findtext(f"{{{schema_table.NAMESPACE}}}fullName") or "").strip()
        if not local:
            line, column = spans[element].closed
            raise MetadataError(f"{REQUIRED}fullName", file=path, line=line, column=column)
        full_name = f"{address.full_name}.{local}"
        yield from_element(child_type, full_name, element, file=path, lenient=lenient), spans[element], False
        root.remove(element)
    itself = from_element(address.type, address.full_name, root, file=path, lenient=lenient)
    yield itself, spans[root], address.type in CHILDREN and not itself.body


def _drop_repeated(items: PackageItems) -> None:
    keys: set[tuple[str, str]] = set()
    remaining_items: list[PackageItem] = []
    for item in items.found:
        name = item.component.full_name
        key = (item.component.type, name.lower())
        if key in keys:
            items.problems.append(
                item.error(f"Field:fullName, value:{name.partition('.')[2] or name} appears more than once")
            )
        else:
            remaining_items.append(item)
        keys.add(key)
    items.found[:] = remaining_items
