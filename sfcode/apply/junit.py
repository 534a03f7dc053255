"""Render deployments as JUnit XML, with a test case for each component and each Apex test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sfcode.apply.deploy_errors import problem_of
from sfcode.mapping.desired import Origin
from sfcode.org.results import DeployMessage, DeployResult, TestRun
from sfcode.text import NOT_XML


def junit(results: Iterable[DeployResult], origins: Iterable[Origin]) -> str:
    """Render the results of deployments as one document, which is empty without a deployment."""
    listed = list(origins)
    root = Element("testsuites", name="sfcode")
    for result in results:
        _suite(
            root, f"{'check' if result.check_only else 'deployment'} {result.id}", result, _components(result, listed)
        )
        if result.tests:
            _suite(root, f"Apex tests of {result.id}", result, _tests(result, result.tests))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.attrib[name]) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, result: DeployResult, cases: Iterable[Element]) -> None:
    suite = SubElement(root, "testsuite", name=name)
    suite.extend(cases)
    for kind in ("failure", "error"):
        suite.set(f"{kind}s", str(len(suite.findall(f"./testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    suite.set("skipped", "0")
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in suite):.3f}")
    if result.start_date or result.created_date:
        suite.set("timestamp", (result.start_date or result.created_date)[:19])


def _components(result: DeployResult, origins: list[Origin]) -> Iterator[Element]:
    failed: dict[tuple[str, str], list[DeployMessage]] = {}
    for message in result.failures:
        failed.setdefault((message.type, message.full_name), []).append(message)
    for (type_, name), messages in failed.items():
        yield _failure_case(type_, name, messages, origins)
    for message in result.successes:
        if (message.type, message.full_name) not in failed:
            yield _case(message.type or "package", message.full_name)
    if not result.success and result.error_message:
        case = _case("deployment", result.id)
        error = SubElement(case, "error", type=_clean(result.error_status_code or result.status))
        error.set("message", _clean(result.error_message))
        yield case
    elif not result.success and not failed and not (result.tests and result.tests.failures):
        case = _case("deployment", result.id)
        SubElement(case, "error", type=result.status, message=f"the deployment ended as {result.status}")
        yield case


def _failure_case(type_: str, name: str, messages: list[DeployMessage], origins: list[Origin]) -> Element:
    problems = [problem_of(message, origins) for message in messages]
    case = _case(type_ or "package", name)
    if position := next((problem.position for problem in problems if problem.position), None):
        case.set("file", position.file)
        case.set("line", str(position.line))
    failure = SubElement(case, "failure", type=messages[0].problem_type or "Error", message=_clean(messages[0].problem))
    failure.text = _clean("\n".join(str(problem) for problem in problems))
    return case


def _tests(result: DeployResult, run: TestRun) -> Iterator[Element]:
    for test in run.failures:
        case = _case(test.name, test.method, test.time_ms)
        failure = SubElement(case, "failure", type="Apex", message=_clean(test.message))
        failure.text = _clean("\n".join(filter(None, (test.message, test.stack_trace))))
        yield case
    for success in run.successes:
        yield _case(success.name, success.method, success.time_ms)
    for number, warning in enumerate(run.coverage_warnings, 1):
        case = _case("coverage", f"warning {number}")
        # Too little coverage is a failure only if the deployment failed; otherwise it is information.
        kind = "system-out" if result.success else "failure"
        note = SubElement(case, kind)
        note.text = _clean(warning)
        yield case


def _case(class_name: str, name: str, time_ms: float = 0.0) -> Element:
    return Element("testcase", classname=_clean(class_name), name=_clean(name), time=f"{time_ms / 1000:.3f}")


def _clean(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
