from sfcode.apply.deploy_errors import failure, ignore_version_failures, problem_of
from sfcode.diagnostics import Position
from sfcode.mapping.desired import Origin
from sfcode.metadata.component import Address
from sfcode.org.results import DeployMessage, DeployResult, TestFailure, TestRun

MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")
FILE = "config/mappings/contact.yaml"
ORIGINS = [
    Origin(MESSAGE, "", Position(FILE, 1, 1), ""),
    Origin(MESSAGE, "Plan__c", Position(FILE, 12, 11), "to_appcues.attributes.plan"),
    Origin(MESSAGE, "Plan", Position(FILE, 13, 11), "to_appcues.attributes.other"),
]


def text_of(*messages, **more):
    return str(failure(DeployResult("0Af1", "Failed", done=True, success=False, failures=messages, **more), ORIGINS))


def deploy_message(problem, address=MESSAGE):
    return DeployMessage(address.type, address.full_name, "workflows/Contact.workflow", 3, 7, problem, "Error")


def test_a_problem_that_names_a_field_points_at_the_line_of_that_field():
    assert text_of(deploy_message("Invalid field Plan__c")).splitlines() == [
        "The org refused the deployment 0Af1 (Failed); no metadata was changed:",
        f"  - {FILE}:12:11: to_appcues.attributes.plan: {MESSAGE}: Invalid field Plan__c",
        "Correct the lines named above, then run `sfcode plan` again.",
    ]


def test_a_problem_that_names_nothing_points_at_the_component():
    assert f"  - {FILE}:1:1: {MESSAGE}: In some way wrong" in text_of(deploy_message("In some way wrong"))


def test_a_name_inside_a_longer_name_is_not_a_mention():
    assert f"{FILE}:1:1:" in text_of(deploy_message("Invalid field My_Plan__c"))


def test_a_problem_of_an_unmanaged_component_keeps_the_orgs_position():
    stranger = deploy_message("Cannot be parsed", Address("ApexClass", "X"))
    assert "  - ApexClass:X: Cannot be parsed (workflows/Contact.workflow:3:7)" in text_of(stranger)


def test_a_problem_that_names_nothing_has_no_line_if_only_names_in_the_component_have_one():
    named = [origin for origin in ORIGINS if origin.token]
    problem = problem_of(deploy_message("In some way wrong"), named)
    assert str(problem) == f"{MESSAGE}: In some way wrong (workflows/Contact.workflow:3:7)"
    assert problem_of(deploy_message("In some way wrong"), [*named, ORIGINS[0]]).position == Position(FILE, 1, 1)


def test_all_problems_come_in_file_order():
    lines = text_of(deploy_message("Invalid field Plan__c"), deploy_message("In some way wrong")).splitlines()
    assert [line.split(": ")[0] for line in lines[1:3]] == [f"  - {FILE}:1:1", f"  - {FILE}:12:11"]


def test_a_failure_of_the_whole_deployment_is_reported():
    assert "UNKNOWN_EXCEPTION: An unexpected error" in text_of(
        error_status_code="UNKNOWN_EXCEPTION", error_message="An unexpected error"
    )


def test_a_failure_without_a_reason_is_reported_as_such():
    assert "the deployment ended as Failed, and the org gave no reason" in text_of()


def test_a_failure_lists_the_completed_steps():
    result = DeployResult("0Af2", "Failed", done=True, success=False, failures=(deploy_message("In some way wrong"),))
    text = str(failure(result, ORIGINS, ["Flow:X: deactivated, 1 version deleted"]))
    assert "(Failed); it changed nothing:" in text
    assert "\nDone before the deployment:\n  - Flow:X: deactivated, 1 version deleted\n" in text


FIELD = Address("CustomField", "Contact.A__c")
IN_USE = "This custom field is referenced elsewhere in salesforce.com. Remove the usage and try again. : {}"
VERSION = "301000000000001AAA"


def trial(*messages, **more):
    result = DeployResult("0Af1", "Failed", done=True, success=False, failures=messages, **more)
    return ignore_version_failures(result, {VERSION})


def test_a_trial_passes_if_only_flow_versions_to_be_deleted_block_it():
    active = deploy_message("You can't delete a flow version that is active.", Address("Flow", "Appcues_contact-1"))
    used = deploy_message(IN_USE.format(f"Flow Version - {VERSION[:15]}"), FIELD)
    assert trial(active, used).success


def test_a_trial_fails_for_every_other_reason():
    for message in (
        deploy_message(IN_USE.format(f"Flow Version - {VERSION}, Workflow Rule - Contact.Theirs"), FIELD),
        deploy_message(IN_USE.format("Flow Version - 301000000000009AAA"), FIELD),
        deploy_message("The formula is invalid", Address("Flow", "Appcues_contact")),
        deploy_message("In some way wrong"),
    ):
        result = trial(message)
        assert (result.success, result.failures) == (False, (message,))
    assert not trial(error_message="UNKNOWN_EXCEPTION: try again", error_status_code="UNKNOWN_EXCEPTION").success


def test_apex_tests_and_their_coverage_are_listed_after_the_components():
    failed = TestFailure("ContactTest", "saves", "Assertion Failed", "Class.ContactTest.saves: line 3")
    tests = TestRun(1, 1, failures=(failed,), coverage_warnings=("Average coverage is 60%",))
    assert text_of(deploy_message("In some way wrong"), tests=tests).splitlines()[1:] == [
        f"  - {FILE}:1:1: {MESSAGE}: In some way wrong",
        "  - Apex test ContactTest.saves: Assertion Failed",
        "  - Test coverage: Average coverage is 60%",
        "Correct the lines named above, then run `sfcode plan` again.",
    ]


def test_a_code_is_named_once_and_an_empty_one_is_an_error():
    def line(code, message):
        return text_of(error_status_code=code, error_message=message).splitlines()[1]

    assert line("UNKNOWN_EXCEPTION", "UNKNOWN_EXCEPTION: null: sorry") == "  - UNKNOWN_EXCEPTION: sorry"
    assert line("", "sorry") == "  - error: sorry"


def test_the_hint_fits_the_failure():
    locked = text_of(error_status_code="ALREADY_IN_PROCESS", error_message="locked")
    assert "pass --lock-timeout 5m to wait" in locked
    assert "No component caused this." in text_of(error_status_code="X", error_message="sorry")
    assert "Correct the lines named above" in text_of(
        deploy_message("wrong"), error_status_code="X", error_message="sorry"
    )
    assert "Correct the lines named above" in text_of()


def test_a_problem_without_a_type_or_a_position_is_reported_unchanged():
    assert "  - package.xml: Unknown type" in text_of(DeployMessage("", "package.xml", problem="Unknown type"))
    assert text_of(DeployMessage("ApexClass", "X", problem="bad")).splitlines()[1] == "  - ApexClass:X: bad"


def test_the_longest_name_in_a_message_is_its_origin_and_an_unnamed_component_the_fallback():
    assert f"{FILE}:12:11:" in text_of(deploy_message("Plan and Plan__c do not go together"))
    assert f"{FILE}:13:11:" in text_of(deploy_message("Plan is unknown"))


class TestATrial:
    def test_ignores_the_deletion_of_an_active_flow_only_if_its_versions_are_deleted(self):
        off = deploy_message("Cannot be switched off", Address("FlowDefinition", "Appcues_contact"))
        version = deploy_message("active", Address("Flow", "Appcues_contact-12"))
        for message in (off, version):
            assert trial(message).success
            result = DeployResult("0Af1", "Failed", done=True, success=False, failures=(message,))
            assert not ignore_version_failures(result, ()).success

    def test_does_not_mistake_another_numbered_component_for_a_flow_version(self):
        assert not trial(deploy_message("active", Address("Layout", "Contact-12"))).success

    def test_reads_several_users_each_by_its_id(self):
        first, second = f"Flow Version - {VERSION}", f"Flow Version - {VERSION[:15]}"
        assert trial(deploy_message(IN_USE.format(f"{first}, {second}"), FIELD)).success

    def test_keeps_only_the_remaining_problems(self):
        failure_of_its_own = deploy_message("In some way wrong")
        result = trial(deploy_message("active", Address("Flow", "Appcues_contact-1")), failure_of_its_own)
        assert (result.success, result.failures) == (False, (failure_of_its_own,))

    def test_with_failed_apex_tests_is_not_a_success(self):
        version = deploy_message("active", Address("Flow", "Appcues_contact-1"))
        failed = TestFailure("T", "m", "no", "")
        assert not trial(version, tests=TestRun(1, 1, failures=(failed,))).success
        assert trial(version, tests=TestRun(1, 0)).success

    def test_that_succeeded_or_failed_as_a_whole_is_unchanged(self):
        warning = deploy_message("A field is not visible")
        for failures in ((), (warning,)):
            succeeded = DeployResult("0Af1", "Succeeded", done=True, success=True, failures=failures)
            assert ignore_version_failures(succeeded, {VERSION}) is succeeded
        canceled = DeployResult("0Af1", "Canceled", done=True, success=False)
        assert ignore_version_failures(canceled, {VERSION}) is canceled
        message = deploy_message("active", Address("Flow", "Appcues_contact-1"))
        assert not trial(message, error_message="sorry").success


def test_a_canceled_deployment_is_not_reported_as_refused():
    def lines(*messages, **more):
        result = DeployResult("0Af1", "Canceled", done=True, success=False, failures=messages, **more)
        return str(failure(result, ORIGINS)).splitlines()

    hint = "The config is correct. Run `sfcode apply` to deploy it."
    head = "The deployment 0Af1 was stopped (Canceled); no metadata was changed:"
    assert lines() == [head, "  - It was canceled", hint]
    assert lines(canceled_by_name="Ada") == [head, "  - It was canceled by Ada", hint]
    assert lines(deploy_message("In some way wrong")) == [head, f"  - {FILE}:1:1: {MESSAGE}: In some way wrong", hint]
