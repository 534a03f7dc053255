from __future__ import annotations

from sfcode.org import (
    DeployMessage,
    DeployResult,
    FlowCoverage,
    TestFailure,
    TestRun,
    TestSuccess,
    result_parsers,
    soap,
)
from tests.org.servers import envelope
from tests.org.servers import soap as soap_answer

RESULT = """
<canceledBy>005000000000001AAA</canceledBy><canceledByName>Ada</canceledByName><checkOnly>true</checkOnly>
<completedDate>2026-11-23T10:00:05.000Z</completedDate><createdBy>005000000000002AAA</createdBy>
<createdByName>Bob</createdByName><createdDate>2026-11-23T10:00:00.000Z</createdDate>
<details>
 <componentFailures><changed>false</changed><columnNumber>7</columnNumber><componentType>Workflow</componentType>
  <created>false</created><createdDate>2026-11-23T10:00:01.000Z</createdDate><deleted>false</deleted>
  <fileName>workflows/Contact.workflow</fileName><fullName>Contact</fullName><lineNumber>3</lineNumber>
  <problem>Element x &lt;invalid&gt;</problem><problemType>Error</problemType><success>false</success>
 </componentFailures>
 <componentSuccesses><changed>true</changed><componentType>Flow</componentType><created>true</created>
  <createdDate>2026-11-23T10:00:01.000Z</createdDate><deleted>false</deleted><fileName>flows/F.flow</fileName>
  <fullName>F</fullName><id>301000000000001AAA</id><problem>old</problem><problemType>Warning</problemType>
  <success>true</success>
 </componentSuccesses>
 <runTestResult>
  <codeCoverageWarnings><id>01p</id><message>under 75%</message><name>A</name><namespace xsi:nil="true"/>
  </codeCoverageWarnings>
  <failures><id>01p</id><message>no</message><methodName>m</methodName><name>ATest</name><namespace xsi:nil="true"/>
   <packageName>p</packageName><stackTrace>at line 1</stackTrace><time>12.5</time><type>Class</type></failures>
  <flowCoverage><elementsNotCovered>e</elementsNotCovered><flowId>301</flowId><flowName>F</flowName>
   <flowNamespace xsi:nil="true"/><numElements>4</numElements><numElementsNotCovered>1</numElementsNotCovered>
   <processType>AutoLaunchedFlow</processType></flowCoverage>
  <flowCoverageWarnings><flowId xsi:nil="true"/><flowName xsi:nil="true"/><flowNamespace xsi:nil="true"/>
   <message>flows are not covered</message></flowCoverageWarnings>
  <numFailures>1</numFailures><numTestsRun>2</numTestsRun>
  <successes><id>01p</id><methodName>n</methodName><name>BTest</name><namespace>ns</namespace><time>3.0</time>
  </successes><totalTime>15.5</totalTime>
 </runTestResult>
</details>
<done>true</done><errorMessage>oh</errorMessage><errorStatusCode>UNKNOWN_EXCEPTION</errorStatusCode>
<id>0Af000000000001AAA</id><ignoreWarnings>true</ignoreWarnings>
<lastModifiedDate>2026-11-23T10:00:05.000Z</lastModifiedDate><numberComponentErrors>1</numberComponentErrors>
<numberComponentsDeployed>2</numberComponentsDeployed><numberComponentsTotal>3</numberComponentsTotal>
<numberTestErrors>1</numberTestErrors><numberTestsCompleted>1</numberTestsCompleted><numberTestsTotal>2</numberTestsTotal>
<rollbackOnError>true</rollbackOnError><runTestsEnabled>true</runTestsEnabled>
<startDate>2026-11-23T10:00:01.000Z</startDate><stateDetail>Processing</stateDetail><status>Failed</status>
<success>false</success>
"""


def test_a_deploy_result_is_read_whole() -> None:
    (element,) = soap.parse_answer(soap_answer("checkDeployStatus", RESULT).body, "checkDeployStatus")
    assert result_parsers.parse_deploy_result(element) == DeployResult(
        id="0Af000000000001AAA",
        status="Failed",
        done=True,
        success=False,
        check_only=True,
        rollback_on_error=True,
        ignore_warnings=True,
        run_tests_enabled=True,
        components_total=3,
        components_deployed=2,
        component_errors=1,
        tests_total=2,
        tests_completed=1,
        test_errors=1,
        state_detail="Processing",
        error_status_code="UNKNOWN_EXCEPTION",
        error_message="oh",
        created_by="005000000000002AAA",
        created_by_name="Bob",
        created_date="2026-11-23T10:00:00.000Z",
        start_date="2026-11-23T10:00:01.000Z",
        completed_date="2026-11-23T10:00:05.000Z",
        last_modified_date="2026-11-23T10:00:05.000Z",
        canceled_by="005000000000001AAA",
        canceled_by_name="Ada",
        failures=(
            DeployMessage(
                type="Workflow",
                full_name="Contact",
                file_name="workflows/Contact.workflow",
                line=3,
                column=7,
                problem="Element x <invalid>",
                problem_type="Error",
                success=False,
            ),
        ),
        successes=(
            DeployMessage(
                type="Flow",
                full_name="F",
                file_name="flows/F.flow",
                problem="old",
                problem_type="Warning",
                changed=True,
                created=True,
                id="301000000000001AAA",
            ),
        ),
        tests=TestRun(
            run=2,
            failed=1,
            time_ms=15.5,
            failures=(TestFailure("ATest", "m", "no", "at line 1", "", 12.5),),
            successes=(TestSuccess("BTest", "n", "ns", 3.0),),
            coverage_warnings=("A: under 75%", "flows are not covered"),
            flow_coverage=(FlowCoverage("F", 4, 1),),
        ),
    )


def test_warnings_are_found_among_all_messages() -> None:
    (element,) = soap.parse_answer(soap_answer("checkDeployStatus", RESULT).body, "checkDeployStatus")
    assert [message.full_name for message in result_parsers.parse_deploy_result(element).warnings] == ["F"]


def test_a_result_without_details_is_read() -> None:
    inner = "<done>false</done><id>0Af000000000001AAA</id><status>Pending</status><success>false</success>"
    (element,) = soap.parse_answer(envelope(f"<xResponse><result>{inner}</result></xResponse>").body, "x")
    assert result_parsers.parse_deploy_result(element) == DeployResult(
        "0Af000000000001AAA", "Pending", done=False, success=False, rollback_on_error=False
    )


def test_a_message_names_its_place() -> None:
    message = DeployMessage("Flow", "F", "flows/F.flow", 3, 7, "bad")
    assert str(message) == "flows/F.flow:3:7: Flow:F: bad"
    assert str(DeployMessage("", "package.xml", problem="bad")) == "package.xml: bad"
