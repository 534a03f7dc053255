"""
Apex tests without Apex: the local org finds, names and counts them, but does not run them.

Every test method is reported as passed. No code is compiled, and code coverage is unknown. Only the list of tests, and
the error for a requested test that does not exist, are as in an org. A flow counts as covered if a class with tests
mentions the flow or its object.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.metadata import flows
from sfcode.local.metadata.deploy.messages import DeployRefused
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.store import OrgTransaction
from sfcode.metadata.component import Body
from sfcode.metadata.package import unzip

REQUIRED_COVERAGE = 75
"""The percentage of active autolaunched flows that tests must cover."""

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
    """List the test methods of a class; None if it is not a test class."""
    text = _NOISE.sub(" ", source)
    methods = list(dict.fromkeys(_ANNOTATED.findall(text) + _MARKED.findall(text)))
    return methods if methods or _TEST_CLASS.search(text) else None


def find_coverage_warnings(tx: OrgTransaction, deployed: Collection[str]) -> tuple[dict[str, Any], ...]:
    """
    Return a warning for each flow of `deployed` without a test, if the org's coverage of flows is too low.

    The coverage is the percentage of the active autolaunched flows that have a test:
    https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_flowtestcoverage.htm
    """
    active = [
        version for version in tx.flows.versions() if version.status == "Active" and is_autolaunched(version.body)
    ]
    sources = [source for _, _, source, tests in _list_classes(tx) if tests]
    names = {version.id: (version.full_name, str(flows.start(version.body).get("object") or "")) for version in active}
    bare = [version for version in active if not any(_names(source, names[version.id]) for source in sources)]
    percent = 100 * (len(active) - len(bare)) // (len(active) or 1)
    if percent >= REQUIRED_COVERAGE or not any(version.full_name in deployed for version in bare):
        return ()
    # https://salesforce.stackexchange.com/questions/250177
    message = f"Test coverage of active processes and autolaunched flows is {percent}%, but at least {REQUIRED_COVERAGE}% is required."
    return tuple(
        {"flowId": version.id, "flowName": version.full_name, "flowNamespace": None, "message": message}
        for version in bare
        if version.full_name in deployed
    )


def is_autolaunched(body: Body) -> bool:
    """Return whether a flow runs without screens; only such flows need test coverage."""
    return body.get("processType") in {"AutoLaunchedFlow", "Workflow", "CustomEvent", "InvocableProcess"}


def _names(source: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", source, re.IGNORECASE) for name in names if name)


def find_tests(tx: OrgTransaction, options: DeployRequestOptions) -> tuple[Test, ...]:
    """Find the tests that a deploy requests, in the org including the package. Raises DeployRefused for an unknown test."""
    if not options.runs_tests:
        return ()
    tests = {
        name.lower(): None if methods is None else [Test(id_, name, method) for method in methods]
        for name, id_, _, methods in _list_classes(tx)
    }
    if options.testLevel not in {None, "RunSpecifiedTests"}:
        return tuple(test for class_tests in tests.values() for test in class_tests or ())
    requested_tests = []
    for name in dict.fromkeys(options.runTests):
        class_name, _, method = name.partition(".")
        class_tests = tests.get(class_name.lower())
        matching_tests = [test for test in class_tests or () if not method or test.method.lower() == method.lower()]
        if not matching_tests:
            raise DeployRefused("INVALID_CROSS_REFERENCE_KEY", f"no test class named {name} found")
        requested_tests += matching_tests
    return tuple(requested_tests)


def _list_classes(tx: OrgTransaction) -> Iterator[tuple[str, str, str, list[str] | None]]:
    """List the classes: name, ID, source, test methods."""
    for stored in tx.components.list_all("ApexClass"):
        files = unzip(stored.raw) if stored.raw else {}
        source = next((data for path, data in files.items() if path.endswith(".cls")), b"").decode("utf-8", "replace")
        yield stored.component.full_name, stored.id, source, find_test_methods(source)
