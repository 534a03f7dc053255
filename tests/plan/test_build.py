from sfcode.plan.change import Action
from tests.plan.samples import SECRETS, USER, addresses, build, desired, number, observed, permissions


def plan_of(project, desired_state, snapshot, **options):
    return build(project, desired_state, snapshot, secrets=SECRETS, **options)


def actions(plan):
    return {str(change.address): change.action.value for change in plan.changes}


def test_missing_components_are_created_and_equal_ones_unchanged(project):
    a, b = number("A__c"), number("B__c")
    plan = plan_of(project, desired(a, b), observed(a, applied=(a,)))
    assert actions(plan) == {"CustomField:Contact.A__c": "no-op", "CustomField:Contact.B__c": "create"}
    assert [str(change.address) for change in plan.effective] == ["CustomField:Contact.B__c"]


def test_a_changed_attribute_is_the_only_one_in_the_change(project):
    plan = plan_of(project, desired(number("A__c", 4)), observed(number("A__c"), applied=(number("A__c"),)))
    (change,) = plan.effective
    (attribute,) = change.attributes
    assert (change.action, attribute.path, attribute.before, attribute.after) == (Action.UPDATE, ("precision",), 3, 4)


def test_managed_components_that_the_config_no_longer_has_are_deleted(project):
    a, b = number("A__c"), number("B__c")
    plan = plan_of(project, desired(a), observed(a, b, applied=(a, b)))
    assert actions(plan) == {"CustomField:Contact.A__c": "no-op", "CustomField:Contact.B__c": "delete"}
    assert not plan.refusals


def test_unmanaged_components_are_refused_until_adopted(project):
    a = number("A__c")
    refused = plan_of(project, desired(a), observed(a))
    assert [str(refusal) for refusal in refused.refusals] == [
        (
            "CustomField:Contact.A__c exists in the org, and sfcode did not create it; "
            "pass --adopt CustomField:Contact.A__c to manage it, or choose another name in the config"
        )
    ]
    adopted = plan_of(project, desired(a), observed(a), adopt=addresses("CustomField:Contact.A__c"))
    assert not adopted.refusals
    assert adopted.records_state
    assert not adopted.is_empty


def test_records_need_no_adoption(project):
    plan = plan_of(project, desired(records=(USER,)), observed(USER))
    assert plan.is_empty


def test_a_permission_added_by_hand_is_revoked_and_named(project):
    own_set = permissions(A__c=False)
    changed_set = permissions(A__c=False, Salary__c=True)
    plan = plan_of(project, desired(own_set), observed(changed_set, applied=(own_set,)))
    (change,) = plan.effective
    assert {attribute.path[:2] for attribute in change.attributes} == {("fieldPermissions", "Contact.Salary__c")}
    assert all(attribute.after is None for attribute in change.attributes)


def test_a_field_that_holds_values_is_deleted_only_when_allowed_by_name(project):
    a, b = number("A__c"), number("B__c")
    snapshot = observed(a, b, applied=(a, b), values={b.address: 7})
    refused = plan_of(project, desired(a), snapshot)
    assert [refusal.reason for refusal in refused.refusals] == [
        "would be deleted with the values that 7 records hold in it"
    ]
    assert not plan_of(project, desired(a), snapshot, allow_delete=addresses("CustomField:Contact.B__c")).refusals


def test_a_hidden_field_is_not_assumed_empty(project):
    a, b = number("A__c"), number("B__c")
    refused = plan_of(project, desired(a), observed(a, b, applied=(a, b), values={b.address: None}))
    assert "cannot see whether records have a value" in refused.refusals[0].reason


def test_adopt_and_allow_delete_of_addresses_outside_the_plan_are_refused(project):
    options = {"adopt": addresses("Flow:Nope"), "allow_delete": addresses("CustomField:Contact.A__c")}
    plan = plan_of(project, desired(number("A__c")), observed(), **options)
    assert [str(refusal.address) for refusal in plan.refusals] == ["Flow:Nope", "CustomField:Contact.A__c"]


def test_a_component_deleted_in_the_org_and_the_config_is_only_removed_from_the_state(project):
    a, b = number("A__c"), number("B__c")
    plan = plan_of(project, desired(a), observed(a, applied=(a, b)))
    assert not plan.effective
    assert plan.records_state


def test_plan_after_apply_is_empty(project):
    a = number("A__c")
    assert plan_of(project, desired(a), observed(a, applied=(a,))).is_empty
