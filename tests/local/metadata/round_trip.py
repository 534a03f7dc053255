"""Somebody's metadata into the local org, out of it and in again: what was refused, and what was changed."""

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
"""The words of an org for what a component refers to and the org does not have."""


@dataclass
class Report:
    """How it went, by component."""

    files: int
    unknown: list[str]
    """Files of types that the local org does not know."""
    unreadable: list[str]
    """Files that are no XML."""
    against_schema: list[str] = field(default_factory=list)
    """What the loose schema does not accept."""
    missing: list[str] = field(default_factory=list)
    """What was refused because it refers to something that is not there."""
    faults: list[str] = field(default_factory=list)
    """What was refused for another reason."""
    deployed: list[Address] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    """What was refused or missing when it came back."""
    changed: list[str] = field(default_factory=list)
    """What was changed by deploying what came back."""

    def lines(self) -> list[str]:
        by_type = Counter(each.type for each in self.deployed)
        return [
            f"{self.files} files of metadata, {len(self.unknown)} of unknown types, {len(self.unreadable)} no XML",
            f"{len(self.against_schema)} components against the schema, {len(self.missing)} refer to what is not there",
            f"{len(self.deployed)} deployed: {', '.join(f'{count} {type}' for type, count in by_type.most_common())}",
            f"{len(self.deployed) - len(self.changed) - len(self.back)} came back and changed nothing",
            *(f"against the schema: {each}" for each in self.against_schema),
            *(f"not there: {each}" for each in self.missing),
            *(f"FAULT: {each}" for each in self.faults),
            *(f"NOT BACK: {each}" for each in self.back),
            *(f"CHANGED: {each}" for each in self.changed),
        ]


def round_trip(checkout: Checkout, org: Client) -> Report:
    """Deploy what the schema accepts, retrieve what the org took, deploy that: nothing of it may be a change."""
    report = Report(checkout.count, checkout.unknown, checkout.unreadable)
    files = _accepted(checkout.files, report)
    result = org.deploy(_package(files), rollbackOnError=False)
    for each in result.failures:
        text = f"{each['componentType']}:{each['fullName']}: {each['problem']}"
        (report.missing if MISSING.search(each["problem"]) else report.faults).append(text)
    taken = [Address(each["componentType"], each["fullName"]) for each in result.successes if each["componentType"]]
    report.deployed = [each for each in taken if each.type != "Package"]
    members = _members(report.deployed)
    found = org.retrieve(members, version=VERSION, single=True)
    report.back = [each["problem"] for each in found["messages"]]
    if found["files"]:
        again = org.deploy(found["files"])
        report.back += again.problems
        report.changed = [
            f"{each['componentType']}:{each['fullName']}"
            for each in again.successes
            if each["changed"] == "true" and each["fullName"] != "package.xml"
        ]
        seen = {Address(each["componentType"], each["fullName"]) for each in again.successes}
        report.back += [f"{each} did not come back" for each in report.deployed if each not in seen]
    return report


def _accepted(files: Mapping[str, bytes], report: Report) -> dict[str, bytes]:
    """Leave out the files that the schema does not accept."""
    problems = package_items.read_items(files, "", frozenset(), 63.0).problems
    refused = {each.file_name for each in problems}
    report.against_schema += [f"{each.component_type}:{each.full_name}: {each.problem}" for each in problems]
    return {name: data for name, data in files.items() if name not in refused}


def _members(addresses: list[Address]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for each in addresses:
        members.setdefault(each.type, []).append(each.full_name)
    return members


def _package(files: Mapping[str, bytes]) -> dict[str, bytes]:
    found = package_items.read_items(files, "", frozenset(), 63.0).found
    members = _members([each.component.address for each in found if not each.bare])
    return {**files, "package.xml": Kit.manifest(members, VERSION).encode()}
