"""Components are deleted after the flow versions that refer to them, and no apply starts that cannot complete."""

from __future__ import annotations

from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from tests.e2e.org import component, deploy, opened

VERSIONS = "SELECT VersionNumber, Status FROM Flow WHERE Definition.DeveloperName = {} ORDER BY VersionNumber"
OLD, NEW = (Address("CustomField", f"Contact.{name}") for name in ("Appcues_User_Id__c", "AUid__c"))
RULE = Component(
    "WorkflowRule",
    "Contact.Theirs",
    {"active": True, "formula": "NOT(ISBLANK(Appcues_User_Id__c))", "triggerType": "onCreateOnly"},
)


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def versions(journey):
    with local_org(journey) as org, opened(org) as client:
        return [(row["VersionNumber"], row["Status"]) for row in client.tooling_query(VERSIONS, "Appcues_contact")]


def test_a_field_is_deleted_after_the_flow_versions_that_refer_to_it(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert applied.apply().code == 0
    assert versions(applied) == [(1, "Obsolete"), (2, "Active")]
    applied.edit("mappings/contact.yaml", "field: Appcues_User_Id__c", "field: AUid__c")
    planned = applied.run("plan")
    assert f"Note: versions 1, 2 of Flow:Appcues_contact still name {OLD} and are deleted too." in planned.out
    result = applied.apply()
    assert result.code == 0, result.err
    assert "Flow:Appcues_contact: 2 old versions deleted" in result.out
    assert versions(applied) == [(3, "Active")]
    with local_org(applied) as org:
        assert component(org, OLD) is None
        assert component(org, NEW) is not None
    assert applied.actions() == {}


def test_two_files_that_swap_names_are_one_apply(applied):
    folder = applied.folder / "config/mappings"
    (folder / "contact.yaml").rename(folder / "swap.yaml")
    (folder / "lead.yaml").rename(folder / "contact.yaml")
    (folder / "swap.yaml").rename(folder / "lead.yaml")
    result = applied.apply()
    assert result.code == 0, result.err
    assert applied.actions() == {}


def test_a_component_in_use_elsewhere_is_refused_before_the_first_step(applied):
    with local_org(applied) as org:
        deploy(org, RULE)
    before = versions(applied)
    applied.edit("mappings/contact.yaml", "field: Appcues_User_Id__c", "field: AUid__c")
    refused = applied.apply()
    assert refused.code == 1
    assert "Workflow Rule - Contact.Theirs" in refused.err
    assert "no metadata was changed" in refused.err
    assert versions(applied) == before
    with local_org(applied) as org:
        assert component(org, NEW) is None


def test_a_destroy_that_cannot_complete_does_not_start(visible):
    with local_org(visible) as org:
        deploy(org, RULE)
    refused = visible.run("destroy", "--auto-approve")
    assert refused.code == 1
    assert "Workflow Rule - Contact.Theirs" in refused.err
    assert visible.actions() == {}, "records, assignments and flows are as they were"
