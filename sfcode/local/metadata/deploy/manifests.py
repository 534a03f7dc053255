"""The manifests of a package: its members, and the components that it deletes before and after the deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.local.metadata.deploy.messages import ComponentMessage, describe_parse_error
from sfcode.local.metadata.registry import WILDCARD, container_of, is_known, parent_of
from sfcode.local.metadata.versions import FIRST_IN_SCHEMA, FLOW_NUMBER, NEWEST
from sfcode.metadata.component import Address
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.manifest import PACKAGE
from sfcode.metadata.package import Manifest, read_manifest

BEFORE = ("destructiveChanges.xml", "destructiveChangesPre.xml")
AFTER = ("destructiveChangesPost.xml",)


@dataclass(frozen=True)
class Deletion:
    """A component to delete, and the manifest that lists it."""

    address: Address
    file: str


@dataclass(frozen=True)
class Manifests:
    """All manifests of a package, with their problems."""

    api_version: str = ""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The names of the members by type, without percent-encoding."""
    before: tuple[Deletion, ...] = ()
    after: tuple[Deletion, ...] = ()
    problems: tuple[ComponentMessage, ...] = ()

    def lists(self, address: Address) -> bool:
        """Return whether package.xml lists a component, by name, by its container, or by `*`."""
        own = self.members.get(address.type, frozenset())
        if plain_name(address.type, address.full_name) in own:
            return True
        parent = parent_of(address.type)
        if parent != address.type:
            owners = self.members.get(parent, frozenset())
            if WILDCARD in owners or unquote(container_of(address.type, address.full_name)) in owners:
                return True
        return WILDCARD in own

    @property
    def version(self) -> float:
        """The API version as a number."""
        return float(self.api_version)


def read_manifests(files: Mapping[str, bytes], root: str) -> Manifests:
    """Read the manifests at the root of a package."""
    problems: list[ComponentMessage] = []

    def manifest(name: str) -> Manifest | None:
        if root + name not in files:
            return None
        try:
            contents = read_manifest(files[root + name], root + name)
        except MetadataError as error:
            problems.append(_error(describe_parse_error(error.problem), name, root, error.line, error.column))
            return None
        problems.extend(
            _error(f"Unknown type name '{type_}' specified in {name}", name, root)
            for type_ in contents.members
            if not is_known(type_)
        )
        return contents

    package = manifest(PACKAGE)
    if package is None:
        if not problems:
            problems.append(_error("No package.xml found", PACKAGE, root))
        return Manifests(problems=tuple(problems))
    if not _is_version(package.api_version):
        text = (
            f"Invalid version specified:{package.api_version}"
            if package.api_version
            else "Required field is missing: version"
        )
        problems.append(_error(text, PACKAGE, root))

    version = float(package.api_version) if _is_version(package.api_version) else NEWEST

    def deletions(names: tuple[str, ...]) -> tuple[Deletion, ...]:
        return tuple(
            Deletion(address, root + name)
            for name in names
            if (contents := manifest(name)) is not None
            for address in contents.addresses
            if is_known(address.type)
        )

    return Manifests(
        package.api_version,
        {
            type_: frozenset(
                FLOW_NUMBER.sub("", name) if type_ == "Flow" and version < FIRST_IN_SCHEMA else plain_name(type_, name)
                for name in names
            )
            for type_, names in package.members.items()
            if is_known(type_)
        },
        deletions(BEFORE),
        deletions(AFTER),
        tuple(problems),
    )


def plain_name(type_: str, name: str) -> str:
    """Return a full name as names are compared: without percent-encoding, a folder's slash and a document's extension."""
    name = unquote(name).removesuffix("/")
    return name.rpartition(".")[0] or name if type_ == "Document" else name


def _is_version(text: str) -> bool:
    # A version above the org's newest is refused: https://github.com/forcedotcom/source-deploy-retrieve/pull/684
    return re.fullmatch(r"[0-9]{1,3}(\.[0-9])?", text) is not None and float(text) <= NEWEST


def _error(problem: str, name: str, root: str, line: int = 0, column: int = 0) -> ComponentMessage:
    return ComponentMessage.error(problem, name, "", root + name, (line, column))
