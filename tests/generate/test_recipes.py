"""The components of each recipe, and its additional rights."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.mapping.desired import Desired
from sfcode.metadata.objects import standard
from tests.generate.projects import CONTACT, body, by_address, changed, project, settings

ANSWERS = "Appcues_NPS_Response__c"
OWN = settings()
OWN["relay"]["activities_as"] = "custom_object"


def generated(config: dict[str, Any] | None = None, **recipes: Any) -> Desired:
    return generate(project({"contact": CONTACT}, config, recipes=recipes), standard())


def of(result: Desired, address: str) -> dict[str, Any]:
    component_body: dict[str, Any] = body(by_address(result), address)
    return component_body


def added(result: Desired, base: Desired) -> set[str]:
    return {str(address) for address in by_address(result).keys() - by_address(base).keys()}


def rights(result: Desired, base: Desired, name: str) -> dict[str, dict[str, Any]]:
    """Return what a permission set grants beyond that of a project without recipes."""
    more = {}
    for element in ("objectPermissions", "fieldPermissions", "userPermissions"):
        before, after = (of(side, f"PermissionSet:{name}").get(element, {}) for side in (base, result))
        more |= {key: value for key, value in after.items() if before.get(key) != value}
    return {key: {flag for flag, granted in value.items() if granted is True} for key, value in more.items()}


def test_completed_flows_need_two_fields_and_a_report() -> None:
    base, result = generated(), generated(completed_flows={})
    assert added(result, base) == {
        "CustomField:Activity.Appcues_Event__c",
        "CustomField:Activity.Appcues_Item__c",
        "Report:Appcues/Completed_Flows",
        "ReportFolder:Appcues",
    }
    assert rights(result, base, "Appcues_Integration") == {
        "Event.Appcues_Event__c": {"readable", "editable"},
        "Event.Appcues_Item__c": {"readable", "editable"},
    }
    assert rights(result, base, "Appcues_Viewer") == {
        "Event.Appcues_Event__c": {"readable"},
        "Event.Appcues_Item__c": {"readable"},
    }
    report = of(result, "Report:Appcues/Completed_Flows")
    assert report["filter"]["criteriaItems"][0]["value"] == "flow_completed"


def test_the_history_of_nps_needs_an_object_and_the_account_of_contacts() -> None:
    base, result = generated(), generated(nps_history={})
    assert all(ANSWERS in name or "Report" in name for name in added(result, base))
    more = rights(result, base, "Appcues_Integration")
    assert more.pop(ANSWERS) == {"allowCreate", "allowEdit", "allowRead"}
    assert more.pop("Account") == {"allowRead"}
    assert more.pop("Contact.AccountId") == {"readable"}
    names = "Account Answered_At Contact Feedback Page Response_Id Score Survey Survey_Id"
    assert more == {f"{ANSWERS}.{name}__c": {"readable", "editable"} for name in names.split()}
    assert of(result, f"CustomObject:{ANSWERS}")["sharingModel"] == "Private"
    assert of(result, "Report:Appcues/NPS_Over_Time")["reportType"] == f"CustomEntity${ANSWERS}"


def test_answers_that_are_details_of_accounts_are_rolled_up() -> None:
    result = generated(nps_history={"account": "detail"}, nps_by_account={"account_fields": True})
    assert of(result, f"CustomObject:{ANSWERS}")["sharingModel"] == "ControlledByParent"
    assert of(result, f"CustomField:{ANSWERS}.Account__c")["type"] == "MasterDetail"
    counted = of(result, "CustomField:Account.Appcues_NPS_Detractors__c")
    assert counted["summaryForeignKey"] == f"{ANSWERS}.Account__c"
    assert [
        (summary_filter_item["operation"], summary_filter_item["value"])
        for summary_filter_item in counted["summaryFilterItems"]
    ] == [
        ("greaterOrEqual", "0"),
        ("lessOrEqual", "6"),
    ]
    viewers = of(result, "PermissionSet:Appcues_Viewer")
    assert viewers["objectPermissions"]["Account"]["allowRead"] is True
    # The report type of a detail object has another name, which includes the master, and its rows are grouped by a
    # column of the master.
    by_account = of(result, "Report:Appcues/NPS_By_Account")
    assert by_account["reportType"] == f"AccountCustomEntity${ANSWERS}"
    assert by_account["groupingsDown"][0]["field"] == "ACCOUNT.NAME"


def test_a_report_lists_who_has_not_completed_a_flow_whatever_its_name() -> None:
    result = generated(OWN, completed_flows={"not_completed": ["Sign-up, part 2"]})
    report = of(result, "Report:Appcues/Not_Completed_Sign_up_part_2")
    (cross,) = report["crossFilters"]
    assert (cross["operation"], cross["relatedTable"], cross["relatedTableJoinColumn"]) == (
        "without",
        "Appcues_Activity__c",
        "Contact__c",
    )
    assert [item["value"] for item in cross["criteriaItems"]] == ["appcues:flow_completed", '"Sign-up, part 2"']


def test_two_flows_whose_reports_would_have_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="would have the same report name Not_Completed_A_b"):
        generated(OWN, completed_flows={"not_completed": ["A b", "A-b"]})


def test_the_origin_of_each_component_is_a_line_of_the_recipes() -> None:
    result = generated(completed_flows={}, nps_history={}, nps_by_account={})
    new = added(result, generated())
    places = {str(origin.address): origin.position.file for origin in result.origins if not origin.token}
    assert {places[name] for name in new} == {"config/recipes.yaml"}


WEBINAR = {"when": {"event": "flow_completed"}, "campaign": {"name": "A, b", "create": True}, "status": "Registered"}
BY_ID = {**WEBINAR, "campaign": "701Hs000001LnYRIA0", "status": "Attended"}


def test_registrations_need_a_report_and_edit_of_campaigns_alone() -> None:
    base, result = generated(), generated(event_registration=[WEBINAR])
    assert added(result, base) == {
        "Campaign:A, b",
        "CampaignMemberStatus:A, b/Registered",
        "Report:Appcues/Event_Registrations",
        "ReportFolder:Appcues",
    }
    assert rights(result, base, "Appcues_Integration") == {"Campaign": {"allowRead", "allowEdit"}}
    assert rights(result, base, "Appcues_Viewer") == {}
    report = of(result, "Report:Appcues/Event_Registrations")
    assert (report["reportType"], "timeFrameFilter" in report) == ("CampaignWithCampaignMembers", False)
    assert [entry["field"] for entry in report["groupingsDown"]] == ["CAMPAIGN_NAME", "MEMBER_STATUS"]
    assert [(entry["column"], entry["value"]) for entry in report["filter"]["criteriaItems"]] == [
        ("CAMPAIGN_NAME", '"A, b"')
    ]


def test_a_report_of_campaigns_by_id_and_by_name_lists_both() -> None:
    report = of(generated(event_registration=[WEBINAR, BY_ID]), "Report:Appcues/Event_Registrations")
    assert report["filter"]["booleanFilter"] == "1 OR 2"
    assert report["filter"]["criteriaItems"][0]["value"] == "701Hs000001LnYR"


def test_campaigns_and_statuses_are_records_each_once_and_in_order() -> None:
    late = {**WEBINAR, "status": "Attended"}
    result = generated(event_registration=[WEBINAR, late, {**WEBINAR, "when": {"event": "form_submitted"}}, BY_ID])
    records = {str(record.address): record.body for record in result.records if record.address.is_business_record}
    assert records == {
        "Campaign:A, b": {"CampaignName": "A, b"},
        "CampaignMemberStatus:A, b/Registered": {"CampaignName": "A, b", "Label": "Registered", "Before": ["Attended"]},
        "CampaignMemberStatus:A, b/Attended": {"CampaignName": "A, b", "Label": "Attended", "Before": []},
        "CampaignMemberStatus:701Hs000001LnYRIA0/Attended": {
            "CampaignId": "701Hs000001LnYRIA0",
            "Label": "Attended",
            "Before": [],
        },
    }


def test_a_mapping_that_only_sends_keeps_no_answers() -> None:
    sending = changed(CONTACT, object="Lead", direction="to_appcues", to_salesforce=None)
    result = generate(project({"contact": CONTACT, "lead": sending}, recipes={"nps_history": {}}), standard())
    assert f"CustomField:{ANSWERS}.Lead__c" not in {str(address) for address in by_address(result)}
