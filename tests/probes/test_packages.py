from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.errors import OrgError
from sfcode.metadata.component import Address
from sfcode.org import DeployResult, Org
from tests.probes import samples


def problems(result: DeployResult) -> str:
    return "\n".join(map(str, result.failures)) or result.error_message


def test_a_package_may_list_a_child_without_its_container(check) -> None:
    """U28: package.xml names CustomField Contact.X and WorkflowOutboundMessage Contact.Y, but no CustomObject or Workflow."""
    result = check(samples.number())
    assert result.success, problems(result)


def test_parts_of_one_package_find_each_other(asked: Org, check) -> None:
    """U03: fields, message, flow and permission set that are all new refer to each other."""
    result = check(
        samples.number(),
        samples.text(),
        samples.message(asked.identity.username, samples.TEXT_NAME),
        samples.flow(f"ISCHANGED({{!$Record.{samples.NUMBER_NAME}}})".join(("OR(ISNEW(), ", ")"))),
        samples.permission_set(objects=("Contact",), read=(samples.TEXT,), edit=(samples.NUMBER,)),
    )
    assert result.success, problems(result)


def test_field_access_on_an_activity_field_comes_with_the_field(check) -> None:
    """U14: the field is Activity.X__c, the access to it Event.X__c, both in one package."""
    field = samples.EVENT_ID.replace("Activity.", "Event.")
    result = check(samples.event_id(), samples.permission_set(edit=(field,)))
    assert result.success, problems(result)


def test_a_new_workflow_rule_is_still_taken(asked: Org, check) -> None:
    """U06: Setup refuses new rules; the Metadata API may not."""
    result = check(samples.message(asked.identity.username), samples.rule())
    assert result.success, problems(result)


def test_a_message_for_an_unknown_user_is_refused_in_these_words(check) -> None:
    """U31: the user of an outbound message has to exist before the package is deployed."""
    result = check(samples.message("nobody.of.this.name@sfcode.invalid"))
    assert not result.success
    assert "nobody.of.this.name@sfcode.invalid" in problems(result)
    assert any(words in problems(result) for words in ("no User named", "Cannot find a user")), problems(result)


def test_a_flow_cannot_be_deleted_by_its_name_alone(asked: Org, check, nothing_to_ask) -> None:
    """U29: its versions have to go one by one."""
    flows = asked.tooling_query(
        "SELECT DeveloperName FROM FlowDefinition WHERE ActiveVersionId != NULL AND NamespacePrefix = NULL LIMIT 1"
    )
    if not flows:
        nothing_to_ask("this org has no active flow to ask about")
    result = check(deleted=[Address("Flow", flows[0]["DeveloperName"])])
    assert not result.success
    assert "insufficient access rights on cross-reference id" in problems(result)


def test_cancelling_takes_the_id_under_the_name_of_the_wsdl(asked: Org) -> None:
    """U32: the WSDL calls cancelDeploy's parameter `String`, other clients send `id`."""
    with pytest.raises(OrgError) as caught:
        asked.metadata.cancel_deploy("0Af000000000000AAA")
    assert "String" not in caught.value.message
    assert "invalid at this location" not in caught.value.message


def test_the_probes_change_nothing(root: Path) -> None:
    """All that could change an org is in one function of conftest.py, which checks only."""
    for path in (root / "tests" / "probes").glob("test_*.py"):
        source = path.read_text().replace("def test_the_probes_change_nothing", "").split("source = path")[0]
        for call in (
            ".deploy(",
            ".quick_deploy(",
            ".create(",
            ".update(",
            ".delete(",
            "tooling_update",
            "tooling_delete",
        ):
            assert call not in source.split("for call in")[0], f"{path.name} calls {call}"
