"""Names that Salesforce or Appcues would refuse."""

from __future__ import annotations

from tests.config.projects import CONTACT, SENDING, SETTINGS, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "a field of personal data that is no field",
        {"settings": SETTINGS + "review: {personal_data: {accepted: [Contact.Account.Name, Email]}}\n"},
        [
            (
                'config/sfcode.yaml:5:37: review.personal_data.accepted[0]: "Contact.Account.Name" is not the API name of a field; '
                "write it like Contact.Email, or Email for every object that has it"
            ),
        ],
    ),
    Case(
        "not an API name",
        {"contact": CONTACT.replace("Title", "Account.Name") + "    plan: {field: 'Plan c', type: text}\n"},
        [
            'config/mappings/contact.yaml:6:11: to_appcues.attributes.role: "Account.Name" is not the API name of an object or field; write it as Object Manager shows it (Title, Plan__c); for a field of a related record create a formula field',
            'config/mappings/contact.yaml:7:19: to_appcues.attributes.plan.field: "Plan c" is not the API name of an object or field; write it as Object Manager shows it (Title, Plan__c); for a field of a related record create a formula field',
            'config/mappings/contact.yaml:7:35: to_appcues.attributes.plan.type: unknown value "text"; write one of: string, number, boolean, date',
        ],
    ),
    Case(
        "a field name that no org can have",
        {"contact": CONTACT.replace("Title", "T" * 81)},
        [
            'config/mappings/contact.yaml:6:11: to_appcues.attributes.role: "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT..." is 81 characters long, more than 80; shorten it',
        ],
    ),
    Case(
        "a generated field too long for Salesforce",
        {"contact": SENDING + "  nps: {score: {field: " + "S" * 41 + "__c, create: true}}\n"},
        [
            "config/mappings/contact.yaml:5:24: to_salesforce.nps.score.field: SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS__c is 41 characters long without __c, and Salesforce allows 40; shorten it",
        ],
    ),
    Case(
        "a generated field without __c",
        {"contact": SENDING + "  nps: {score: {field: Score, create: true}}\n"},
        [
            "config/mappings/contact.yaml:5:24: to_salesforce.nps.score.field: Score is generated, because of create: true, so it must be a custom field; write a name that ends in __c, or remove create: true",
        ],
    ),
    Case(
        "a generated field with a namespace",
        {"contact": SENDING + "  nps: {score: {field: ns__S__c, create: true}}\n"},
        [
            "config/mappings/contact.yaml:5:24: to_salesforce.nps.score.field: ns__S__c cannot be generated: it is not the name of a custom field without a namespace; use letters, digits and single underscores before __c",
        ],
    ),
    Case(
        "a generated user ID without __c",
        {"contact": CONTACT.replace("Key__c", "{field: Key, from: Id__c}")},
        [
            "config/mappings/contact.yaml:3:18: user_id.field: Key is generated, because `from` is set, so it must be a custom field; write a name that ends in __c, or remove from",
        ],
    ),
    Case(
        "a user ID made from itself",
        {"contact": CONTACT.replace("Key__c", "{field: Key__c, from: key__c}")},
        [
            "config/mappings/contact.yaml:3:32: user_id.from: key__c is the user ID field itself, and a formula cannot refer to itself; set the number field here, and another name in `field`",
        ],
    ),
    Case(
        "attributes that belong to Appcues",
        {"contact": CONTACT + "    _x: A\n    _appcuesId: B\n    User_Id: C\n    ' a': D\n"},
        [
            'config/mappings/contact.yaml:7:5: to_appcues.attributes._x: "_x" is not a valid name of an Appcues attribute; remove spaces around it, invisible characters, and the leading _, which Appcues reserves for its own attributes',
            'config/mappings/contact.yaml:8:5: to_appcues.attributes._appcuesId: "_appcuesId" is not a valid name of an Appcues attribute; remove spaces around it, invisible characters, and the leading _, which Appcues reserves for its own attributes',
            "config/mappings/contact.yaml:9:5: to_appcues.attributes.User_Id: User_Id is Appcues' name for the user ID, which `user_id` already matches; remove it, or choose another name",
            'config/mappings/contact.yaml:10:5: to_appcues.attributes." a": " a" is not a valid name of an Appcues attribute; remove spaces around it, invisible characters, and the leading _, which Appcues reserves for its own attributes',
        ],
    ),
    Case(
        "attributes that differ in case",
        {"contact": CONTACT + "    Role: Department\n"},
        [
            "config/mappings/contact.yaml:7:5: to_appcues.attributes.Role: Role and role differ only in case, and would be two attributes in Appcues; keep one of them",
        ],
    ),
    Case(
        "the group ID as an attribute",
        {"contact": CONTACT.replace("Contact", "Account").replace("role:", "groupId:") + "match: group\n"},
        [
            "config/mappings/contact.yaml:6:5: to_appcues.attributes.groupId: groupId is Appcues' name for the group ID, which `user_id` already matches; remove it, or choose another name",
        ],
    ),
    Case(
        "a project name that Salesforce refuses",
        {"settings": SETTINGS + "name: 'Ap__p'\n"},
        [
            'config/sfcode.yaml:5:7: name: "Ap__p" is not a valid name in Salesforce; use letters, digits and single underscores, beginning with a letter and not ending with an underscore',
        ],
    ),
    Case(
        "a project name too long for the fields made from it",
        {"settings": SETTINGS + "name: " + "A" * 32 + "\n"},
        [
            'config/sfcode.yaml:5:7: name: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" is 32 characters long, more than 31; shorten it',
        ],
    ),
    Case(
        "a file name that Salesforce refuses",
        {"my-lead": CONTACT.replace("Contact", "Lead")},
        [
            "config/mappings/my-lead.yaml:1:1: the file's name is part of names in Salesforce, and my-lead is not a valid name in Salesforce; use letters, digits and single underscores, beginning with a letter and not ending with an underscore",
        ],
    ),
    Case(
        "a file name too long for Salesforce",
        {
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": CONTACT.replace(
                "Contact", "Lead"
            )
        },
        [
            "config/mappings/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml:1:1: the file's name results in Appcues_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, which has 83 characters, and Salesforce allows 80; give the file a shorter name",
        ],
    ),
    Case(
        "an object that is an activity",
        {"contact": CONTACT.replace("Contact", "Task")},
        [
            "config/mappings/contact.yaml:1:9: object: Task cannot be mapped: it is an object for activities; map the object they belong to, such as Contact",
        ],
    ),
]


@parametrize_cases(CASES)
def test_an_invalid_name_is_refused_at_its_position(case: Case, folder: Folder) -> None:
    case.check(folder)
