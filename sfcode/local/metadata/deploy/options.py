"""The options of a deploy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from sfcode.lazy_dataclasses import asdict, dataclass, fields
from sfcode.local.http import soap

TEST_LEVELS = frozenset({"NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests"})


SPECIFIED = "RunSpecifiedTests"


@dataclass(frozen=True, slots=True)
class DeployRequestOptions:
    """The options of the API; purgeOnDelete has no effect, because deleted components cannot be restored."""

    allowMissingFiles: bool = False  # noqa: N815 -- the names are the API's, one for one
    autoUpdatePackage: bool = False  # noqa: N815
    checkOnly: bool = False  # noqa: N815
    ignoreWarnings: bool = False  # noqa: N815
    performRetrieve: bool = False  # noqa: N815
    purgeOnDelete: bool = False  # noqa: N815
    rollbackOnError: bool = False  # noqa: N815
    runTests: tuple[str, ...] = ()  # noqa: N815
    singlePackage: bool = False  # noqa: N815
    testLevel: str | None = None  # noqa: N815

    @property
    def runs_tests(self) -> bool:
        """Whether tests are requested."""
        return self.testLevel not in {None, "NoTestRun"} or bool(self.runTests)

    def json(self) -> dict[str, Any]:
        """Return the options in the form of REST."""
        return asdict(self) | {"runTests": list(self.runTests)}


FLAGS = tuple(field.name for field in fields(DeployRequestOptions) if field.default is False)


def from_element(element: etree._Element | None) -> DeployRequestOptions:
    """Parse the DeployOptions of a SOAP call, in any order. Raises SoapFault."""
    if element is None:
        return DeployRequestOptions()
    flags = {name: soap.flag(element, name, default=False) for name in FLAGS}
    tests = tuple(soap.texts(element, "runTests"))
    return _check(DeployRequestOptions(**flags, runTests=tests, testLevel=soap.text(element, "testLevel")))


def from_json(body: Mapping[str, Any]) -> DeployRequestOptions:
    """Parse the deployOptions of a REST call; some clients send booleans as text. Raises SoapFault."""
    flags = {name: str(body.get(name) or "").lower() in {"true", "1"} for name in FLAGS}
    tests = body.get("runTests") or ()
    level = body.get("testLevel")
    return _check(
        DeployRequestOptions(**flags, runTests=tuple(map(str, tests)), testLevel=str(level) if level else None)
    )


def _check(options: DeployRequestOptions) -> DeployRequestOptions:
    if options.testLevel is not None and options.testLevel not in TEST_LEVELS:
        raise soap.SoapFault(
            "INVALID_OPERATION", f"'{options.testLevel}' is not a valid value for the enum 'TestLevel'"
        )
    if options.runTests and options.testLevel not in {None, SPECIFIED}:
        raise soap.SoapFault("INVALID_OPERATION", f"runTests can be used only with a testLevel of {SPECIFIED}")
    if options.testLevel == SPECIFIED and not options.runTests:
        raise soap.SoapFault("INVALID_OPERATION", f"a testLevel of {SPECIFIED} needs at least one test in runTests")
    return options
