"""A package as a whole: its files compared with its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.metadata.deploy import manifests
from sfcode.local.metadata.deploy import package_items as files_of
from sfcode.local.metadata.deploy.manifests import AFTER, BEFORE, Deletion, Manifests, plain_name
from sfcode.local.metadata.deploy.messages import ComponentMessage
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.deploy.package_items import PackageItem, PackageItems
from sfcode.local.metadata.registry import WILDCARD, container_of, parent_of
from sfcode.local.metadata.versions import find_newer
from sfcode.metadata.component import Address
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.manifest import PACKAGE
from sfcode.metadata.package import find_root, unzip

MAX_FILES = 10_000
MAX_BYTES = 629_145_600
"""
The maximum size of an unpacked package:
https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_metadata.htm
"""


@dataclass(frozen=True)
class Package:
    """The components to deploy and to delete, and the problems of the package itself."""

    root: str = ""
    api_version: float = 0.0
    items: tuple[PackageItem, ...] = ()
    before: tuple[Deletion, ...] = ()
    after: tuple[Deletion, ...] = ()
    problems: tuple[ComponentMessage, ...] = ()


def open_package(data: bytes, options: DeployRequestOptions, check_open: Callable[[], None] = lambda: None) -> Package:
    """
    Open a zip and compare its files with its manifest. Raises MetadataError if it is too large.

    `check_open` is called before each file, so that it can raise when the org is stopped.
    """
    try:
        files = unzip(data, max_bytes=MAX_BYTES, max_files=MAX_FILES)
    except MetadataError as error:
        if "more than" in error.problem:
            raise
        files = {}
    root = find_root(files)
    listed = manifests.read_manifests(files, root)
    if listed.problems:
        return Package(root, problems=listed.problems)
    contents = files_of.read_items(
        files, root, frozenset(root + name for name in (PACKAGE, *BEFORE, *AFTER)), listed.version, check_open
    )
    _drop_newer(contents, listed.version)
    problems = [*contents.problems]
    if not options.autoUpdatePackage:
        problems += _find_unlisted(contents, listed)
    if not options.allowMissingFiles:
        problems += _missing(contents, listed, root)
    items = tuple(item for item in contents.found if options.autoUpdatePackage or listed.lists(item.component.address))
    return Package(root, listed.version, items, listed.before, listed.after, tuple(problems))


def _drop_newer(contents: PackageItems, version: float) -> None:
    """Remove elements that do not exist in the package's API version."""
    remaining_items = []
    for item in contents.found:
        newer = [item.error(problem) for problem in find_newer(item.component, version)]
        contents.problems += newer
        if newer:
            contents.broken.add(item.component.address)
        else:
            remaining_items.append(item)
    contents.found[:] = remaining_items


def _find_unlisted(contents: PackageItems, listed: Manifests) -> Iterator[ComponentMessage]:
    for item in contents.found:
        if not item.bare and not listed.lists(item.component.address):
            yield item.error("Not in package.xml")


def _missing(contents: PackageItems, listed: Manifests, root: str) -> Iterator[ComponentMessage]:
    broken_addresses = {_decode(address) for address in contents.broken}
    present_addresses = {_decode(item.component.address) for item in contents.found} | broken_addresses
    for type_, names in sorted(listed.members.items()):
        for name in sorted(names - {WILDCARD}):
            owner = Address(parent_of(type_), container_of(type_, name))
            if Address(type_, name) not in present_addresses and owner not in broken_addresses:
                problem = f"An object '{name}' of type {type_} was named in package.xml, but was not found in zipped directory"
                yield ComponentMessage.error(problem, name, "", root + PACKAGE)


def _decode(address: Address) -> Address:
    return Address(address.type, plain_name(address.type, address.full_name))
