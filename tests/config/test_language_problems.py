"""Problems of keys, types and values of a file."""

from __future__ import annotations

from tests.config.projects import CONTACT, SENDING, SETTINGS, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "unknown key with its neighbor in mind",
        {"contact": CONTACT.replace("direction", "drection")},
        [
            "config/mappings/contact.yaml:2:1: drection: unknown key; write direction (or: object, match, delivery, user_id, where, several, converted, replaces, to_appcues, to_salesforce)",
        ],
    ),
    Case(
        "limits that are none",
        {
            "settings": SETTINGS
            + "safety: {max_destroy: 101%, max_change: -1}\nenvironments: {x: {safety: {max_destroy: yes, max_change: true}}}\n"
        },
        [
            'config/sfcode.yaml:5:23: safety.max_destroy: "101%" is not a limit; write a whole number such as 3, or a percentage such as 25%',
            "config/sfcode.yaml:5:41: safety.max_change: the number -1 is not a limit; write a whole number such as 3, or a percentage such as 25%",
            'config/sfcode.yaml:6:42: environments.x.safety.max_destroy: "yes" is not a limit; write a whole number such as 3, or a percentage such as 25%',
            "config/sfcode.yaml:6:59: environments.x.safety.max_change: the truth value true is not a limit; write a whole number such as 3, or a percentage such as 25%",
        ],
    ),
    Case(
        "unknown key that resembles nothing",
        {"settings": SETTINGS + "zzz: 1\n"},
        [
            "config/sfcode.yaml:5:1: zzz: unknown key; write one of: version, name, id, salesforce, integration_user, viewers, appcues, relay, environments, as_is, moved, review, safety",
        ],
    ),
    Case(
        "unknown key further down",
        {"contact": CONTACT + "  trigr: flow\n"},
        [
            "config/mappings/contact.yaml:7:3: to_appcues.trigr: unknown key; write trigger (or: on, attributes)",
        ],
    ),
    Case(
        "unknown key in a field that is spelled out",
        {"contact": CONTACT.replace("Title", "{field: Title, typ: string}")},
        [
            "config/mappings/contact.yaml:6:26: to_appcues.attributes.role.typ: unknown key; write type (or: field, map, default)",
        ],
    ),
    Case(
        "missing sections",
        {
            "settings": """\
version: 1
relay: {}
appcues: {}
"""
        },
        [
            "config/sfcode.yaml:1:1: integration_user: missing; add the key integration_user: the user that the integration signs in as, and its access",
            "config/sfcode.yaml:2:1: relay.url: missing; add the key url, for example `url: https://relay.example.com`",
            "config/sfcode.yaml:3:1: appcues.account_id: missing; add the key account_id, for example `account_id: ${appcues_account}`",
        ],
    ),
    Case(
        "missing keys of a mapping",
        {
            "contact": """\
object: Contact
user_id: {}
"""
        },
        [
            "config/mappings/contact.yaml:2:1: user_id.field: missing; add the key field, for example `field: Appcues_User_Id__c`",
        ],
    ),
    Case(
        "missing key that is misspelled is told once",
        {"contact": CONTACT.replace("user_id", "userid")},
        [
            "config/mappings/contact.yaml:3:1: userid: unknown key; write user_id (or: object, match, direction, delivery, where, several, converted, replaces, to_appcues, to_salesforce)",
        ],
    ),
    Case(
        "numbers and truth values where text belongs",
        {
            "settings": SETTINGS.replace('"1"', "1")
            + """\
salesforce: {api_version: 63.0}
environments:
  a:
    protected: yes
    variables: {x: 5, y: true, z: null, w: [1]}
"""
        },
        [
            'config/sfcode.yaml:3:23: appcues.account_id: expected text, found the number 1; put it in quotes: "1"',
            'config/sfcode.yaml:5:27: salesforce.api_version: expected text, found the number 63.0; put it in quotes: "63.0"',
            'config/sfcode.yaml:8:16: environments.a.protected: expected true or false, found "yes"; write true or false, without quotes',
            'config/sfcode.yaml:9:20: environments.a.variables.x: expected text, found the number 5; put it in quotes: "5"',
            'config/sfcode.yaml:9:26: environments.a.variables.y: expected text, found the truth value true; put it in quotes: "true"',
            "config/sfcode.yaml:9:35: environments.a.variables.z: expected text, found nothing; write text",
            "config/sfcode.yaml:9:44: environments.a.variables.w: expected text, found a list; write text",
        ],
        environment="a",
    ),
    Case(
        "lists, text and keys where others belong",
        {
            "contact": """\
object: [Contact]
user_id: {field: 5}
direction: to_appcues
to_appcues:
  on: create
  attributes: Title
"""
        },
        [
            "config/mappings/contact.yaml:1:9: object: expected text, found a list; write text",
            'config/mappings/contact.yaml:2:18: user_id.field: expected text, found the number 5; put it in quotes: "5"',
            'config/mappings/contact.yaml:5:7: to_appcues.on: expected a list, found "create"; write [create]',
            'config/mappings/contact.yaml:6:15: to_appcues.attributes: expected keys and values, found "Title"; write `key: value` lines below it',
        ],
    ),
    Case(
        "a section that is text",
        {"contact": CONTACT + "to_salesforce: text\n"},
        [
            'config/mappings/contact.yaml:7:16: to_salesforce: expected keys and values, found "text"; write `key: value` lines below it',
        ],
    ),
    Case(
        "a version of the language that does not exist",
        {"settings": SETTINGS.replace("version: 1", "version: 2")},
        [
            "config/sfcode.yaml:1:10: version: the number 2 is not a version of the mapping language that this sfcode knows; write 1, or update sfcode",
        ],
    ),
    Case(
        "true is not version 1",
        {"settings": SETTINGS.replace("version: 1", "version: true")},
        [
            "config/sfcode.yaml:1:10: version: the truth value true is not a version of the mapping language that this sfcode knows; write 1, or update sfcode",
        ],
    ),
    Case(
        "a value that is not in the list",
        {"contact": CONTACT.replace(": to_appcues", ": toappcues") + "  trigger: apex\n  on: [create, delete]\n"},
        [
            'config/mappings/contact.yaml:2:12: direction: unknown value "toappcues"; write to_appcues (or: both, to_salesforce)',
            'config/mappings/contact.yaml:7:12: to_appcues.trigger: unknown value "apex"; write one of: flow, workflow_rule',
            'config/mappings/contact.yaml:8:16: to_appcues.on[1]: unknown value "delete"; write one of: create, update',
        ],
    ),
    Case(
        "unknown activity event",
        {"contact": SENDING + "  activities: [nps_score, flow_finished, 7]\n"},
        [
            'config/mappings/contact.yaml:5:27: to_salesforce.activities[1]: unknown event "flow_finished"; write one of: nps_score, nps_feedback, flow_completed, checklist_item_completed, checklist_completed, goal_reached',
            "config/mappings/contact.yaml:5:42: to_salesforce.activities[2]: unknown event the number 7; write one of: nps_score, nps_feedback, flow_completed, checklist_item_completed, checklist_completed, goal_reached",
        ],
    ),
    Case(
        "duplicate key",
        {"contact": CONTACT + "    role: Department\n"},
        [
            "config/mappings/contact.yaml:7:5: to_appcues.attributes.role: defined twice, first in line 6; keep one of them",
        ],
    ),
    Case(
        "nothing in a list that needs something",
        {"contact": CONTACT.replace("attributes:\n    role: Title", "attributes: {}\n  on: []")},
        [
            "config/mappings/contact.yaml:5:15: to_appcues.attributes: is empty; write at least one entry",
            "config/mappings/contact.yaml:6:7: to_appcues.on: is empty; write at least one entry",
        ],
    ),
    Case(
        "several problems in several files, in order",
        {
            "settings": SETTINGS + "nmae: A\n",
            "contact": CONTACT + "    plan: 7\nmatch: person\n",
            "alead": "object: Lead\n",
            "events": "version: 2\n",
        },
        [
            "config/events.yaml:1:10: version: the number 2 is not a version of the mapping language that this sfcode knows; write 1, or update sfcode",
            "config/mappings/alead.yaml:1:1: user_id: missing; add the key user_id, for example `user_id: Appcues_User_Id__c`",
            "config/mappings/contact.yaml:7:11: to_appcues.attributes.plan: expected keys and values, found the number 7; write `key: value` lines below it",
            'config/mappings/contact.yaml:8:8: match: unknown value "person"; write one of: user, group',
            "config/sfcode.yaml:5:1: nmae: unknown key; write name (or: version, id, salesforce, integration_user, viewers, appcues, relay, environments, as_is, moved, review, safety)",
        ],
    ),
]


@parametrize_cases(CASES)
def test_every_problem_of_a_file_is_reported_at_its_position(case: Case, folder: Folder) -> None:
    case.check(folder)
