"""Parse the result elements of the Metadata API."""

from __future__ import annotations

from lxml import etree

from sfcode.org.results import (
    DeployMessage,
    DeployResult,
    DescribedType,
    FileProperties,
    FlowCoverage,
    TestFailure,
    TestRun,
    TestSuccess,
)
from sfcode.org.soap import NotSoap, children, flag, number, text, texts

Element = etree._Element  # noqa: SLF001  # lxml has no other name for the type of its elements


def parse_deploy_result(element: Element) -> DeployResult:
    """Read a DeployResult, with its details if present."""
    if not text(element, "id") or not text(element, "status"):
        raise NotSoap("The org's response about a deployment has no ID or no status.")
    details = next(children(element, "details"), None)
    tests = next(children(details, "runTestResult"), None) if details is not None else None
    return DeployResult(
        id=text(element, "id"),
        status=text(element, "status"),
        done=flag(element, "done"),
        success=flag(element, "success"),
        check_only=flag(element, "checkOnly"),
        rollback_on_error=flag(element, "rollbackOnError"),
        ignore_warnings=flag(element, "ignoreWarnings"),
        run_tests_enabled=flag(element, "runTestsEnabled"),
        components_total=number(element, "numberComponentsTotal") or 0,
        components_deployed=number(element, "numberComponentsDeployed") or 0,
        component_errors=number(element, "numberComponentErrors") or 0,
        tests_total=number(element, "numberTestsTotal") or 0,
        tests_completed=number(element, "numberTestsCompleted") or 0,
        test_errors=number(element, "numberTestErrors") or 0,
        state_detail=text(element, "stateDetail"),
        error_status_code=text(element, "errorStatusCode"),
        error_message=text(element, "errorMessage"),
        created_by=text(element, "createdBy"),
        created_by_name=text(element, "createdByName"),
        created_date=text(element, "createdDate"),
        start_date=text(element, "startDate"),
        completed_date=text(element, "completedDate"),
        last_modified_date=text(element, "lastModifiedDate"),
        canceled_by=text(element, "canceledBy"),
        canceled_by_name=text(element, "canceledByName"),
        failures=_messages(details, "componentFailures"),
        successes=_messages(details, "componentSuccesses"),
        tests=parse_test_run(tests) if tests is not None else None,
    )


def _messages(details: Element | None, name: str) -> tuple[DeployMessage, ...]:
    return tuple(parse_deploy_message(child) for child in children(details, name)) if details is not None else ()


def parse_deploy_message(element: Element) -> DeployMessage:
    """Read a DeployMessage."""
    problem, problem_type = text(element, "problem"), text(element, "problemType")
    warning = text(element, "warning")
    if not problem and warning not in ("", "true", "false"):
        problem, problem_type = warning, "Warning"
    return DeployMessage(
        type=text(element, "componentType"),
        full_name=text(element, "fullName"),
        file_name=text(element, "fileName"),
        line=number(element, "lineNumber"),
        column=number(element, "columnNumber"),
        problem=problem,
        problem_type=problem_type,
        success=flag(element, "success"),
        changed=flag(element, "changed"),
        created=flag(element, "created"),
        deleted=flag(element, "deleted"),
        id=text(element, "id"),
    )


def parse_test_run(element: Element) -> TestRun:
    """Read a RunTestsResult."""
    warnings = [*children(element, "codeCoverageWarnings"), *children(element, "flowCoverageWarnings")]
    return TestRun(
        run=number(element, "numTestsRun") or 0,
        failed=number(element, "numFailures") or 0,
        time_ms=_decimal(element, "totalTime"),
        failures=tuple(
            TestFailure(
                name=text(failure, "name"),
                method=text(failure, "methodName"),
                message=text(failure, "message"),
                stack_trace=text(failure, "stackTrace"),
                namespace=text(failure, "namespace"),
                time_ms=_decimal(failure, "time"),
            )
            for failure in children(element, "failures")
        ),
        successes=tuple(
            TestSuccess(
                name=text(success, "name"),
                method=text(success, "methodName"),
                namespace=text(success, "namespace"),
                time_ms=_decimal(success, "time"),
            )
            for success in children(element, "successes")
        ),
        coverage_warnings=tuple(_coverage_warning(warning) for warning in warnings),
        flow_coverage=tuple(
            FlowCoverage(
                flow=text(coverage, "flowName"),
                elements=number(coverage, "numElements") or 0,
                not_covered=number(coverage, "numElementsNotCovered") or 0,
            )
            for coverage in children(element, "flowCoverage")
        ),
    )


def _coverage_warning(element: Element) -> str:
    name = next(iter(texts(element, "name") + texts(element, "flowName")), "")
    return f"{name}: {text(element, 'message')}" if name else text(element, "message")


def _decimal(element: Element, name: str) -> float:
    value = text(element, name).strip()
    try:
        return float(value) if value else 0.0
    except ValueError as error:
        raise NotSoap(f"The org's response has {name} = {value!r} instead of a number.") from error


def parse_file_properties(element: Element) -> FileProperties:
    """Read a FileProperties."""
    return FileProperties(
        type=text(element, "type"),
        full_name=text(element, "fullName"),
        file_name=text(element, "fileName"),
        id=text(element, "id"),
        created_by=text(element, "createdByName"),
        created_date=text(element, "createdDate"),
        last_modified_by=text(element, "lastModifiedByName"),
        last_modified_date=text(element, "lastModifiedDate"),
        namespace=text(element, "namespacePrefix"),
        manageable_state=text(element, "manageableState"),
    )


def parse_described_type(element: Element) -> DescribedType:
    """Read a DescribeMetadataObject."""
    return DescribedType(
        name=text(element, "xmlName"),
        directory=text(element, "directoryName"),
        suffix=text(element, "suffix"),
        in_folder=flag(element, "inFolder"),
        meta_file=flag(element, "metaFile"),
        children=texts(element, "childXmlNames"),
    )
