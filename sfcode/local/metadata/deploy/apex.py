"""
Apex tests without Apex: the local org finds, names and counts them, but does not run them.

A method that would be a test is reported as one that passed. No code is compiled and no coverage is
known; what is real is which tests there are, and that one which is asked for must be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sfcode.local.metadata.deploy.messages import DeployRefused
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.store import OrgTransaction
from sfcode.metadata.package import unzip

_NOISE = re.compile(r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_TEST_CLASS = re.compile(r"@istest\b[^{;]*?\bclass\s+\w+", re.IGNORECASE)
_ANNOTATED = re.compile(
    r"@istest\b(?:\s*\([^)]*\))?\s+(?:(?:@\w+(?:\([^)]*\))?|\w+)\s+)*?void\s+(\w+)\s*\(", re.IGNORECASE
)
_MARKED = re.compile(r"\btestmethod\b(?:\s+\w+)*?\s+void\s+(\w+)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Test:
    """One test method."""

    class_id: str
    class_name: str
    method: str

    def json(self) -> dict[str, Any]:
        """Return the test as a passed one, with keys in the order of the WSDL."""
        return {
            "id": self.class_id,
            "methodName": self.method,
            "name": self.class_name,
            "namespace": None,
            "seeAllData": False,
            "time": "0.0",
        }


def find_test_methods(source: str) -> list[str] | None:
    """List the test methods of a class; None if it is no test class."""
    text = _NOISE.sub(" ", source)
    found = list(dict.fromkeys(_ANNOTATED.findall(text) + _MARKED.findall(text)))
    return found if found or _TEST_CLASS.search(text) else None


def find_tests(tx: OrgTransaction, options: DeployRequestOptions) -> tuple[Test, ...]:
    """Find the tests that a deploy requests, in the org including the package. Raises DeployRefused for an unknown test."""
    if not options.runs_tests:
        return ()
    tests = {name.lower(): found for name, found in _list_classes(tx)}
    if options.testLevel not in {None, "RunSpecifiedTests"}:
        return tuple(test for found in tests.values() for test in found or ())
    chosen = []
    for name in dict.fromkeys(options.runTests):
        class_name, _, method = name.partition(".")
        found = tests.get(class_name.lower())
        wanted = [test for test in found or () if not method or test.method.lower() == method.lower()]
        if not wanted:
            raise DeployRefused("INVALID_CROSS_REFERENCE_KEY", f"no test class named {name} found")
        chosen += wanted
    return tuple(chosen)


def _list_classes(tx: OrgTransaction) -> Iterator[tuple[str, list[Test] | None]]:
    for stored in tx.components.list_all("ApexClass"):
        name = stored.component.full_name
        files = unzip(stored.raw) if stored.raw else {}
        source = next((data for path, data in files.items() if path.endswith(".cls")), b"")
        found = find_test_methods(source.decode("utf-8", "replace"))
        yield name, None if found is None else [Test(stored.id, name, method) for method in found]
