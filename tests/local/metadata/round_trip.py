"""Deploy metadata of other people to the local org, retrieve it and deploy it again; report refused files, and changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sfcode.local.metadata.deploy import package_items
from sfcode.metadata.component import Address
from tests.local.metadata.checkout import Checkout
from tests.local.metadata.conftest import Client, Kit

VERSION = "63.0"
MISSING = re.compile(
    r"no (\w+) named .* found|does not resolve to a valid sObject|Field \S+ does not exist|"
    r"Must specify a non-empty label for the CustomObject|Could not resolve standard field's name|"
    r"In field: \w+ - no|We can't find an action|doesn't exist|Unknown user permission|"
    r"fullName must end with: __c"
)
"""Matches an org's messages about references to components that the org does not have."""


@dataclass
class Report:
    """The result, by component."""

    files: int
    unknown: list[str]
    """Files of types that the local org does not know."""
    unreadable: list[str]
    """Files that are not XML."""
    against_schema: list[str] = field(default_factory=list)
    """Components that the loose schema does not accept."""
    missing: list[str] = field(default_factory=list)
    """Components that were refused because of a missing reference."""
    faults: list[str] = field(default_factory=list)
    """Components that were refused for another reason."""
    deployed: list[Address] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    """Components that were missing in the retrieve, or were refused when they were deployed again."""
    changed: list[str] = field(default_factory=list)
    """Components that were changed by the second deployment."""

    def lines(self) -> list[str]:
        by_type = Counter(entry.type for entry in self.deployed)
        return [
            f"{self.files} files of metadata, {len(self.unknown)} of unknown types, {len(self.unreadable)} no XML",
            f"{len(self.against_schema)} components against the schema, {len(self.missing)} refer to what is not there",
            f"{len(self.deployed)} deployed: {', '.join(f'{count} {type}' for type, count in by_type.most_common())}",
            f"{len(self.deployed) - len(self.changed) - len(self.back)} came back and changed nothing",
            *(f"against the schema: {entry}" for entry in self.against_schema),
            *(f"not there: {entry}" for entry in self.missing),
            *(f"FAULT: {entry}" for entry in self.faults),
            *(f"NOT BACK: {entry}" for entry in self.back),
            *(f"CHANGED: {entry}" for entry in self.changed),
        ]


def round_trip(checkout: Checkout, org: Client) -> Report:
    """Deploy valid files, retrieve the deployed components, and deploy them again, which must change nothing."""
    report = Report(checkout.count, checkout.unknown, checkout.unreadable)
    files = _accepted(checkout.files, report)
    result = org.deploy(_package(files), rollbackOnError=False)
    for entry in result.failures:
        text = f"{entry['componentType']}:{entry['fullName']}: {entry['problem']}"
        (report.missing if MISSING.search(entry["problem"]) else report.faults).append(text)
    addresses = [
        Address(entry["componentType"], entry["fullName"]) for entry in result.successes if entry["componentType"]
    ]
    report.deployed = [entry for entry in addresses if entry.type != "Package"]
    members = _members(report.deployed)
    retrieved_files = org.retrieve(members, version=VERSION, single=True)
    report.back = [entry["problem"] for entry in retrieved_files["messages"]]
    if retrieved_files["files"]:
        second_result = org.deploy(retrieved_files["files"])
        report.back += second_result.problems
        report.changed = [
            f"{entry['componentType']}:{entry['fullName']}"
            for entry in second_result.successes
            if entry["changed"] == "true" and entry["fullName"] != "package.xml"
        ]
        second_addresses = {Address(entry["componentType"], entry["fullName"]) for entry in second_result.successes}
        report.back += [f"{entry} did not come back" for entry in report.deployed if entry not in second_addresses]
    return report


def _accepted(files: Mapping[str, bytes], report: Report) -> dict[str, bytes]:
    """Leave out the files that the schema does not accept."""
    problems = package_items.read_items(files, "", frozenset(), 63.0).problems
    refused = {problem.file_name for problem in problems}
    report.against_schema += [
        f"{problem.component_type}:{problem.full_name}: {problem.problem}" for problem in problems
    ]
    return {name: data for name, data in files.items() if name not in refused}


def _members(addresses: list[Address]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for address in addresses:
        members.setdefault(address.type, []).append(address.full_name)
    return members


def _package(files: Mapping[str, bytes]) -> dict[str, bytes]:
    items = package_items.read_items(files, "", frozenset(), 63.0).found
    members = _members([item.component.address for item in items if not item.bare])
    return {**files, "package.xml": Kit.manifest(members, VERSION).encode()}
