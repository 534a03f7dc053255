"""Invalid combinations within one file and between files."""

from __future__ import annotations

from typing import get_args

from sfcode.config.notify_models import AlarmName
from tests.config.projects import CONTACT, SENDING, SETTINGS, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "a field in both directions",
        {
            "contact": CONTACT.replace(": to_appcues", ": both")
            + "to_salesforce:\n  nps:\n    score: title\n    feedback: {field: Key__c}\n"
        },
        [
            "config/mappings/contact.yaml:9:12: to_salesforce.nps.score: title is sent to Appcues as role, so Appcues must not write it; choose another field: a field can only have one direction",
            "config/mappings/contact.yaml:10:23: to_salesforce.nps.feedback.field: Key__c is the user ID, so Appcues must not write it; choose another field: a field can only have one direction",
        ],
    ),
    Case(
        "one field for two answers",
        {"contact": SENDING + "  nps: {score: A__c, feedback: a__c}\n"},
        [
            "config/mappings/contact.yaml:5:32: to_salesforce.nps.feedback: a__c is written as NPS score, so Appcues must not write it; choose another field: a field can only have one direction",
        ],
    ),
    Case(
        "a direction without its section, by default",
        {"contact": CONTACT.replace("direction: to_appcues\n", "")},
        [
            "config/mappings/contact.yaml:1:1: direction: both, which is the default, needs the section to_salesforce; add it, or write direction: to_appcues",
        ],
    ),
    Case(
        "a direction without its section",
        {"contact": CONTACT.replace(": to_appcues", ": to_salesforce")},
        [
            "config/mappings/contact.yaml:2:12: direction: to_salesforce needs the section to_salesforce; add it, or write direction: to_appcues",
            "config/mappings/contact.yaml:4:1: to_appcues: is not used with direction: to_salesforce; remove the section, or write direction: both",
        ],
    ),
    Case(
        "a section that the direction does not use",
        {"contact": CONTACT + "to_salesforce: {activities: [nps_score]}\n"},
        [
            "config/mappings/contact.yaml:7:1: to_salesforce: is not used with direction: to_appcues; remove the section, or write direction: both",
        ],
    ),
    Case(
        "a section that asks for nothing",
        {"contact": SENDING.rstrip() + " {nps: {}}\n"},
        [
            "config/mappings/contact.yaml:4:1: to_salesforce: is empty: there is no NPS field, no activity and no click-to-track event; add one, or write direction: to_appcues without this section",
        ],
    ),
    Case(
        "values of an attribute that make no sense",
        {
            "contact": CONTACT.replace(
                "role: Title",
                "role: {field: Title, type: string, map: {Boss: lead, ' boss ': lead, Hand: 3}, default: true}",
            )
            + "    plan: {field: Plan__c, default: free}\n    city: {field: MailingCity, map: {A: [b], C: ' '}}\n"
        },
        [
            "config/mappings/contact.yaml:6:26: to_appcues.attributes.role.type: has no effect with `map`, whose values determine the type; remove it",
            'config/mappings/contact.yaml:6:58: to_appcues.attributes.role.map." boss ": " boss " and "Boss" differ only in case or spaces, which are ignored; keep one of them',
            'config/mappings/contact.yaml:6:80: to_appcues.attributes.role.map.Hand: is a number, and "Boss" is sent as a text: an Appcues attribute has one type; write values of one type',
            "config/mappings/contact.yaml:6:93: to_appcues.attributes.role.default: is true or false, and the values of `map` are not: an Appcues attribute has one type; write a text",
            "config/mappings/contact.yaml:7:28: to_appcues.attributes.plan.default: has no effect without `map`; add map, or remove default",
            "config/mappings/contact.yaml:8:41: to_appcues.attributes.city.map.A: expected a text, a number, or true or false, found a list; write a text, a number, or true or false",
            'config/mappings/contact.yaml:8:49: to_appcues.attributes.city.map.C: expected a text, a number, or true or false, found " "; write a text, a number, or true or false',
        ],
    ),
    Case(
        "values that the connector would have to translate",
        {
            "contact": CONTACT.replace("role: Title", "role: {field: Title, map: {Boss: lead}}").replace(
                "direction", "delivery: connector\ndirection"
            )
        },
        [
            "config/mappings/contact.yaml:7:26: to_appcues.attributes.role.map: has no effect with delivery: connector, which sends values unchanged; remove it, or write delivery: relay",
        ],
    ),
    Case(
        "filters of activities that make no sense",
        {
            "contact": SENDING
            + "  activities:\n    - flow_completed: {checklist: [A], flow: [B, B]}\n    - flow_completed\n"
        },
        [
            "config/mappings/contact.yaml:6:24: to_salesforce.activities[0].flow_completed.checklist: flow_completed belongs to a flow and has no checklist; write flow, or remove it",
            "config/mappings/contact.yaml:6:50: to_salesforce.activities[0].flow_completed.flow[1]: B is listed twice; keep one of them",
            "config/mappings/contact.yaml:7:7: to_salesforce.activities[1]: flow_completed is listed twice; keep one of them",
        ],
    ),
    Case(
        "activities that are no events with filters",
        {
            "contact": SENDING
            + "  activities:\n    - {nps_score: {}, goal_reached: {}}\n    - goal_reached: {flw: [A]}\n"
        },
        [
            "config/mappings/contact.yaml:6:7: to_salesforce.activities[0]: must be one event; write each event as a separate item: `- flow_completed: {flow: [Onboarding]}`",
            "config/mappings/contact.yaml:7:22: to_salesforce.activities[1].goal_reached.flw: unknown key; write flow (or: survey, checklist, goal)",
        ],
    ),
    Case(
        "filters that the connector would have to heed",
        {
            "contact": SENDING.replace("direction", "delivery: connector\ndirection")
            + "  activities: [nps_score: {survey: [Q4]}]\n"
        },
        [
            "config/mappings/contact.yaml:6:28: to_salesforce.activities[0].nps_score.survey: has no effect with delivery: connector, which writes all of them; remove it, or write delivery: relay",
        ],
    ),
    Case(
        "conditions that make no sense",
        {
            "contact": CONTACT
            + "where:\n  Status__c: [A, 1]\n  Vip__c: [true, false]\n  status__c: B\n  Tier__c: {not: [A, 1]}\n"
        },
        [
            "config/mappings/contact.yaml:8:14: where.Status__c: has values of several types, but a field has one type; put numbers in quotes if the field is a text",
            "config/mappings/contact.yaml:9:11: where.Vip__c: has both values of a checkbox, so that the condition has no effect; write true or false",
            "config/mappings/contact.yaml:10:3: where.status__c: status__c and Status__c are the same field in Salesforce, which ignores case; keep one of them",
            "config/mappings/contact.yaml:11:12: where.Tier__c: has values of several types, but a field has one type; put numbers in quotes if the field is a text",
        ],
    ),
    Case(
        "conditions that are none",
        {"contact": CONTACT + "where:\n  A__c: {not: [A], blank: true}\n  B__c: []\n  C__c:\n  D__c: {nto: A}\n"},
        [
            "config/mappings/contact.yaml:8:9: where.A__c: must be one condition; write one of: a value, a list of values, {not: ...}, {blank: true}",
            "config/mappings/contact.yaml:9:9: where.B__c: is empty; write at least one entry",
            "config/mappings/contact.yaml:10:8: where.C__c: must be one condition; write one of: a value, a list of values, {not: ...}, {blank: true}",
            "config/mappings/contact.yaml:11:10: where.D__c.nto: unknown key; write not (or: is, blank)",
        ],
    ),
    Case(
        "two mappings of one object whose records may be the same",
        {
            "contact": CONTACT + "where: {Status__c: [A, B]}\n",
            "other": CONTACT + "where: {Status__c: [b, C], Vip__c: true}\n",
        },
        [
            "config/mappings/other.yaml:1:9: object: Contact is already mapped at config/mappings/contact.yaml:1:9; put both in one file, or give each a `where` so that no record matches both",
        ],
    ),
    Case(
        "two mappings of one object that both create a field, and send back and forth",
        {
            "contact": CONTACT.replace("Key__c", "{field: Key__c, from: Number__c}") + "where: {Status__c: A}\n",
            "other": SENDING.replace("Key__c", "{field: Key__c, from: Number__c}")
            + "  nps: {score: Title}\nwhere: {Status__c: {not: A}}\n",
        },
        [
            "config/mappings/other.yaml:3:18: user_id.field: Contact.Key__c is already generated for config/mappings/contact.yaml:3:18; choose another name, or generate it in one mapping only",
            "config/mappings/other.yaml:5:16: to_salesforce.nps.score: Title is sent to Appcues at config/mappings/contact.yaml:6:11, so Appcues must not write it; choose another field: a field can only have one direction",
        ],
    ),
    Case(
        "policies without a meaning",
        {
            "contact": CONTACT.replace("direction", "converted: park\ndirection"),
            "lead": CONTACT.replace("Contact", "Lead").replace(
                "direction", "delivery: connector\nseveral: newest\nconverted: park\ndirection"
            ),
        },
        [
            "config/mappings/contact.yaml:2:1: converted: has no effect for Contact: only leads are converted; remove it",
            "config/mappings/lead.yaml:3:1: several: has no effect with delivery: connector, which has its own lookup of records; remove it, or write delivery: relay",
            "config/mappings/lead.yaml:4:1: converted: has no effect with delivery: connector, which has its own lookup of records; remove it, or write delivery: relay",
        ],
    ),
    Case(
        "conditions that the connector would have to heed",
        {"contact": CONTACT.replace("direction", "delivery: connector\ndirection") + "where: {Status__c: A}\n"},
        [
            "config/mappings/contact.yaml:8:1: where: has no effect with delivery: connector, which sends all records; remove it, or write delivery: relay",
        ],
    ),
    Case(
        "replacing what is not this object's",
        {
            "contact": CONTACT
            + "replaces:\n  - WorkflowRule:Lead.Old\n  - Flow:Old\n  - WorkflowRule:contact.Old\n  - Flow:Old\n"
        },
        [
            "config/mappings/contact.yaml:8:5: replaces[0]: WorkflowRule:Lead.Old belongs to Lead, and this mapping to Contact; move it to the mapping of Lead, or remove it",
            "config/mappings/contact.yaml:11:5: replaces[3]: Flow:Old is listed twice; keep one of them",
        ],
    ),
    Case(
        "a viewer twice",
        {"settings": SETTINGS + "viewers: [sam@example.com, Sam@example.com]\n"},
        ["config/sfcode.yaml:5:28: viewers[1]: Sam@example.com is listed twice; keep one of them"],
    ),
    Case(
        "replacing what is no sender",
        {"contact": CONTACT + "replaces: [CustomField:Contact.A__c]\n"},
        [
            'config/mappings/contact.yaml:7:12: replaces[0]: "CustomField:Contact.A__c" is not the address of an outbound message, a workflow rule or a flow; write it like WorkflowOutboundMessage:Contact.Send_To_Appcues, WorkflowRule:Contact.Send_To_Appcues or Flow:Send',
        ],
    ),
    Case(
        "taking on what is no field and no permission set",
        {"settings": SETTINGS + "as_is: [Flow:X]\n"},
        [
            'config/sfcode.yaml:5:9: as_is[0]: "Flow:X" is not the address of a field or a permission set; write it like CustomField:Contact.User_Id__c or PermissionSet:Appcues_Access',
        ],
    ),
    Case(
        "taking something on twice, and a set that is another",
        {
            "settings": SETTINGS.replace("com}\nappcues", "com, permission_set: appcues_viewer}\nappcues")
            + "as_is: [PermissionSet:A, PermissionSet:A]\n"
        },
        [
            "config/sfcode.yaml:2:93: integration_user.permission_set: appcues_viewer is the permission set of viewers; set another one, or remove the key",
            "config/sfcode.yaml:5:26: as_is[1]: PermissionSet:A is listed twice; keep one of them",
        ],
    ),
    Case(
        "listed twice",
        {"contact": SENDING + "  activities: [nps_score, nps_score]\n  click_to_track: [A, B, A]\n"},
        [
            "config/mappings/contact.yaml:5:27: to_salesforce.activities[1]: nps_score is listed twice; keep one of them",
            "config/mappings/contact.yaml:6:26: to_salesforce.click_to_track[2]: A is listed twice; keep one of them",
        ],
    ),
    Case(
        "click-to-track names that are none",
        {"contact": SENDING + "  click_to_track: ['Appcues:flow_completed', '', ' A']\n"},
        [
            'config/mappings/contact.yaml:5:20: to_salesforce.click_to_track[0]: "Appcues:flow_completed" is an event of Appcues itself, not a click-to-track event; list its own events under activities, by their names without appcues:',
            'config/mappings/contact.yaml:5:46: to_salesforce.click_to_track[1]: "" is not the name of a click-to-track event; write its name as in Appcues, without spaces around it and without invisible characters',
            'config/mappings/contact.yaml:5:50: to_salesforce.click_to_track[2]: " A" is not the name of a click-to-track event; write its name as in Appcues, without spaces around it and without invisible characters',
        ],
    ),
    Case(
        "a trigger for the connector",
        {"contact": CONTACT + "  trigger: flow\n  on: [create]\ndelivery: connector\n"},
        [
            "config/mappings/contact.yaml:7:3: to_appcues.trigger: has no effect with delivery: connector, for which sfcode generates no message or flow; remove it, or write delivery: relay",
            "config/mappings/contact.yaml:8:3: to_appcues.on: has no effect with delivery: connector, for which sfcode generates no message or flow; remove it, or write delivery: relay",
        ],
    ),
    Case(
        "two mappings over one object",
        {"contact": CONTACT, "person": CONTACT.replace("Contact", "contact")},
        [
            "config/mappings/person.yaml:1:9: object: contact is already mapped at config/mappings/contact.yaml:1:9; put both in one file, or give each a `where` so that no record matches both",
        ],
    ),
    Case(
        "two mappings that generate one field",
        {
            "contact": CONTACT.replace("Key__c", "{field: Id__c, from: N__c}"),
            "company": CONTACT.replace("Key__c", "{field: id__c, from: M__c}\nmatch: group"),
        },
        [
            "config/mappings/contact.yaml:3:18: user_id.field: Contact.Id__c is already generated for config/mappings/company.yaml:3:18; choose another name, or generate it in one mapping only",
        ],
    ),
    Case(
        "a field in both directions, in two mappings",
        {
            "contact": CONTACT,
            "group": SENDING.replace("direction", "match: group\ndirection") + "  nps: {score: Title}\n",
        },
        [
            "config/mappings/group.yaml:6:16: to_salesforce.nps.score: Title is sent to Appcues at config/mappings/contact.yaml:6:11, so Appcues must not write it; choose another field: a field can only have one direction",
        ],
    ),
    Case(
        "file names that differ in case",
        {"Contact": CONTACT.replace("Contact", "Lead")},
        [
            "config/mappings/contact.yaml:1:1: this file's name differs from config/mappings/Contact.yaml only in case, and Salesforce ignores case; rename one of them",
        ],
    ),
    Case(
        "attributes spelled differently in two mappings",
        {"lead": CONTACT.replace("Contact", "Lead").replace("role", "Role")},
        [
            "config/mappings/lead.yaml:6:5: to_appcues.attributes.Role: Role is spelled role at config/mappings/contact.yaml:6:5, and would be another attribute in Appcues; write role",
        ],
    ),
    Case(
        "an API version before entry formulas",
        {"settings": SETTINGS + "salesforce: {api_version: '54.0'}\n"},
        [
            'config/sfcode.yaml:5:27: salesforce.api_version: "54.0" is too old: flows have entry formulas since 55.0; write "63.0"',
        ],
    ),
    Case(
        "an API version of another form",
        {"settings": SETTINGS + "salesforce: {api_version: '63'}\n"},
        [
            'config/sfcode.yaml:5:27: salesforce.api_version: "63" is not an API version; write it like "63.0"',
        ],
    ),
    Case(
        "a username that is no e-mail address",
        {"settings": SETTINGS.replace("appcues@example.com", "appcues").replace("admin@example.com", "''")},
        [
            'config/sfcode.yaml:2:30: integration_user.username: "appcues" does not look like an e-mail address; write it like name@example.com',
            'config/sfcode.yaml:2:46: integration_user.email: "" does not look like an e-mail address; write it like name@example.com',
        ],
    ),
    Case(
        "a secret as a username",
        {"settings": SETTINGS.replace("appcues@example.com", '"${secret:NAME}@example.com"')},
        [
            'config/sfcode.yaml:2:30: integration_user.username: "${secret:NAME}@example.com" does not look like an e-mail address; write it like name@example.com',
        ],
    ),
    Case(
        "the label of a permission set license",
        {"settings": SETTINGS.replace("email:", "permission_set_license: Salesforce API Integration, email:")},
        [
            'config/sfcode.yaml:2:75: integration_user.permission_set_license: "Salesforce API Integration" is not the developer name of a permission set license; write SalesforceAPIIntegrationPsl, or the DeveloperName that the org shows',
        ],
    ),
    Case(
        "documented access with narrow record access",
        {"settings": SETTINGS.replace("email:", "access: documented, record_access: sharing, email:")},
        [
            "config/sfcode.yaml:2:86: integration_user.record_access: sharing cannot be combined with access: documented, which includes Modify All; write modify_all or remove the key, or choose access: least_privilege",
        ],
    ),
    Case(
        "a sign-in that is not complete, or of two ways",
        {"settings": SETTINGS.replace("relay: {", "relay: {sign_in: {flow: jwt}, ")},
        [
            "config/sfcode.yaml:4:9: relay.sign_in.certificate: missing: flow jwt needs the certificate of the relay's key; add the key certificate, with the PEM text below it",
        ],
    ),
    Case(
        "a private key where a certificate belongs is not shown",
        {
            "settings": SETTINGS.replace(
                "relay: {", 'relay: {sign_in: {flow: client_credentials, certificate: "-----BEGIN PRIVATE KEY-----"}, '
            )
        },
        [
            "config/sfcode.yaml:4:58: relay.sign_in.certificate: contains a private key, which must not be in a file of the project; create one with: openssl req -x509 -newkey rsa:2048 -nodes -keyout relay.key -out relay.crt -days 365; then paste relay.crt here",
        ],
    ),
    Case(
        "a certificate that nothing uses",
        {
            "settings": SETTINGS.replace(
                "relay: {",
                'relay: {sign_in: {flow: client_credentials, certificate: "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----"}, ',
            )
        },
        [
            "config/sfcode.yaml:4:45: relay.sign_in.certificate: has no effect with flow client_credentials; remove it, or write flow: jwt",
        ],
    ),
    Case(
        "receivers of alarms without what they need",
        {
            "settings": SETTINGS.replace(
                "relay: {",
                "relay: {notify: [{form: standard_webhooks, url_variable: A}, {form: slack, url_variable: B, secret_variable: C},"
                " {form: slack, url_variable: B}, {form: slack, url_variable: D, alarms: [bad_valu]}], ",
            )
        },
        [
            "config/sfcode.yaml:4:18: relay.notify[0].secret_variable: missing: form standard_webhooks needs a secret to sign with; add the name of its variable, such as secret_variable: SFCODE_NOTIFY_SECRET",
            "config/sfcode.yaml:4:93: relay.notify[1].secret_variable: has no effect with form slack; remove it, or write form: standard_webhooks",
            "config/sfcode.yaml:4:142: relay.notify[2].url_variable: B is the URL of relay.notify[1] already; list the alarms of both in one entry",
            (
                'config/sfcode.yaml:4:186: relay.notify[3].alarms[0]: unknown value "bad_valu"; write bad_value (or: '
                f"{', '.join(name for name in get_args(AlarmName) if name != 'bad_value')})"
            ),
        ],
    ),
    Case(
        "hmac without a header",
        {"settings": SETTINGS.replace("relay: {", "relay: {webhook_auth: {scheme: hmac, encoding: hex}, ")},
        [
            "config/sfcode.yaml:4:9: relay.webhook_auth.header: missing: scheme hmac needs the name of a header; add the header that Appcues sends, such as header: X-Token",
        ],
    ),
    Case(
        "a header where none is used",
        {"settings": SETTINGS.replace("relay: {", "relay: {webhook_auth: {header: X-A, algorithm: sha1}, ")},
        [
            "config/sfcode.yaml:4:24: relay.webhook_auth.header: has no effect with scheme path; remove it, or write scheme: header or hmac",
            "config/sfcode.yaml:4:37: relay.webhook_auth.algorithm: has no effect with scheme path; remove it, or write scheme: hmac",
        ],
    ),
    Case(
        "not a header",
        {"settings": SETTINGS.replace("relay: {", "relay: {webhook_auth: {header: X A, scheme: header}, ")},
        [
            'config/sfcode.yaml:4:32: relay.webhook_auth.header: "X A" is not the name of an HTTP header; write it like X-Appcues-Signature',
        ],
    ),
    Case(
        "no sign-in beyond this machine",
        {"settings": SETTINGS.replace("relay: {", "relay: {webhook_auth: {scheme: none}, ")},
        [
            "config/sfcode.yaml:4:32: relay.webhook_auth.scheme: `none` lets anyone who can reach relay.example.com send events; write another scheme: none is only possible for a relay on this machine",
        ],
    ),
    Case(
        "parts of a signature that do not go together",
        {
            "settings": SETTINGS.replace(
                "relay: {",
                'relay: {webhook_auth: {scheme: hmac, header: X-A, signed: "{time}.x", timestamp_header: X-T}, ',
            )
        },
        [
            "config/sfcode.yaml:4:59: relay.webhook_auth.signed: {time} is not a placeholder; write {body}, {timestamp} and {id} only",
            "config/sfcode.yaml:4:59: relay.webhook_auth.signed: does not contain the body, which could then be changed; add {body}",
            'config/sfcode.yaml:4:89: relay.webhook_auth.timestamp_header: is not signed, so that an old message could be sent again with another one; add what the sender signs, such as signed: "{timestamp}.{body}", or leave the header out',
        ],
    ),
    Case(
        "a time that is signed but nowhere",
        {
            "settings": SETTINGS.replace(
                "relay: {",
                'relay: {webhook_auth: {scheme: hmac, header: X-A, signed: "{timestamp}.{body}", tolerance: 60}, ',
            )
        },
        [
            "config/sfcode.yaml:4:59: relay.webhook_auth.signed: contains {timestamp}, but timestamp_header is not set; add timestamp_header, or remove {timestamp}",
            "config/sfcode.yaml:4:81: relay.webhook_auth.tolerance: has no effect without timestamp_header; remove it, or add timestamp_header",
        ],
    ),
    Case(
        "keys of a signature without one",
        {
            "settings": SETTINGS.replace(
                "relay: {", "relay: {webhook_auth: {scheme: standard_webhooks, prefix: v1=, tolerance: 60, signed: x}, "
            )
        },
        [
            "config/sfcode.yaml:4:51: relay.webhook_auth.prefix: has no effect with scheme standard_webhooks; remove it, or write scheme: hmac",
            "config/sfcode.yaml:4:79: relay.webhook_auth.signed: has no effect with scheme standard_webhooks; remove it, or write scheme: hmac",
        ],
    ),
    Case(
        "values out of bounds",
        {"settings": SETTINGS.replace("relay: {", "relay: {webhook_auth: {scheme: standard_webhooks, tolerance: 0}, ")},
        [
            "config/sfcode.yaml:4:62: relay.webhook_auth.tolerance: the number 0 is less than 1; write at least 1",
        ],
    ),
    Case(
        "not a number",
        {
            "settings": SETTINGS.replace(
                "relay: {", "relay: {webhook_auth: {scheme: standard_webhooks, tolerance: long}, "
            )
        },
        [
            'config/sfcode.yaml:4:62: relay.webhook_auth.tolerance: expected a whole number, found "long"; write a whole number',
        ],
    ),
    Case(
        "an ID in two places",
        {"settings": SETTINGS.replace("relay: {", "relay: {message_id: {header: X-Id, path: id}, ")},
        [
            "config/sfcode.yaml:4:9: relay.message_id: cannot be in two places; set one of them: header or path",
        ],
    ),
    Case(
        "an ID in no place",
        {"settings": SETTINGS.replace("relay: {", "relay: {message_id: {}, ")},
        [
            "config/sfcode.yaml:4:9: relay.message_id: needs either header or path; set one of them: header or path",
        ],
    ),
    Case(
        "an ID that the signature does not cover",
        {
            "settings": SETTINGS.replace(
                "relay: {", "relay: {webhook_auth: {scheme: hmac, header: X-Sig}, message_id: {header: X-Id}, "
            )
        },
        [
            'config/sfcode.yaml:4:75: relay.message_id.header: is not signed, so that a signed message could be repeated under another ID; add what the sender signs, such as webhook_auth.signed: "{id}.{body}", or name the ID in the event with path',
        ],
    ),
    Case(
        "another ID than the signed one",
        {
            "settings": SETTINGS.replace(
                "relay: {", "relay: {webhook_auth: {scheme: standard_webhooks}, message_id: {header: X-Id}, "
            )
        },
        [
            "config/sfcode.yaml:4:73: relay.message_id.header: is not signed, so that a signed message could be repeated under another ID; leave message_id out: webhook-id is signed; or name the ID in the event with path",
        ],
    ),
    Case(
        "a signed ID that is nowhere",
        {
            "settings": SETTINGS.replace(
                "relay: {", 'relay: {webhook_auth: {scheme: hmac, header: X-Sig, signed: "{id}.{body}"}, '
            )
        },
        [
            "config/sfcode.yaml:4:61: relay.webhook_auth.signed: contains {id}, but relay.message_id has no header; add message_id: {header: NAME}, or remove {id}",
        ],
    ),
    Case(
        "an ID at no path",
        {"settings": SETTINGS.replace("relay: {", "relay: {message_id: {path: a..b}, ")},
        [
            'config/sfcode.yaml:4:28: relay.message_id.path: "a..b" is not the path of a value in an event; write its keys with dots between them, like attributes.id',
        ],
    ),
    Case(
        "an ID of webhooks in two places",
        {
            "settings": SETTINGS.replace("relay: {", "relay: {message_id: {header: X-Id}, ").replace(
                "appcues: {", "appcues: {webhook: {id: event_id}, "
            )
        },
        [
            "config/sfcode.yaml:3:21: appcues.webhook.id: is already set in relay.message_id; keep one of them",
        ],
    ),
    Case(
        "paths of webhooks that lead nowhere",
        {
            "settings": SETTINGS.replace(
                "appcues: {", "appcues: {webhook: {name: a..b, user_id: [x, .y], group_id: [], timestamp: 7, ids: x}, "
            )
        },
        [
            'config/sfcode.yaml:3:27: appcues.webhook.name: "a..b" is not the path of a value in a webhook; write its keys with dots between them, like properties.user.id',
            'config/sfcode.yaml:3:46: appcues.webhook.user_id[1]: ".y" is not the path of a value in a webhook; write its keys with dots between them, like properties.user.id',
            "config/sfcode.yaml:3:61: appcues.webhook.group_id: is empty; write at least one entry",
            'config/sfcode.yaml:3:76: appcues.webhook.timestamp: expected text, found the number 7; put it in quotes: "7"',
            "config/sfcode.yaml:3:79: appcues.webhook.ids: unknown key; write id (or: events, name, user_id, group_id, timestamp, attributes)",
        ],
    ),
    Case(
        "networks that are none",
        {"settings": SETTINGS.replace("relay: {", "relay: {trusted_proxies: [10.0.0.1/8, example.com], ")},
        [
            'config/sfcode.yaml:4:27: relay.trusted_proxies[0]: "10.0.0.1/8" is not a network; write 10.0.0.0/8, the network of this address',
            'config/sfcode.yaml:4:39: relay.trusted_proxies[1]: "example.com" is not a network; write an address or a network, like 203.0.113.7 or 10.0.0.0/8',
        ],
    ),
    Case(
        "a certificate that nobody vouches for",
        {
            "settings": SETTINGS.replace(
                "relay: {",
                'relay: {outbound: {networks: [2001:db8::/32], client_certificate: {header: X-Cert, value: " x"}}, ',
            )
        },
        [
            'config/sfcode.yaml:4:91: relay.outbound.client_certificate.value: " x" cannot be part of an HTTP header; use ASCII letters, digits and punctuation, without spaces around it',
        ],
    ),
    Case(
        "a certificate and no proxy",
        {
            "settings": SETTINGS.replace(
                "relay: {", "relay: {outbound: {client_certificate: {header: X-Cert, value: SUCCESS}}, "
            )
        },
        [
            "config/sfcode.yaml:4:20: relay.outbound.client_certificate: is ignored, since relay.trusted_proxies lists no proxy; list the networks of the proxy that checks the certificate",
        ],
    ),
    Case(
        "a secret's value in the file",
        {"settings": SETTINGS.replace("relay: {", "relay: {outbound_secret: hunter2, ")},
        [
            "config/sfcode.yaml:4:26: relay.outbound_secret: is not the name of a secret; write ${secret:NAME}; put the value into the environment variable NAME, and into no file",
        ],
    ),
    Case(
        "not an org",
        {"settings": SETTINGS + "environments: {a: {org: prod}, 'b c': {org: 'http://example.com'}}\n"},
        [
            'config/sfcode.yaml:5:25: environments.a.org: "prod" is not an org; write local, alias:NAME (signed in with the sf CLI), env:PREFIX (environment variables) or an https:// URL',
            'config/sfcode.yaml:5:32: environments."b c": "b c" is not a valid name of an environment; use letters, digits, - and _, beginning with a letter',
            'config/sfcode.yaml:5:45: environments."b c".org: "http://example.com" is not an org; write local, alias:NAME (signed in with the sf CLI), env:PREFIX (environment variables) or an https:// URL',
        ],
        environment="a",
    ),
    Case(
        "an address with a password",
        {"settings": SETTINGS.replace("https://", "https://u:hunter2@")},
        [
            "config/sfcode.yaml:4:14: relay.url: the address must not contain a user or password; remove them; secrets are set with relay.outbound_secret",
        ],
    ),
    Case(
        "an address with a query",
        {"settings": SETTINGS.replace("com}", "com?key=hunter2}")},
        [
            "config/sfcode.yaml:4:14: relay.url: the address must end with its path; remove everything from ? or # on",
        ],
    ),
    Case(
        "an address without https",
        {"settings": SETTINGS.replace("https:", "http:")},
        [
            'config/sfcode.yaml:4:14: relay.url: "http://relay.example.com" must begin with https; http is only possible for this machine (localhost)',
        ],
    ),
    Case(
        "a port that Salesforce does not send to",
        {"settings": SETTINGS.replace("com}", "com:900}")},
        [
            'config/sfcode.yaml:4:14: relay.url: "https://relay.example.com:900" uses port 900, which Salesforce does not send to; use one of the ports 80, 443 and 1024 to 65535',
        ],
    ),
    Case(
        "another kind of address",
        {"settings": SETTINGS.replace("https:", "ftp:")},
        [
            'config/sfcode.yaml:4:14: relay.url: "ftp://relay.example.com" is not an http address; write it like https://relay.example.com',
        ],
    ),
    Case(
        "no address",
        {"settings": SETTINGS.replace("relay.example.com", "[::1")},
        [
            "config/sfcode.yaml:4:22: not valid YAML: did not find expected ',' or '}'; inside { } and [ ], put values that hold ${...} in quotes and check the commas",
        ],
    ),
    Case(
        "an address with a secret",
        {"settings": SETTINGS.replace("https://relay.example.com", "'https://relay.example.com/${secret:X}'")},
        [
            'config/sfcode.yaml:4:14: relay.url: "https://relay.example.com/${secret:X}" must not contain a secret; the URL is public; its secret part is relay.outbound_secret',
        ],
    ),
]


@parametrize_cases(CASES)
def test_an_invalid_combination_is_refused_at_its_position(case: Case, folder: Folder) -> None:
    case.check(folder)
