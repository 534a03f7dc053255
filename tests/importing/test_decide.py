"""Decisions of an import have reasons, and undecided ones are questions with options."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.errors import Refused
from sfcode.importing.answers import ImportOptions
from sfcode.importing.decide import mapping_name, propose_config
from sfcode.importing.field_candidates import attribute_name
from sfcode.importing.scan_result import Formula, MessageTrigger
from sfcode.metadata.component import Address
from tests.importing.scans import ROBOT, fields, grants, make_scan, message

TITLE = (("role", "Title"),)
OTHER = replace(ROBOT, username="other@northwind.example", sets=())


def questions(scan, **options) -> list[str]:
    with pytest.raises(Refused) as refused:
        propose_config(scan, ImportOptions(**options))
    return [line.strip() for line in refused.value.message.splitlines()[1:]]


def because(draft, subject: str) -> str:
    return next(choice.because for choice in draft.choices if choice.what == subject)


def test_an_org_set_up_by_the_help_page_leaves_no_question():
    draft = propose_config(make_scan(), ImportOptions())
    (mapping,) = draft.mappings
    assert (mapping.name, mapping.object, mapping.direction) == ("contact", "Contact", "both")
    assert (mapping.user_id, mapping.source) == ("Appcues_Id__c", "Product_User_Id__c")
    assert mapping.attributes == {"title": "Title"}
    assert mapping.activities
    user = draft.user
    assert (user.username, user.permission_set, user.access) == (ROBOT.username, "Appcues_Access", "documented")
    assert draft.as_is == ("CustomField:Contact.Appcues_Id__c", "PermissionSet:Appcues_Access")
    assert mapping.replaces == (
        "WorkflowRule:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj",
        "WorkflowOutboundMessage:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj",
    )
    assert because(draft, "integration user") == "Appcues' outbound message runs as this user"
    assert because(draft, "permission set").endswith("Modify All on Contact and 2 fields of Event")


def test_an_org_without_an_integration_is_refused():
    with pytest.raises(Refused, match="No integration with Appcues was found") as refused:
        propose_config(make_scan(messages=(), people=(), sets={}), ImportOptions())
    assert "sfcode init" in refused.value.hint


def test_all_questions_are_listed_at_once_with_their_options():
    scan = make_scan(
        messages=(),
        fields={"Contact": fields(Appcues_Id__c="double", User_Key__c="string", Member_Id__c="string")},
        people=(ROBOT, replace(ROBOT, username="second@northwind.example")),
        sets={"Appcues_Access": replace(grants(), body={"objectPermissions": {"Contact": {"allowRead": True}}})},
        formulas={},
    )
    assert questions(scan) == [
        (
            "- Which user does the integration sign in as? Several are possible: appcues@northwind.example, second@northwind.example"
        ),
        "--user appcues@northwind.example",
        (
            "- Which field of Contact equals the user ID in Appcues? Member_Id__c (its name is like that of an ID); User_Key__c "
            "(its name is like that of an ID)"
        ),
        "--user-id-field Member_Id__c",
        "- In which direction does the data of Contact flow? The org does not show it",
        "--direction both",
        (
            "- Which fields of Contact does Appcues get? Its connector stores this in Appcues (step 3 of its wizard), not in "
            "Salesforce"
        ),
        "--attribute role=Title, for each of them",
    ]


def test_two_objects_are_a_question_that_both_can_answer():
    lead = message(
        "AppcuesOnLeadCreateUpdate_2abc",
        address=Address("WorkflowOutboundMessage", "Lead.AppcuesOnLead_2abc"),
        fired_by=(),
    )
    fields_by_object = {"Contact": fields(), "Lead": fields()}
    formula = Formula("TEXT(Product_User_Id__c)", False, "Product_User_Id__c")
    scan = make_scan(
        messages=(message(), lead),
        fields=fields_by_object,
        formulas={"Contact.Appcues_Id__c": formula, "Lead.Appcues_Id__c": formula},
    )
    assert questions(scan)[:2] == [
        "- Which objects should be mapped? an outbound message sends it to Appcues: Contact, Lead",
        "--object Contact (repeatable)",
    ]
    draft = propose_config(scan, ImportOptions(objects=("Contact", "Lead"), attributes=TITLE))
    assert [mapping.name for mapping in draft.mappings] == ["contact", "lead"]
    only = propose_config(scan, ImportOptions(objects=("Contact",)))
    assert "Lead.AppcuesOnLead_2abc sends to *.integration-hook.com, and no mapping is for Lead" in only.notes[-1]


def test_of_several_id_fields_the_sent_one_is_chosen_and_the_others_named():
    own_message = message("Send_To_Appcues", by_connector=False, fields=("Id", "Member_Id__c", "Plan__c"))
    draft = propose_config(
        make_scan(
            messages=(own_message,),
            fields={"Contact": fields(Appcues_Id__c="double", Member_Id__c="string", Account_Id__c="string")},
            formulas={},
            sets={"Appcues_Access": grants()},
        ),
        ImportOptions(),
    )
    (mapping,) = draft.mappings
    assert (mapping.user_id, mapping.source) == ("Member_Id__c", "")
    assert because(draft, "user ID of Contact") == (
        "its name is like that of an ID; sent by WorkflowOutboundMessage:Contact.Send_To_Appcues; not Account_Id__c"
    )
    assert mapping.attributes == {"plan": "Plan__c"}
    assert draft.as_is == ("PermissionSet:Appcues_Access",), "a field that is used as it is needs no owner"


def test_a_number_field_passed_as_user_id_gets_a_text_formula():
    draft = propose_config(make_scan(), ImportOptions(user_id=("Product_User_Id__c",)))
    (mapping,) = draft.mappings
    assert (mapping.user_id, mapping.source) == ("Appcues_User_Id__c", "Product_User_Id__c")
    assert draft.as_is == ("PermissionSet:Appcues_Access",)


@pytest.mark.parametrize(
    ("options", "question"),
    [
        (
            {"user_id": ("Appcues_ID__c",)},
            "- Contact has no field Appcues_ID__c, or you cannot see it; did you mean Appcues_Id__c?",
        ),
        ({"objects": ("Kontakt",)}, "- This org has no object Kontakt, or you cannot see it"),
        ({"user": "nobody@x.example"}, "- There is no active user nobody@x.example in this org. It has one of"),
        ({"permission_set": "Nope"}, "- There is no permission set Nope in this org"),
        (
            {"attributes": (("role", "Titel"),)},
            "- Contact has no field Titel, or you cannot see it; did you mean Title?",
        ),
        ({"nps_score": ("Nope__c",)}, "- Contact has no field Nope__c, or you cannot see it"),
    ],
)
def test_a_wrong_option_remains_a_question(options, question):
    scan = make_scan(people=(ROBOT, OTHER))
    assert questions(scan, **options)[0].startswith(question.removesuffix(" one of")), questions(scan, **options)


def test_an_option_of_one_object_overrides_one_for_all():
    options = ImportOptions(user_id=("Everywhere__c", "Lead.Just_Here__c"))
    assert options.field(options.user_id, "Lead") == "Just_Here__c"
    assert options.field(options.user_id, "Contact") == "Everywhere__c"
    assert options.field(("Lead.Just_Here__c",), "Contact") is None
    assert options.field((), "Contact") is None


@pytest.mark.parametrize(
    ("more", "options", "score", "question"),
    [
        ({"Latest_NPS_Score__c": "double"}, {}, "Latest_NPS_Score__c", False),
        ({"Latest_NPS__c": "double"}, {}, "Latest_NPS__c", False),
        ({"NPS_Answers__c": "double"}, {}, None, True),
        ({"NPS_Answers__c": "double"}, {"nps_score": ("none",)}, None, False),
        ({"NPS_Score__c": "double", "Old_NPS_Score__c": "double"}, {}, None, True),
        (
            {"NPS_Score__c": "double", "Old_NPS_Score__c": "double"},
            {"nps_score": ("NPS_Score__c",)},
            "NPS_Score__c",
            False,
        ),
        ({"Snapshot__c": "double"}, {}, None, False),
        ({"NPS_Score_Text__c": "textarea"}, {"nps_feedback": ("none",)}, None, False),
    ],
)
def test_an_nps_field_is_chosen_by_its_name_and_a_question_in_doubt(more, options, score, question):
    scan = make_scan(fields={"Contact": fields(**more)})
    if question:
        assert questions(scan, **options)[0].startswith("- Which field of Contact holds the latest NPS score?")
    else:
        assert propose_config(scan, ImportOptions(**options)).mappings[0].score == score


@pytest.mark.parametrize(
    ("changes", "direction"),
    [
        ({}, "both"),
        (
            {
                "sets": {
                    "Appcues_Access": replace(grants(), body={"objectPermissions": {"Contact": {"allowRead": True}}})
                }
            },
            "to_appcues",
        ),
        ({"messages": ()}, "to_salesforce"),
    ],
)
def test_the_direction_follows_from_the_components_of_the_org(changes, direction):
    assert propose_config(make_scan(**changes), ImportOptions(attributes=TITLE)).mappings[0].direction == direction


def test_a_message_of_a_flow_with_other_actions_is_kept_and_reported():
    busy = message(fired_by=(MessageTrigger(Address("Flow", "Does_Much"), alone=False),))
    draft = propose_config(make_scan(messages=(busy,)), ImportOptions())
    assert draft.mappings[0].replaces == ()
    (note,) = draft.by_hand
    assert "is fired by Flow:Does_Much, which has other actions too" in note


def test_a_person_who_connected_appcues_is_not_chosen_as_integration_user():
    person = replace(ROBOT, username="robin@northwind.example", license="Salesforce", sets=())
    scan = make_scan(messages=(message(user=person.username),), people=(person,), sets={})
    draft = propose_config(scan, ImportOptions(attributes=TITLE))
    assert draft.user.is_new
    assert draft.user.username == "appcues.integration@northwind.example"
    assert "Appcues is connected as robin@northwind.example until" in because(draft, "integration user")
    answers = questions(scan, attributes=TITLE, user=person.username)
    assert answers[0].startswith("- robin@northwind.example has the license Salesforce, so it is a person")


def test_a_missing_license_and_a_faulty_formula_are_reported():
    bare = replace(ROBOT, set_licenses=())
    zero = Formula("TEXT(Product_User_Id__c)", True, "Product_User_Id__c")
    draft = propose_config(
        make_scan(people=(bare,), formulas={"Contact.Appcues_Id__c": zero}, event_id=True), ImportOptions()
    )
    notes = "\n".join(draft.notes)
    assert "has no permission set license" in notes
    assert 'every record without an ID has the ID "0"' in notes
    assert "CustomField:Activity.Appcues_Event_Id__c already exists" in notes
    assert draft.user.set_license == "SalesforceAPIIntegrationPsl"


def test_a_user_without_a_set_for_the_object_gets_a_new_one():
    bare = replace(ROBOT, sets=("Unrelated",))
    sets = {"Unrelated": replace(grants("Unrelated"), body={"objectPermissions": {"Case": {"allowRead": True}}})}
    draft = propose_config(make_scan(people=(bare,), sets=sets), ImportOptions(attributes=TITLE))
    assert (draft.user.permission_set, draft.user.access) == (None, "least_privilege")
    assert (
        because(draft, "permission set")
        == "no permission set that is assigned to appcues@northwind.example is about Contact"
    )
    assert draft.as_is == ("CustomField:Contact.Appcues_Id__c",)


def test_several_permission_sets_are_a_question():
    two = replace(ROBOT, sets=("Appcues_Access", "More"))
    scan = make_scan(people=(two,), sets={"Appcues_Access": grants(readable=("Title",)), "More": grants("More")})
    assert "--permission-set Appcues_Access" in questions(scan)
    assert propose_config(scan, ImportOptions(permission_set="Appcues_Access")).user.permission_set == "Appcues_Access"


@pytest.mark.parametrize(
    ("object_name", "name"),
    [
        ("Contact", "contact"),
        ("Invoice_Line__c", "invoice_line"),
        ("ns__Thing__c", "ns_thing"),
        ("Thing___c", "thing"),
    ],
)
def test_a_mapping_is_named_after_its_object(object_name, name):
    assert mapping_name(object_name) == name


READ_ONLY = {"Appcues_Access": replace(grants(), body={"objectPermissions": {"Contact": {"allowRead": True}}})}
"""Rights that do not show a direction: read access to the object, and no field of Event."""
NPS = fields(NPS_Score__c="double", NPS_Feedback__c="textarea")


@pytest.mark.parametrize(
    ("changes", "options", "way", "targets", "reason"),
    [
        (
            {},
            {},
            "both",
            (None, None, True),
            "there are an outbound message to Appcues and fields, events or permissions",
        ),
        ({"sets": READ_ONLY}, {}, "to_appcues", (None, None, True), "there are an outbound message to Appcues"),
        (
            {"sets": READ_ONLY, "fields": {"Contact": NPS}},
            {},
            "both",
            ("NPS_Score__c", "NPS_Feedback__c", False),
            "there are an outbound message to Appcues and fields",
        ),
        (
            {"sets": READ_ONLY, "fields": {"Contact": fields(NPS_Score__c="double")}},
            {},
            "both",
            ("NPS_Score__c", None, False),
            "there are an outbound message to Appcues and fields",
        ),
        (
            {"sets": READ_ONLY, "fields": {"Contact": fields(NPS_Feedback__c="textarea")}, "messages": ()},
            {},
            "to_salesforce",
            (None, "NPS_Feedback__c", False),
            "there are fields, events or permissions for data from Appcues",
        ),
        (
            {"sets": READ_ONLY, "fields": {"Contact": NPS}, "events": 2},
            {},
            "both",
            ("NPS_Score__c", "NPS_Feedback__c", True),
            "there are an outbound message to Appcues and fields",
        ),
        ({"fields": {"Contact": NPS}}, {"direction": "to_appcues"}, "to_appcues", (None, None, True), "passed"),
    ],
)
def test_the_direction_decides_what_is_written_back(changes, options, way, targets, reason):
    draft = propose_config(make_scan(**changes), ImportOptions(attributes=TITLE, **options))
    (mapping,) = draft.mappings
    assert (mapping.direction, (mapping.score, mapping.feedback, mapping.activities)) == (way, targets)
    assert because(draft, "direction of Contact").startswith(reason)


def test_fields_with_a_purpose_of_their_own_are_no_attributes():
    """The user ID, its number field and both NPS answers are not proposed as attributes."""
    every = (*(name for name in NPS if name != "Id"), "Unreadable__c")
    scan = make_scan(fields={"Contact": NPS}, sets={"Appcues_Access": grants(readable=every)})
    assert propose_config(scan, ImportOptions()).mappings[0].attributes == {
        "email": "Email",
        "plan": "Plan__c",
        "title": "Title",
    }


@pytest.mark.parametrize(
    ("formula", "noted"),
    [
        (Formula("TEXT(Product_User_Id__c)", True, "Product_User_Id__c"), True),
        (Formula("TEXT(Product_User_Id__c)", False, "Product_User_Id__c"), False),
        (Formula("if(isblank(A__c), NULL, TEXT(A__c))", True, "A__c"), False),
        (Formula("Account.Name", True), False),
    ],
)
def test_a_formula_that_makes_blank_a_zero_is_noted_where_it_makes_user_ids(formula, noted):
    draft = propose_config(make_scan(formulas={"Contact.Appcues_Id__c": formula}), ImportOptions())
    assert any("treats blank as zero" in note for note in draft.notes) is noted


@pytest.mark.parametrize(
    ("changes", "options", "noted"),
    [
        ({}, {}, False),
        ({"event_id": True}, {}, True),
        ({"event_id": True}, {"direction": "to_appcues"}, False),
        ({"event_id": True, "sets": READ_ONLY, "fields": {"Contact": NPS}}, {}, False),
    ],
)
def test_the_external_id_of_activities_is_noted_where_the_relay_will_need_it(changes, options, noted):
    draft = propose_config(make_scan(**changes), ImportOptions(attributes=TITLE, **options))
    assert any("already exists; the relay needs it" in note for note in draft.notes) is noted


def test_the_message_of_a_mapped_object_is_a_leftover_and_one_of_another_object_is_noted():
    lead = message("On_Lead", address=Address("WorkflowOutboundMessage", "Lead.On_Lead"))
    scan = make_scan(messages=(message(), lead))
    draft = propose_config(scan, ImportOptions(objects=("Contact",)))
    assert draft.leftovers == (message(),)
    assert len(draft.notes) == 1


@pytest.mark.parametrize(
    ("changes", "options", "question"),
    [
        (
            {"fields": {"Contact": fields(Old_NPS_Score__c="double", NPS_Score__c="double")}},
            {},
            (
                "- Which field of Contact holds the latest NPS score? NPS_Score__c, Old_NPS_Score__c",
                "--nps-score NPS_Score__c, or --nps-score none",
            ),
        ),
        (
            {"fields": {"Contact": fields(NPS_Answers__c="double")}},
            {},
            (
                "- Which field of Contact holds the latest NPS score? NPS_Answers__c",
                "--nps-score NPS_Answers__c, or --nps-score none",
            ),
        ),
        (
            {},
            {"attributes": (("role", "Titel"),)},
            ("- Contact has no field Titel, or you cannot see it; did you mean Title?", "--attribute NAME=Title"),
        ),
        (
            {},
            {"attributes": (("role", "Xylophone_Qualification__c"),)},
            ("- Contact has no field Xylophone_Qualification__c, or you cannot see it", "--attribute NAME=FIELD"),
        ),
        (
            {},
            {"user_id": ("Xylophone_Qualification__c",)},
            ("- Contact has no field Xylophone_Qualification__c, or you cannot see it", "--user-id-field FIELD"),
        ),
        (
            {},
            {"user_id": ("Appcues_ID__c",)},
            (
                "- Contact has no field Appcues_ID__c, or you cannot see it; did you mean Appcues_Id__c?",
                "--user-id-field Appcues_Id__c",
            ),
        ),
        (
            {"fields": {"Contact": {"Title": fields()["Title"]}}, "formulas": {}},
            {},
            (
                "- Which field of Contact equals the user ID in Appcues? No text field looks like a user ID",
                "--user-id-field FIELD",
            ),
        ),
        (
            {"people": ()},
            {"user": "nobody@x.example"},
            (
                "- There is no active user nobody@x.example in this org. The org has no active user with an API-only license",
                "--user USERNAME",
            ),
        ),
    ],
)
def test_a_question_names_the_option_that_answers_it(changes, options, question):
    assert tuple(questions(make_scan(**changes), **options)[:2]) == question


def test_an_nps_field_that_an_org_computes_is_not_written():
    computed = replace(fields(NPS_Score__c="double")["NPS_Score__c"], calculated=True)
    scan = make_scan(fields={"Contact": {**fields(), "NPS_Score__c": computed}})
    assert propose_config(scan, ImportOptions()).mappings[0].score is None


@pytest.mark.parametrize(
    ("options", "value", "reason"),
    [
        (
            {},
            "Appcues_Id__c",
            "named after Appcues; TEXT(Product_User_Id__c), a number as text; its name is like that of an ID",
        ),
        ({"user_id": ("Plan__c",)}, "Plan__c", "passed as an option"),
        (
            {"user_id": ("Product_User_Id__c",)},
            "Appcues_User_Id__c",
            "a text formula over Product_User_Id__c, passed as an option",
        ),
    ],
)
def test_the_user_id_has_its_reason(options, value, reason):
    draft = propose_config(make_scan(), ImportOptions(**options))
    (choice,) = [choice for choice in draft.choices if choice.what == "user ID of Contact"]
    assert (choice.value, choice.because) == (value, reason)


def test_attributes_of_another_object_are_left_to_its_mapping():
    options = ImportOptions(attributes=(("role", "Contact.Title"), ("tier", "Lead.Tier__c"), ("plan", "Plan__c")))
    draft = propose_config(make_scan(), options)
    (mapping,) = draft.mappings
    assert mapping.attributes == {"role": "Title", "plan": "Plan__c"}
    assert mapping.attributes_because == "passed as an option"
    ignored = "--attribute Lead.Tier__c has no effect, since Lead is not mapped; pass --object Lead to map it"
    assert [note for note in draft.notes if "has no effect" in note] == [ignored]


def test_options_have_names_in_any_case():
    options = ImportOptions(
        objects=("contact",),
        user_id=("contact.appcues_id__c", "product_USER_id__c", "Nope__c"),
        attributes=(("Role", "TITLE"), ("tier", "Lead.tier__c")),
        nps_score=("none",),
        permission_set="appcues_ACCESS",
    )
    spelled = options.spell_as(make_scan().fields, make_scan().sets)
    assert spelled == replace(
        options,
        objects=("Contact",),
        user_id=("Contact.Appcues_Id__c", "Product_User_Id__c", "Nope__c"),
        attributes=(("Role", "Title"), ("tier", "Lead.tier__c")),
        permission_set="Appcues_Access",
    )


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("Plan_Name__c", "plan_name"),
        ("LastName", "last_name"),
        ("Odd__Name___c", "odd_name"),
        ("Plan2Name__c", "plan2_name"),
        ("User_Id__c", "contact_user_id"),
        ("GroupId", "contact_group_id"),
        ("_APEX__c", "apex"),
    ],
)
def test_an_attribute_is_named_after_its_field(field, name):
    assert attribute_name(field, "Contact") == name


@pytest.mark.parametrize(
    ("rights", "person", "expected"),
    [
        (("allowRead",), {}, ("least_privilege", "sharing", "SalesforceAPIIntegrationPsl")),
        (("allowRead", "viewAllRecords"), {}, ("least_privilege", "view_all", "SalesforceAPIIntegrationPsl")),
        (
            ("allowRead", "viewAllRecords", "modifyAllRecords"),
            {"set_licenses": ("OtherPsl", "SalesforceAPIIntegrationPsl")},
            ("documented", "modify_all", "SalesforceAPIIntegrationPsl"),
        ),
        (("allowRead",), {"set_licenses": ("OtherPsl", "ThirdPsl")}, ("least_privilege", "sharing", "OtherPsl")),
    ],
)
def test_the_user_keeps_its_access_and_its_license(rights, person, expected):
    body = {"objectPermissions": {"Contact": dict.fromkeys(rights, True), "Case": {"modifyAllRecords": True}}}
    scan = make_scan(people=(replace(ROBOT, **person),), sets={"Appcues_Access": replace(grants(), body=body)})
    user = propose_config(scan, ImportOptions(attributes=TITLE)).user
    assert (user.access, user.record_access, user.set_license) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"objectPermissions": {"Contact": {"allowRead": True, "modifyAllRecords": True}}}, "Modify All on Contact"),
        ({"objectPermissions": {"Contact": {"allowRead": True}}}, "permissions on Contact"),
        ({"fieldPermissions": {"Event.WhoId": {"readable": True}}}, "1 field of Event"),
    ],
)
def test_the_permission_set_has_its_reason(body, reason):
    scan = make_scan(sets={"Appcues_Access": replace(grants(), body=body)})
    draft = propose_config(scan, ImportOptions(attributes=TITLE))
    assert because(draft, "permission set") == f"assigned to appcues@northwind.example, {reason}"


@pytest.mark.parametrize(
    ("changes", "options", "user", "reason"),
    [
        ({}, {}, ROBOT.username, "Appcues' outbound message runs as this user"),
        ({}, {"user": ROBOT.username.upper()}, ROBOT.username, "passed as an option"),
        (
            {"messages": (message(user="somebody@else"),)},
            {},
            ROBOT.username,
            "its permission set grants permissions on Contact",
        ),
        (
            {"messages": (message(user="somebody@else"),), "people": (replace(ROBOT, sets=()),)},
            {},
            ROBOT.username,
            "the only active user with the license Salesforce Integration",
        ),
        (
            {"messages": (), "people": ()},
            {},
            "a new one",
            "there is no user with the license Salesforce Integration",
        ),
        (
            {"people": ()},
            {},
            "a new one",
            (
                "there is no user with the license Salesforce Integration; Appcues is connected as "
                "appcues@northwind.example until it is connected again"
            ),
        ),
    ],
)
def test_the_integration_user_has_its_reason(changes, options, user, reason):
    draft = propose_config(make_scan(**changes), ImportOptions(attributes=TITLE, **options))
    (choice,) = [choice for choice in draft.choices if choice.what == "integration user"]
    assert (choice.value, choice.because) == (user, reason)
