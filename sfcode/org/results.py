"""Options and results of deployments, retrieves and listings, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sfcode.org.soap import Node


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of a deployment. The defaults suit production: all or nothing; warnings are shown and do not fail it."""

    check_only: bool = False
    rollback_on_error: bool = True
    test_level: str | None = None
    """NoTestRun, RunSpecifiedTests, RunLocalTests, RunAllTestsInOrg, RunRelevantTests; None lets the org decide."""
    run_tests: tuple[str, ...] = ()
    ignore_warnings: bool = False
    single_package: bool = True
    purge_on_delete: bool = False

    def fields(self) -> list[tuple[str, Node]]:
        """List the elements in the order of the WSDL, including required ones that sfcode does not use."""
        fields: list[tuple[str, Node]] = [
            ("allowMissingFiles", False),
            ("autoUpdatePackage", False),
            ("checkOnly", self.check_only),
            ("ignoreWarnings", self.ignore_warnings),
            ("performRetrieve", False),
            ("purgeOnDelete", self.purge_on_delete),
            ("rollbackOnError", self.rollback_on_error),
        ]
        fields += [("runTests", name) for name in self.run_tests]
        fields.append(("singlePackage", self.single_package))
        if self.test_level is not None:
            fields.append(("testLevel", self.test_level))
        return fields


@dataclass(frozen=True, slots=True)
class DeployMessage:
    """The result of one component of a deployment."""

    type: str
    full_name: str
    file_name: str = ""
    line: int | None = None
    column: int | None = None
    problem: str = ""
    problem_type: str = ""
    """Error, Warning or Info; empty if there is no problem."""
    success: bool = True
    changed: bool = False
    created: bool = False
    deleted: bool = False
    id: str = ""

    def __str__(self) -> str:
        place = self.file_name
        if self.line is not None:
            place += f":{self.line}:{self.column or 1}"
        subject = f"{self.type}:{self.full_name}" if self.type else self.full_name
        return f"{place}: {subject}: {self.problem}" if place else f"{subject}: {self.problem}"


@dataclass(frozen=True, slots=True)
class TestFailure:
    """An Apex test that failed."""

    __test__ = False  # pytest collects classes named Test*

    name: str
    method: str
    message: str
    stack_trace: str = ""
    namespace: str = ""
    time_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TestSuccess:
    """An Apex test that passed."""

    __test__ = False

    name: str
    method: str
    namespace: str = ""
    time_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """The number of elements of a flow that the tests covered."""

    flow: str
    elements: int
    not_covered: int


@dataclass(frozen=True, slots=True)
class TestRun:
    """The results of the tests of a deployment."""

    __test__ = False

    run: int
    failed: int
    time_ms: float = 0.0
    failures: tuple[TestFailure, ...] = ()
    successes: tuple[TestSuccess, ...] = ()
    coverage_warnings: tuple[str, ...] = ()
    """Warnings about the coverage of Apex code and of flows."""
    flow_coverage: tuple[FlowCoverage, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployResult:
    """The status of a deployment, and its result once it is `done`. Times are ISO texts of the org."""

    id: str
    status: str
    """Pending, InProgress, Succeeded, SucceededPartial, Failed, Canceling, Canceled, FinalizingDeploy."""
    done: bool
    success: bool
    check_only: bool = False
    rollback_on_error: bool = True
    ignore_warnings: bool = False
    run_tests_enabled: bool = False
    components_total: int = 0
    components_deployed: int = 0
    component_errors: int = 0
    tests_total: int = 0
    tests_completed: int = 0
    test_errors: int = 0
    state_detail: str = ""
    error_status_code: str = ""
    error_message: str = ""
    created_by: str = ""
    created_by_name: str = ""
    created_date: str = ""
    start_date: str = ""
    completed_date: str = ""
    last_modified_date: str = ""
    canceled_by: str = ""
    canceled_by_name: str = ""
    failures: tuple[DeployMessage, ...] = ()
    successes: tuple[DeployMessage, ...] = ()
    tests: TestRun | None = None

    @property
    def messages(self) -> tuple[DeployMessage, ...]:
        """The messages about all components, failures first."""
        return self.failures + self.successes

    @property
    def warnings(self) -> tuple[DeployMessage, ...]:
        """The messages about components that were deployed with a warning."""
        return tuple(message for message in self.messages if message.problem_type == "Warning")


@dataclass(frozen=True, slots=True)
class FileProperties:
    """A component in a listing: its name, and who changed it last."""

    type: str
    full_name: str
    file_name: str = ""
    id: str = ""
    created_by: str = ""
    created_date: str = ""
    last_modified_by: str = ""
    last_modified_date: str = ""
    namespace: str = ""
    manageable_state: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The result of a retrieve: files in the metadata layout without a root folder, and messages about missing components."""

    files: dict[str, bytes]
    messages: tuple[str, ...] = ()
    properties: tuple[FileProperties, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribedType:
    """The description of a metadata type."""

    name: str
    directory: str
    suffix: str = ""
    in_folder: bool = False
    meta_file: bool = False
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetadataDescription:
    """The metadata types of an org, and its deployment settings."""

    types: tuple[DescribedType, ...]
    namespace: str = ""
    partial_save_allowed: bool = False
    test_required: bool = False
