"""
The journeys of a project and its org: how they come to differ, and how plan and apply bring them together again.

Each story begins with an org, changes the org or the config, and states the expected plan. It ends with an apply, after
which the next plan is empty; or with a refusal, after which the plan is the same as before. Journeys that a table
cannot express have their own tests, which ELSEWHERE lists.
"""

from __future__ import annotations

from sfcode.metadata.component import Component
from tests.e2e.stories import (
    CHANGED,
    GONE,
    MADE,
    USER,
    Story,
    assigned,
    change,
    deactivate_flow,
    delete,
    delete_record,
    edit,
    move,
    put,
    remove,
    set_record,
    without,
)

CONTACT, LEAD, SETTINGS = "mappings/contact.yaml", "mappings/lead.yaml", "sfcode.yaml"
FLOW, MESSAGE = "Flow:Appcues_contact", "WorkflowOutboundMessage:Contact.Appcues_contact"
INTEGRATION, VIEWER = "PermissionSet:Appcues_Integration", "PermissionSet:Appcues_Viewer"
SCORE, FEEDBACK = "CustomField:Contact.Appcues_NPS_Score__c", "CustomField:Contact.Appcues_NPS_Feedback__c"
LICENSE = f"PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{USER}"
ASSIGNMENT = f"PermissionSetAssignment:Appcues_Integration/{USER}"

RECORDS = {f"User:{USER}": MADE, LICENSE: MADE, ASSIGNMENT: MADE}
SETS = {INTEGRATION: MADE, VIEWER: MADE}
FIELDS = {SCORE: MADE, FEEDBACK: MADE, "CustomField:Contact.Appcues_User_Id__c": MADE}
EVENT_ID = {"CustomField:Activity.Appcues_Event_Id__c": MADE}
CONTACT_ONLY = {**RECORDS, **SETS, **FIELDS, **EVENT_ID, FLOW: MADE, MESSAGE: MADE}
LEAD_TOO = {
    "CustomField:Lead.Appcues_NPS_Feedback__c": MADE,
    "CustomField:Lead.Appcues_NPS_Score__c": MADE,
    "CustomField:Lead.Appcues_User_Id__c": MADE,
    "Flow:Appcues_lead": MADE,
    "WorkflowOutboundMessage:Lead.Appcues_lead": MADE,
}
ALL = {**CONTACT_ONLY, **LEAD_TOO}

no_lead = remove(LEAD)
less = edit(CONTACT, "    plan: Plan__c\n", "")
LESS = {FLOW: CHANGED, INTEGRATION: CHANGED, MESSAGE: CHANGED}
no_nps = edit(
    CONTACT,
    """  # The latest NPS answer. `create: true`: sfcode creates and manages these two fields.
  nps:
    score: {field: Appcues_NPS_Score__c, create: true}
    feedback: {field: Appcues_NPS_Feedback__c, create: true}
""",
    "",
)
NO_NPS = {SCORE: GONE, FEEDBACK: GONE, INTEGRATION: CHANGED, VIEWER: CHANGED}
scored = set_record("Contact", "LastName != null", Appcues_NPS_Score__c=9)

SAME_SCORE = Component(
    "CustomField", SCORE.partition(":")[2], {"label": "Score", "type": "Number", "precision": 2, "scale": 0}
)
SAME_SET = Component("PermissionSet", "Appcues_Viewer", {"label": "Theirs"})
THEIR_MESSAGE = Component(
    "WorkflowOutboundMessage",
    "Contact.Theirs",
    {
        "apiVersion": "63.0",
        "endpointUrl": "https://theirs.example.com/x",
        "fields": ["Id"],
        "includeSessionId": False,
        "integrationUser": "admin@northwind.example",
        "name": "Theirs",
        "protected": False,
        "useDeadLetterQueue": False,
    },
)
THEIR_RULE = Component(
    "WorkflowRule",
    "Contact.Theirs",
    {
        "actions": [{"name": "Theirs", "type": "OutboundMessage"}],
        "active": True,
        "formula": "NOT(ISBLANK(Email))",
        "triggerType": "onAllChanges",
    },
)
THEIR_UPDATE = Component(
    "WorkflowFieldUpdate",
    "Contact.Theirs",
    {
        "field": "Appcues_NPS_Score__c",
        "formula": "1",
        "name": "Theirs",
        "notifyAssignee": False,
        "operation": "Formula",
        "protected": False,
    },
)
IS_OURS_NOT = "exists in the org, and sfcode did not create it"

STORIES = (
    # Created
    Story("one mapping is created", "new", (no_lead,), CONTACT_ONLY),
    Story(
        "a mapping that sends by a workflow rule is created",
        "new",
        (no_lead, edit(CONTACT, "trigger: flow", "trigger: workflow_rule")),
        {**RECORDS, **SETS, **FIELDS, **EVENT_ID, MESSAGE: MADE, "WorkflowRule:Contact.Appcues_contact": MADE},
    ),
    Story(
        "a mapping whose activities are tasks is created",
        "new",
        (no_lead, edit(SETTINGS, "activities_as: event", "activities_as: task")),
        CONTACT_ONLY,
    ),
    Story(
        "what the help page grants is created",
        "new",
        (
            no_lead,
            edit(SETTINGS, "access: least_privilege", "access: documented"),
            edit(SETTINGS, "  record_access: sharing\n", ""),
        ),
        CONTACT_ONLY,
    ),
    Story(
        "an org is prepared for Appcues' own connector",
        "new",
        (
            no_lead,
            edit(CONTACT, "delivery: relay", "delivery: connector"),
            edit(
                CONTACT,
                "  trigger: flow\n  on: [create, update] # and only when one of the fields below has changed\n",
                "",
            ),
        ),
        {**RECORDS, **SETS, **FIELDS},
    ),
    # Changed in the config
    Story(
        "an attribute that is called otherwise in Appcues changes nothing in the org",
        "applied",
        (edit(CONTACT, "    role: Title", "    job: Title"),),
        {},
    ),
    Story(
        "a flow becomes a workflow rule",
        "applied",
        (edit(CONTACT, "trigger: flow", "trigger: workflow_rule"),),
        {FLOW: GONE, "WorkflowRule:Contact.Appcues_contact": MADE},
    ),
    Story(
        "only new records are sent",
        "applied",
        (edit(CONTACT, "on: [create, update]", "on: [create]"),),
        {FLOW: CHANGED},
    ),
    Story(
        "the relay moves",
        "applied",
        (edit(SETTINGS, "relay_url: http://127.0.0.1:8400", "relay_url: http://127.0.0.1:8500"),),
        {MESSAGE: CHANGED, "WorkflowOutboundMessage:Lead.Appcues_lead": CHANGED},
    ),
    Story(
        "the user gets another address",
        "applied",
        (edit(SETTINGS, "admin_email: admin@example.com", "admin_email: crm@example.com"),),
        {f"User:{USER}": CHANGED},
    ),
    Story(
        "the user comes to see every record",
        "applied",
        (edit(SETTINGS, "record_access: sharing", "record_access: view_all"),),
        {INTEGRATION: CHANGED},
    ),
    # Drifted
    Story(
        "somebody took a field from the permission set",
        "applied",
        (without(INTEGRATION, "fieldPermissions", "Contact.Title"),),
        {INTEGRATION: CHANGED},
        says=("# (it was changed in the org since the last apply)",),
    ),
    Story(
        "somebody took a field from the message",
        "applied",
        (without(MESSAGE, "fields", "Title"),),
        {MESSAGE: CHANGED},
        says=('+ "Title"',),
    ),
    Story("somebody deactivated the flow", "applied", (deactivate_flow("Appcues_contact"),), {FLOW: CHANGED}),
    Story(
        "somebody took the permission set from the user",
        "applied",
        (delete_record("PermissionSetAssignment", "PermissionSet.Name = 'Appcues_Integration'"),),
        {ASSIGNMENT: MADE},
    ),
    Story(
        "somebody took set and license from the user",
        "applied",
        (
            delete_record("PermissionSetAssignment", "PermissionSet.Name = 'Appcues_Integration'"),
            delete_record("PermissionSetLicenseAssign", f"Assignee.Username = '{USER}'"),
        ),
        {LICENSE: MADE, ASSIGNMENT: MADE},
    ),
    Story(
        "somebody deleted a permission set",
        "applied",
        (delete(VIEWER),),
        {VIEWER: MADE},
        says=("# (it was deleted in the org since the last apply)",),
    ),
    Story(
        "somebody gave our permission set to a colleague, which is theirs to do",
        "applied",
        (assigned("Appcues_Viewer"),),
        {},
    ),
    # Drifted and changed in the config
    Story(
        "the org drifted in one place and the config changed in another",
        "applied",
        (change(SCORE, label="By hand"), less),
        {**LESS, SCORE: CHANGED},
        says=('~ label = "By hand" -> "Appcues NPS Score"  # changed in the org',),
    ),
    Story(
        "both changed the same message",
        "applied",
        (without(MESSAGE, "fields", "Title"), less),
        LESS,
        says=('+ "Title"', '- "Plan__c"'),
    ),
    Story(
        "the config comes to say what somebody did by hand",
        "applied",
        (without(MESSAGE, "fields", "Department"), edit(CONTACT, "    department: Department\n", "")),
        LESS,  # only the endpoint changes, whose version tells the relay the field list
    ),
    # Renamed
    Story(
        "a mapping is called otherwise",
        "visible",
        (move(CONTACT, "mappings/person.yaml"),),
        {
            FLOW: GONE,
            MESSAGE: GONE,
            "Flow:Appcues_person": MADE,
            "WorkflowOutboundMessage:Contact.Appcues_person": MADE,
        },
    ),
    Story(
        "a field is called otherwise",
        "visible",
        (edit(CONTACT, "Appcues_NPS_Score__c", "Appcues_Score__c"),),
        {SCORE: GONE, "CustomField:Contact.Appcues_Score__c": MADE, INTEGRATION: CHANGED, VIEWER: CHANGED},
    ),
    Story(
        "the user is called otherwise",
        "applied",
        (edit(SETTINGS, "appcues.integration@", "appcues.sync@"),),
        {
            f"User:{USER}": CHANGED,
            LICENSE: GONE,
            ASSIGNMENT: GONE,
            **{record_address.replace("integration@", "sync@"): MADE for record_address in RECORDS},
            MESSAGE: CHANGED,
            "WorkflowOutboundMessage:Lead.Appcues_lead": CHANGED,
        },
        says=("~ IsActive = true -> false",),
    ),
    Story(
        "the project is called otherwise: what the former one made is not its own",
        "visible",
        (no_lead, edit(SETTINGS, "\nname: Appcues\n", "\nname: Product\n")),
        {
            "CustomField:Activity.Product_Event_Id__c": MADE,
            "Flow:Product_contact": MADE,
            "PermissionSet:Product_Integration": MADE,
            "PermissionSet:Product_Viewer": MADE,
            "WorkflowOutboundMessage:Contact.Product_contact": MADE,
            f"PermissionSetAssignment:Product_Integration/{USER}": MADE,
        },
        refused="CustomField:Contact.Appcues_User_Id__c exists in the org, and the project Appcues manages it",
    ),
    # Removed
    Story("the NPS fields are given up", "visible", (no_nps,), NO_NPS),
    Story(
        "a field with values is not given up unasked",
        "visible",
        (no_nps, scored),
        NO_NPS,
        refused=f"{SCORE} would be deleted with the values that 1 record holds in it",
    ),
    Story(
        "a field with values is given up by name",
        "visible",
        (no_nps, scored),
        NO_NPS,
        words=("--allow-delete", SCORE),
    ),
    Story(
        "a field whose values nobody can see is not given up unasked",
        "applied",
        # A field may have values once a record was written after the apply.
        (set_record("Contact", "Email != NULL", Title="Somebody"), no_nps),
        NO_NPS,
        refused=SCORE,
    ),
    Story(
        "what the config gives up was deleted by hand already",
        "visible",
        (
            without(INTEGRATION, "fieldPermissions", FEEDBACK.partition(":")[2]),
            without(VIEWER, "fieldPermissions", FEEDBACK.partition(":")[2]),
            delete(FEEDBACK),
            no_nps,
        ),
        {name: action for name, action in NO_NPS.items() if name != FEEDBACK},
    ),
    Story(
        "a field that somebody else uses by now stays, and everything with it",
        "visible",
        (put(THEIR_UPDATE), no_nps),
        NO_NPS,
        refused=f"{SCORE}: This custom field is referenced elsewhere in salesforce.com.",
    ),
    # Adopted
    Story(
        "an existing field is not adopted without the option",
        "new",
        (put(SAME_SCORE),),
        {**ALL, SCORE: CHANGED},
        refused=f"{SCORE} {IS_OURS_NOT}",
    ),
    Story(
        "an existing field is adopted",
        "new",
        (put(SAME_SCORE),),
        {**ALL, SCORE: CHANGED},
        words=("--adopt", SCORE),
        says=("# (adopted: it existed before sfcode)",),
    ),
    Story(
        "a permission set of the same name is not adopted without the option",
        "new",
        (put(SAME_SET),),
        {**ALL, VIEWER: CHANGED},
        refused=f"{VIEWER} {IS_OURS_NOT}",
    ),
    Story(
        "a permission set of the same name is adopted",
        "new",
        (put(SAME_SET),),
        {**ALL, VIEWER: CHANGED},
        words=("--adopt", VIEWER),
    ),
    # Shared files
    Story(
        "a mapping goes, and the rule and message of others in the same file stay",
        "visible",
        (put(THEIR_MESSAGE, THEIR_RULE), remove(CONTACT)),
        {
            **dict.fromkeys((*FIELDS, FLOW, MESSAGE), GONE),
            INTEGRATION: CHANGED,
            VIEWER: CHANGED,
        },
    ),
)

ELSEWHERE = {
    # Created
    "everything is created, and then nothing is left to do": "test_main_job.py::test_plan_apply_plan_ends_with_no_changes",
    "an object for activities is created, found and taken away": "test_activity_object.py::test_the_activity_object_is_created_unchanged_by_a_second_apply_and_deleted",
    "an org that was set up by hand becomes a config": "test_import.py::test_the_config_is_valid_and_its_plan_changes_nothing",
    # Changed in the config
    "an attribute is taken from a mapping": "test_main_job.py::test_a_removed_attribute_leaves_message_condition_and_access_together",
    "an attribute is added to a mapping": "test_main_job.py::test_an_added_attribute_extends_message_condition_and_access_together",
    "a secret is rotated": "test_drift.py::test_a_rotated_secret_is_a_change_of_the_config_and_an_unknown_endpoint_is_drift",
    "one address alone is changed": "test_target.py::test_only_the_target_is_changed_and_the_other_changes_remain_planned",
    # Drifted
    "somebody changed a label": "test_main_job.py::test_apply_reverts_a_manual_change_and_nothing_else",
    "somebody deleted a field": "test_drift.py::test_a_component_deleted_in_the_org_is_drift_and_is_created_again",
    "somebody deactivated the user": "test_drift.py::test_a_deactivated_integration_user_is_drift",
    "somebody added to our permission set": "test_shared.py::test_rights_added_by_hand_to_the_permission_set_are_shown_as_revoked",
    "drift alone is looked at": "test_drift.py::test_drift_is_shown_from_the_applied_to_the_present_value_and_exits_with_2",
    # Drifted and changed in the config
    "config and org changed one attribute": "test_drift.py::test_a_plan_says_which_attribute_the_org_changed_and_which_the_config",
    "config and org came to the same": "test_drift.py::test_drift_is_in_the_plan_only_where_the_plan_touches_it",
    # Removed
    "a mapping is taken away": "test_main_job.py::test_a_removed_mapping_deletes_its_components_and_its_flow",
    "the integration is removed": "test_destroy.py::test_destroy_deletes_managed_components_and_no_others",
    "a destroyed project is applied again": "test_destroy.py::test_a_destroyed_project_can_be_applied_again",
    "the last apply is put back": "test_rollback.py::test_a_rollback_restores_a_change_and_the_next_plan_makes_it_again",
    "more goes than the config's limit allows": "test_limits.py::test_a_plan_beyond_the_limit_is_refused_not_saved_and_possible_with_the_option",
    # Adopted
    "a field with another formula is refused until adopted": "test_refused.py::test_an_existing_field_is_refused_until_adopted",
    "what was adopted goes back to its owner": "test_rollback.py::test_a_rollback_restores_adopted_components_as_unmanaged",
    # Shared files
    "others have a message in the same file": "test_refused.py::test_unmanaged_components_in_the_same_file_are_not_changed",
    "others are counted": "test_shared.py::test_a_plan_counts_unmanaged_components_in_the_files_that_it_writes",
    # Saved and stale plans
    "a saved plan is applied": "test_saved_plan.py::test_a_saved_plan_is_applied_without_an_approval",
    "a saved plan is applied twice": "test_saved_plan.py::test_a_saved_plan_cannot_be_applied_twice",
    "the config changed since": "test_saved_plan.py::test_a_plan_is_refused_after_the_config_changed",
    "the secret changed since": "test_saved_plan.py::test_a_plan_is_refused_with_another_secret_than_it_was_made_with",
    "a comment changed since": "test_saved_plan.py::test_a_saved_plan_remains_valid_after_edits_without_effect_in_the_org",
    "the org changed since": "test_saved_plan.py::test_a_plan_is_refused_after_the_org_changed",
    "the plan is for another org": "test_saved_plan.py::test_a_plan_is_refused_for_another_org",
    "the plan was edited": "test_saved_plan.py::test_an_edited_plan_is_refused",
    "a checked plan is deployed without another test run": "test_quick_deploy.py::test_a_quick_deployment_of_a_check_can_be_rolled_back",
    # Killed
    "a first apply is killed at each request": "test_cut.py::test_a_first_apply_killed_at_any_request_is_completed_by_the_next",
    "a removal is killed at each request": "test_cut.py::test_the_removal_of_a_mapping_killed_at_any_request_is_completed_by_the_next",
    "an apply that serves its own org is killed at each step": "test_cut.py::test_a_killed_apply_with_its_own_local_org_is_completed_by_the_next",
    "an apply is stopped by a signal": "test_lock.py::test_an_interrupted_apply_cancels_its_deployment_and_releases_the_lock",
    # Two at once
    "two apply at once": "test_cut.py::test_two_concurrent_applies_leave_the_configured_org",
    "the second is refused, or waits": "test_lock.py::test_a_second_concurrent_apply_is_refused_or_waits_and_both_succeed",
    "one who died locks nobody out": "test_lock.py::test_the_lock_of_a_killed_apply_holds_only_while_its_deployment_runs",
    # Lost connections and other faults
    "a plan loses its connection at each request": "test_faults.py::test_a_plan_survives_a_fault_at_any_request",
    "an apply loses its connection at each request": "test_faults.py::test_only_a_lost_connection_of_the_deployment_ends_an_apply",
    "a record cannot be written": "test_faults.py::test_a_failed_record_is_reported_with_its_address_and_the_next_apply_continues",
    "the connection is lost while a deployment runs": "test_faults.py::test_a_connection_lost_while_following_a_deployment_is_retried",
    "the org refuses the package": "test_refused.py::test_a_failed_deployment_changes_no_metadata_and_names_the_yaml_lines",
    "the org is locked": "test_faults.py::test_a_locked_setup_is_an_error_with_the_orgs_message_and_the_next_apply_works",
    "the allowance of requests is used up": "test_faults.py::test_a_used_up_request_limit_is_reported",
    "nobody answers": "test_cut.py::test_an_unreachable_org_is_an_error_with_a_hint_and_no_traceback",
    # Expired tokens
    "the session ends in the middle": "test_faults.py::test_a_session_that_ends_in_the_middle_is_reported_with_the_sign_in_command",
    "the token is worth nothing": "test_cut.py::test_a_wrong_token_is_an_error_with_a_hint",
}
"""Journeys that a table cannot express, and the test of each."""

DEPLOYS = ("ModifyMetadata", "CustomizeApplication")
PEOPLE = {
    "may not use the API": ("Minimum Access - Salesforce", (), "API_DISABLED_FOR_ORG"),
    "sees no object": ("Minimum Access - Salesforce", ("ApiEnabled", *DEPLOYS), "or the signed-in user cannot see it"),
    "may not look into Setup": (
        "Standard User",
        ("ApiEnabled", *DEPLOYS),
        "Didn't understand relationship 'PermissionSet'",
    ),
    "may not deploy": ("Standard User", ("ApiEnabled", "ViewSetup"), "Customize Application"),
    "may not make users": (
        "Standard User",
        ("ApiEnabled", "ViewSetup", *DEPLOYS),
        f"User:{USER}: INVALID_TYPE_FOR_OPERATION",
    ),
    "may do it all": (
        "Standard User",
        ("ApiEnabled", "ViewSetup", *DEPLOYS, "ManageUsers", "AssignPermissionSets"),
        "",
    ),
}
"""People by what they may do: the profile, additional permissions, and the expected message."""
