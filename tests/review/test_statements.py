"""The statements of a review, with their risks, for every kind of change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from tests.review.projects import CONTACT, FILES, LEAD, SHORT, Edit, Files, edited, list_texts, reviewed

EVENTS = """\
version: 1
activities:
  flow_completed:
    subject: "Done: {{ flowName }}"
    comment: "User completed your Appcues flow titled “{{ flowName }}”."
"""
RELAY_URL = "url: https://relay.example.com"
PROTECTED: Edit = ("settings", "org: env:PROD", "org: env:PROD\n    protected: true")


@dataclass(frozen=True)
class Case:
    """A change, and all expected statements about it."""

    title: str
    sides: tuple[Files | None, Files]
    lines: list[str]


def change(*edits: Edit) -> tuple[Files, Files]:
    return FILES, edited(FILES, *edits)


def without(name: str) -> Files:
    return {path: text for path, text in FILES.items() if path != SHORT[name]}


TAKEN_ON = ("CustomField:Contact.Appcues_User_Id__c", "PermissionSet:Appcues_Integration")

CASES = [
    Case(
        "one more field is sent",
        change(("contact", "    role: Title\n", "    role: Title\n    dept: Department\n")),
        [
            "medium: Contact.Department will be sent to Appcues as `dept`",
            "low: The integration user may read Contact.Department",
        ],
    ),
    Case(
        "the project says that it had another name, and keeps no feedback",
        change(
            ("settings", "version: 1\n", "version: 1\nmoved: {name: Guides}\n"),
            (
                "settings",
                "url: https://relay.example.com",
                "url: https://relay.example.com\n  redact_feedback: true",
            ),
        ),
        [
            "low: The relay will remove feedback texts from its database once they are delivered",
            "low: What has the project's previous name `Guides` will be renamed",
        ],
    ),
    Case(
        "the relay works on a schedule",
        (
            edited(FILES, ("settings", RELAY_URL, f"{RELAY_URL}\n  schedule: {{reconcile_hours: 6}}")),
            edited(
                FILES, ("settings", RELAY_URL, f"{RELAY_URL}\n  schedule: {{reconcile_hours: 2, refresh_hours: 24}}")
            ),
        ),
        [
            "low: The relay will look for changes for which Salesforce sent no message every `2` hours instead of every `6` hours",
            "low: The relay will compare all records with the data in Appcues every `24` hours",
        ],
    ),
    Case(
        "the relay compares records no more",
        (
            edited(FILES, ("settings", RELAY_URL, f"{RELAY_URL}\n  schedule: {{refresh_hours: 6}}")),
            FILES,
        ),
        ["low: The relay will compare all records with the data in Appcues no more"],
    ),
    Case(
        "somebody is notified of alarms, and requests to the org have a budget",
        change(
            (
                "settings",
                RELAY_URL,
                (
                    f"{RELAY_URL}\n  api_calls_per_day: 20000\n  notify: [{{form: standard_webhooks, url_variable: ALERTS, "
                    "secret_variable: SIGNS, alarms: [salesforce_quota]}, {form: slack, url_variable: CHAT, repeat_hours: 4}]"
                ),
            )
        ),
        [
            (
                "medium: The relay will notify the address in `ALERTS` (standard_webhooks, signed with `SIGNS`, "
                "`salesforce_quota`, again after 24 hours) and the address in `CHAT` (slack, all alarms, again after 4 hours) of "
                "its alarms instead of nobody"
            ),
            (
                "medium: The relay will make at most 20,000 requests to the org in 24 hours instead of any number of "
                "requests to the org"
            ),
        ],
    ),
    Case(
        "the relay's writes run lead assignment rules",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                "url: https://relay.example.com\n  run_assignment_rules: true\n  allow_duplicates: false",
            )
        ),
        [
            "medium: The relay will not update records that a duplicate rule alerts about: those answers are parked",
            "medium: The relay's writes will run lead assignment rules",
        ],
    ),
    Case(
        "personal data is sent",
        change(("contact", "    role: Title\n", "    role: Title\n    email: Email\n")),
        [
            "high: Contact.Email will be sent to Appcues as `email`",
            "low: The integration user may read Contact.Email",
        ],
    ),
    Case(
        "values of a field are translated, and others than before",
        change(
            ("contact", "role: Title", "role: {field: Title, map: {CTO: tech, true: x}, default: other}"),
            ("contact", "plan: Plan__c", "plan: {field: Plan__c, map: {Gold: true}}"),
        ),
        [
            "medium: `role` of Contacts will be sent with other values: `CTO` as `tech` instead of itself, `true` as `x` instead of itself and others as `other` instead of as they are",
            "medium: `plan` of Contacts will be sent with other values: `Gold` as `true` instead of itself and others as no value instead of as they are",
        ],
    ),
    Case(
        "fewer and other flows become activities",
        change(
            (
                "contact",
                "[nps_score, flow_completed]",
                "[nps_score, flow_completed: {flow: [Tour, Webinar]}, goal_reached: {goal: [Live]}]",
            )
        ),
        [
            "medium: Completed flows of the flow `Tour` or `Webinar` will be written to Contacts, instead of completed flows",
            "medium: Reached goals of the goal `Live` will be written to Contacts as Events",
        ],
    ),
    Case(
        "other records take part",
        change(
            ("lead", "object: Lead\n", "object: Lead\nwhere: {Status: {not: [Open, Closed]}, IsConverted: false}\n")
        ),
        [
            "medium: Of Leads, those whose `Status is not Open or Closed` and `IsConverted is false` will take part instead of all",
        ],
    ),
    Case(
        "a field is no longer sent",
        change(("contact", "    plan: Plan__c\n", "")),
        [
            "low: Contact.Plan__c will no longer be sent to Appcues, where `plan` will stay as last sent",
            "low: The integration user may no longer read Contact.Plan__c",
        ],
    ),
    Case(
        "an attribute comes from another field",
        change(("lead", "plan: Plan__c", "plan: Tier__c")),
        [
            "medium: `plan` will come from Lead.Tier__c instead of Lead.Plan__c",
            "low: The integration user may read Lead.Tier__c",
            "low: The integration user may no longer read Lead.Plan__c",
        ],
    ),
    Case(
        "a field is sent under another name",
        change(("contact", "plan: Plan__c", "tier: Plan__c")),
        [
            "medium: Contact.Plan__c will be sent to Appcues as `tier` instead of `plan`",
        ],
    ),
    Case(
        "an attribute gets a type",
        change(("contact", "plan: Plan__c", "plan: {field: Plan__c, type: number}")),
        [
            "low: `plan` of Contacts will be sent as a number instead of what fits the field",
        ],
    ),
    Case(
        "a mapping only receives",
        change(
            ("contact", "object: Contact\n", "object: Contact\ndirection: to_salesforce\n"),
            ("contact", "to_appcues:\n  attributes:\n    role: Title\n    plan: Plan__c\n", ""),
        ),
        [
            "low: Contacts will no longer be sent to Appcues, where `role` and `plan` will stay as last sent",
            "low: The integration user may no longer read Contact.Plan__c and Contact.Title",
            "low: Contacts will be synced from Appcues only instead of both ways",
        ],
    ),
    Case(
        "a mapping only sends",
        change(
            ("lead", "object: Lead\n", "object: Lead\ndirection: to_appcues\n"),
            ("lead", LEAD[LEAD.index("to_salesforce") :], ""),
        ),
        [
            "high: The field Lead.Appcues_NPS_Score__c will be deleted, with all values in it",
            "low: No data of Appcues will be written to Leads any more",
            "low: The integration user loses Edit on Lead",
            "low: The integration user may no longer read Lead.Appcues_NPS_Score__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Lead.Appcues_NPS_Score__c",
            "low: Leads will be synced to Appcues only instead of both ways",
        ],
    ),
    Case(
        "a mapping is removed",
        (FILES, without("lead")),
        [
            "high: Leads will no longer be synced: 4 components will be deleted, field Lead.Appcues_NPS_Score__c with its values among them",
            "low: The integration user loses Read and Edit on Lead",
            "low: The integration user may no longer read Lead.Appcues_NPS_Score__c, Lead.Appcues_User_Id__c, Lead.Plan__c and Lead.Product_User_Id__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Lead.Appcues_NPS_Score__c and Lead.Appcues_User_Id__c",
        ],
    ),
    Case(
        "a mapping is added",
        (without("lead"), FILES),
        [
            "medium: Leads will be synced with Appcues, both ways, by the relay: 4 components will be created",
            "medium: Lead.Plan__c will be sent to Appcues as `plan`",
            "medium: NPS scores will be written to Lead.Appcues_NPS_Score__c, a field that sfcode creates",
            "medium: The integration user gains Read and Edit on Lead",
            "medium: The integration user may read and change Lead.Appcues_NPS_Score__c",
            "low: The integration user may read Lead.Appcues_User_Id__c, Lead.Plan__c and Lead.Product_User_Id__c",
            "low: People with the permission set `Appcues_Viewer` can see Lead.Appcues_NPS_Score__c and Lead.Appcues_User_Id__c",
        ],
    ),
    Case(
        "a mapping's file is written in another case",
        (FILES, {**without("contact"), "config/mappings/Contact.yaml": CONTACT}),
        [
            "low: The mapping `contact` is renamed to `Contact`, which is the same name to Salesforce: its components are updated in place",
        ],
    ),
    Case(
        "a created field is written in another case",
        change(("contact", "Appcues_NPS_Score__c", "Appcues_Nps_Score__c")),
        ["medium: `CustomField:Contact.Appcues_Nps_Score__c` changes: `label`"],
    ),
    Case(
        "a mapping's file is renamed",
        (FILES, {**without("contact"), "config/mappings/people.yaml": CONTACT}),
        [
            "medium: The mapping `contact` is renamed to `people`: its outbound message and flow `Appcues_contact` will be deleted and created as `Appcues_people`, and Salesforce will send to another URL of the relay",
        ],
    ),
    Case(
        "records are groups instead of users",
        change(("contact", "object: Contact\n", "object: Contact\nmatch: group\n")),
        [
            "high: Contacts will be matched with Appcues groups instead of users",
        ],
    ),
    Case(
        "another field is the user ID",
        change(("contact", "field: Appcues_User_Id__c, from: Product_User_Id__c", "field: Other_Id__c")),
        [
            "high: Contacts will be matched with Appcues users by Contact.Other_Id__c instead of Contact.Appcues_User_Id__c",
            "high: The user ID Contact.Other_Id__c will be a field that exists already; sfcode no longer makes it from Contact.Product_User_Id__c",
            "low: The formula field Contact.Appcues_User_Id__c will be deleted; it holds no values",
            "low: The integration user may read Contact.Other_Id__c",
            "low: The integration user may no longer read Contact.Appcues_User_Id__c and Contact.Product_User_Id__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Contact.Appcues_User_Id__c",
        ],
    ),
    Case(
        "the user ID is made from another field",
        change(("contact", "from: Product_User_Id__c", "from: Number__c")),
        [
            "high: The user ID Contact.Appcues_User_Id__c will be made from Contact.Number__c instead of Contact.Product_User_Id__c",
            "low: The integration user may read Contact.Number__c",
            "low: The integration user may no longer read Contact.Product_User_Id__c",
        ],
    ),
    Case(
        "NPS scores are not kept",
        change(("contact", "  nps:\n    score: {field: Appcues_NPS_Score__c, create: true}\n", "")),
        [
            "high: The field Contact.Appcues_NPS_Score__c will be deleted, with all values in it",
            "low: NPS scores will no longer be written to Contact.Appcues_NPS_Score__c",
            "low: The integration user loses Edit on Contact",
            "low: The integration user may no longer read Contact.Appcues_NPS_Score__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Contact.Appcues_NPS_Score__c",
        ],
    ),
    Case(
        "NPS feedback is kept",
        change(("contact", "create: true}\n", "create: true}\n    feedback: {field: Said__c, create: true}\n")),
        [
            "medium: NPS feedback will be written to Contact.Said__c, a field that sfcode creates",
            "medium: The integration user may read and change Contact.Said__c",
            "low: People with the permission set `Appcues_Viewer` can see Contact.Said__c",
        ],
    ),
    Case(
        "NPS scores go to another field",
        change(("contact", "field: Appcues_NPS_Score__c", "field: Score__c")),
        [
            "high: The field Contact.Appcues_NPS_Score__c will be deleted, with all values in it",
            "medium: NPS scores will be written to Contact.Score__c instead of Contact.Appcues_NPS_Score__c",
            "medium: The integration user may read and change Contact.Score__c",
            "low: The integration user may no longer read Contact.Appcues_NPS_Score__c",
            "low: People with the permission set `Appcues_Viewer` can see Contact.Score__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Contact.Appcues_NPS_Score__c",
        ],
    ),
    Case(
        "an NPS field is not created any more",
        change(("contact", ", create: true", "")),
        [
            "medium: Contact.Appcues_NPS_Score__c, which NPS scores are written to, will be an existing field",
            "low: People with the permission set `Appcues_Viewer` no longer see Contact.Appcues_NPS_Score__c",
            "low: `CustomField:Contact.Appcues_NPS_Score__c` will no longer be managed, and stays in the org as it is",
        ],
    ),
    Case(
        "one more activity",
        change(("contact", "nps_score, flow", "nps_score, goal_reached, flow")),
        [
            "medium: Reached goals will be written to Contacts as Events",
        ],
    ),
    Case(
        "one activity less",
        change(("contact", "nps_score, flow_completed", "nps_score")),
        [
            "low: Completed flows will no longer be written to Contacts",
        ],
    ),
    Case(
        "one more click-to-track event",
        change(("contact", "[Clicked Upgrade]", "[Clicked Upgrade, Clicked Help]")),
        [
            "medium: The click-to-track event `Clicked Help` will be written to Contacts as an Event",
        ],
    ),
    Case(
        "only new records are sent",
        change(("contact", "to_appcues:\n", "to_appcues:\n  on: [create]\n")),
        [
            "medium: Contacts will be sent when they are created, instead of when they are created or changed",
        ],
    ),
    Case(
        "a workflow rule sends",
        change(("contact", "to_appcues:\n", "to_appcues:\n  trigger: workflow_rule\n")),
        [
            "medium: Changes of Contacts will be sent by a workflow rule instead of a flow",
        ],
    ),
    Case(
        "the connector delivers",
        change(("contact", "object: Contact\n", "object: Contact\ndelivery: connector\n")),
        [
            "high: The field Activity.Appcues_Event_Id__c will be deleted, with all values in it",
            "medium: Appcues' own connector will carry the data of Contacts instead of the relay: the outbound message and the flow that fires it will be deleted",
            "low: The integration user may no longer read Event.Appcues_Event_Id__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Event.Appcues_Event_Id__c",
        ],
    ),
    Case(
        "all records for writing",
        change(("settings", "  email:", "  record_access: modify_all\n  email:")),
        [
            "high: The integration user gains Modify All on Contact, which brings Delete and View All",
            "high: The integration user gains Modify All on Lead, which brings Delete and View All",
            "medium: The integration user reaches all records for reading and writing, instead of the records that are shared with it",
        ],
    ),
    Case(
        "all records for reading",
        change(("settings", "  email:", "  record_access: view_all\n  email:")),
        [
            "high: The integration user gains View All on Contact",
            "high: The integration user gains View All on Lead",
            "medium: The integration user reaches all records for reading, instead of the records that are shared with it",
        ],
    ),
    Case(
        "the rights of the help page",
        change(("settings", "  email:", "  access: documented\n  email:")),
        [
            "high: The integration user gains Create and Modify All on Contact, which brings Delete and View All",
            "high: The integration user gains Create and Modify All on Lead, which brings Delete and View All",
            "medium: The integration user gets the access on Appcues' help page, instead of the least access that the mappings need",
            "medium: The integration user may read and change Event.IsAllDayEvent, Event.Location, Event.Type and Event.WhatId",
        ],
    ),
    Case(
        "another integration user",
        change(("settings", "appcues@example.com", "other@example.com")),
        [
            "medium: The integration user will be `other@example.com` instead of `appcues@example.com`: a new user is created, and the old one, where it has the same profile, is deactivated",
        ],
    ),
    Case(
        "another address for its mail",
        change(("settings", "admin@example.com", "boss@example.com")),
        [
            "low: Mail about the integration user will go to `boss@example.com` instead of `admin@example.com`",
        ],
    ),
    Case(
        "another last name",
        change(("settings", "  email:", "  last_name: Robot\n  email:")),
        [
            "low: The integration user's last name will be `Robot` instead of `Appcues Integration`",
        ],
    ),
    Case(
        "another profile",
        change(("settings", "  email:", "  profile: Other\n  email:")),
        [
            "high: The integration user's profile will be `Other` instead of `Minimum Access - API Only Integrations`",
        ],
    ),
    Case(
        "another license",
        change(("settings", "  email:", "  license: Salesforce\n  email:")),
        [
            "high: The integration user's license will be `Salesforce` instead of `Salesforce Integration`",
        ],
    ),
    Case(
        "a profile that is for the API alone again",
        (edited(FILES, ("settings", "  email:", "  profile: Other\n  email:")), FILES),
        [
            "medium: The integration user's profile will be `Minimum Access - API Only Integrations` instead of `Other`",
        ],
    ),
    Case(
        "rights from elsewhere that are accepted, and others that are no longer",
        (
            edited(FILES, ("settings", "  email:", "  accepted_rights: [PermissionSet:A, PermissionSet:B]\n  email:")),
            edited(FILES, ("settings", "  email:", "  accepted_rights: [PermissionSet:B, Profile:C]\n  email:")),
        ),
        [
            "high: What `Profile:C` grants to the integration user is accepted",
            "low: What `PermissionSet:A` grants to the integration user is no longer accepted",
        ],
    ),
    Case(
        "people come to see the fields, and others no longer",
        (
            edited(FILES, ("settings", "version: 1\n", "version: 1\nviewers: [a@example.com, b@example.com]\n")),
            edited(FILES, ("settings", "version: 1\n", "version: 1\nviewers: [b@example.com, c@example.com]\n")),
        ),
        [
            "low: `c@example.com` will get the permission set `Appcues_Viewer`",
            "low: `a@example.com` will lose the permission set `Appcues_Viewer`",
        ],
    ),
    Case(
        "another permission set license",
        change(("settings", "  email:", "  permission_set_license: OtherPsl\n  email:")),
        [
            "medium: The integration user's permission set license will be `OtherPsl` instead of `SalesforceAPIIntegrationPsl`",
        ],
    ),
    Case(
        "another relay",
        change(("settings", "https://relay.example.com", "https://new.example.com")),
        [
            "high: Salesforce will send its messages to `https://new.example.com` instead of `https://relay.example.com`",
        ],
    ),
    Case(
        "another secret",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                "url: https://relay.example.com\n  outbound_secret: ${secret:NEW}",
            )
        ),
        [
            "medium: The address that Salesforce sends to will hold the secret `${secret:NEW}` instead of `${secret:SFCODE_RELAY_OUTBOUND_SECRET}`",
        ],
    ),
    Case(
        "webhooks are signed",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                "url: https://relay.example.com\n  webhook_auth: {scheme: hmac, header: X-Sig}",
            )
        ),
        [
            "medium: The relay will authenticate Appcues' webhooks by a signature in the header `X-Sig` (sha256, hex) instead of a token in the address",
        ],
    ),
    Case(
        "webhooks are signed with the time",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                (
                    "url: https://relay.example.com\n  webhook_auth:\n    {scheme: hmac, header: X-Sig, prefix: v1=, timestamp_header: X-Time, "
                    'signed: "{timestamp}.{body}"}'
                ),
            )
        ),
        [
            "medium: The relay will authenticate Appcues' webhooks by a signature in the header `X-Sig` (sha256, hex, after `v1=`, of `{timestamp}.{body}`, with the time in `X-Time`, at most 300 s away) instead of a token in the address",
        ],
    ),
    Case(
        "webhooks are signed as a standard has it, and events have IDs",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                (
                    "url: https://relay.example.com\n  webhook_auth: {scheme: standard_webhooks, tolerance: 60}\n"
                    "  message_id: {path: event_id}"
                ),
            )
        ),
        [
            "medium: The relay will authenticate Appcues' webhooks by a Standard Webhooks signature, at most 60 s old instead of a token in the address",
            "medium: The relay will recognize a repeated event by its `event_id` instead of what it says",
        ],
    ),
    Case(
        "webhooks have another form",
        change(("settings", 'account_id: "1"', 'account_id: "1"\n  webhook: {events: batch, user_id: [who.id, uid]}')),
        [
            "medium: The relay will look for the events of a webhook at `batch` instead of the usual places",
            "medium: The relay will look for an event's user at `who.id` and `uid` instead of `user_id` and `userId`",
        ],
    ),
    Case(
        "outbound messages come through a proxy that checks certificates",
        change(
            (
                "settings",
                "url: https://relay.example.com",
                (
                    "url: https://relay.example.com\n  trusted_proxies: [10.0.0.0/8]\n"
                    "  outbound: {networks: [13.108.0.0/14], client_certificate: {header: X-Cert, value: CN=sf}}"
                ),
            )
        ),
        [
            "medium: The relay will accept outbound messages from `13.108.0.0/14` with `CN=sf` in `X-Cert` instead of from everywhere",
            "medium: The relay will trust `10.0.0.0/8` for a sender's address and certificate, instead of nobody",
        ],
    ),
    Case(
        "tasks instead of events",
        change(("settings", "url: https://relay.example.com", "url: https://relay.example.com\n  activities_as: task")),
        [
            "medium: What Appcues users do will be written to Contacts as Tasks instead of Events",
            "medium: The integration user may read and change Task.ActivityDate, Task.Appcues_Event_Id__c, Task.Description and Task.WhoId",
            "medium: The integration user gains the permission Edit Tasks",
            "low: The integration user may no longer read Event.Appcues_Event_Id__c, Event.Description and Event.WhoId",
            "low: The integration user loses the permission Edit Events",
            "low: People with the permission set `Appcues_Viewer` can see Task.Appcues_Event_Id__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Event.Appcues_Event_Id__c",
        ],
    ),
    Case(
        "another Appcues account",
        change(("settings", '"1"', '"2"')),
        [
            "high: Data will go to the Appcues account `2` instead of `1`",
        ],
    ),
    Case(
        "another region",
        change(("settings", 'account_id: "1"', 'account_id: "1"\n  region: eu')),
        [
            "high: Data will go to Appcues in the region `eu` instead of `us`",
        ],
    ),
    Case(
        "another API version",
        change(("settings", "name: Appcues", 'name: Appcues\nsalesforce: {api_version: "62.0"}')),
        [
            "low: The Metadata API will be used in version `62.0` instead of `63.0`",
        ],
    ),
    Case(
        "another project name",
        change(("settings", "name: Appcues", "name: Acme")),
        [
            "high: The field Activity.Appcues_Event_Id__c will be deleted, with all values in it",
            "medium: The integration user may read and change Event.Acme_Event_Id__c",
            "low: The integration user may no longer read Event.Appcues_Event_Id__c",
            "low: People with the permission set `Acme_Viewer` can see Event.Acme_Event_Id__c",
            "low: People with the permission set `Acme_Viewer` no longer see Event.Appcues_Event_Id__c",
            "medium: Everything in Salesforce will be renamed: names begin with `Acme` instead of `Appcues`, so components are deleted and created again",
            "medium: `sfcode plan` refuses this: the project Acme is called Appcues in this org, and Acme in sfcode.yaml; to rename it, write `moved: {name: Appcues}` there; if it was renamed already, update your copy of the config; if this is a copy for another integration, give it its own `id`",
        ],
    ),
    Case(
        "another project name that is a move",
        change(("settings", "name: Appcues", "name: Acme\nmoved: {name: Appcues}")),
        [
            "medium: The integration user may read and change Event.Acme_Event_Id__c",
            "low: The integration user may no longer read Event.Appcues_Event_Id__c",
            "low: People with the permission set `Acme_Viewer` can see Event.Acme_Event_Id__c",
            "low: People with the permission set `Acme_Viewer` no longer see Event.Appcues_Event_Id__c",
            "medium: Everything in Salesforce will be renamed: names begin with `Acme` instead of `Appcues`. Permission sets and fields keep their assignments and values; messages, flows and rules are deleted and created again",
            "low: What has the project's previous name `Appcues` will be renamed",
            "low: The field `Activity.Appcues_Event_Id__c` will be renamed to `Activity.Acme_Event_Id__c`, and keeps its values",
        ],
    ),
    Case(
        "a field and the integration user are renamed",
        change(
            ("contact", "score: {field: Appcues_NPS_Score__c", "score: {field: Score__c"),
            (
                "settings",
                "version: 1\n",
                "version: 1\nmoved: {user: appcues@example.com, fields: {Contact.Appcues_NPS_Score__c: Contact.Score__c}}\n",
            ),
            ("settings", "username: appcues@", "username: robot@"),
        ),
        [
            "medium: NPS scores will be written to Contact.Score__c instead of Contact.Appcues_NPS_Score__c",
            "medium: The integration user `appcues@example.com` will be renamed to `robot@example.com`, and keeps its license and its permission sets",
            "medium: The integration user may read and change Contact.Score__c",
            "low: The integration user may no longer read Contact.Appcues_NPS_Score__c",
            "low: People with the permission set `Appcues_Viewer` can see Contact.Score__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Contact.Appcues_NPS_Score__c",
            "low: The field `Contact.Appcues_NPS_Score__c` will be renamed to `Contact.Score__c`, and keeps its values",
        ],
    ),
    Case(
        "a permission set of another name",
        change(("settings", "  email:", "  permission_set: Theirs\n  email:")),
        [
            "medium: The integration user's permission set will be `Theirs` instead of `Appcues_Integration`",
        ],
    ),
    Case(
        "an existing component is adopted unchanged",
        change(("settings", "name: Appcues\n", "name: Appcues\nas_is: [PermissionSet:Appcues_Integration]\n")),
        [
            "low: `PermissionSet:Appcues_Integration` will be left as it is in the org, and watched",
        ],
    ),
    Case(
        "what a mapping asks for does not reach what is left as it is",
        (
            edited(FILES, ("settings", "name: Appcues\n", f"name: Appcues\nas_is: [{TAKEN_ON[1]}]\n")),
            edited(
                FILES,
                ("settings", "name: Appcues\n", f"name: Appcues\nas_is: [{TAKEN_ON[1]}]\n"),
                ("contact", "    role: Title\n", "    role: Title\n    dept: Department\n"),
            ),
        ),
        [
            "medium: Contact.Department will be sent to Appcues as `dept`",
        ],
    ),
    Case(
        "an adopted component is no longer unchanged",
        (
            edited(
                FILES,
                ("settings", "name: Appcues\n", f"name: Appcues\nas_is: [{', '.join(TAKEN_ON)}]\n"),
            ),
            FILES,
        ),
        [
            "high: `CustomField:Contact.Appcues_User_Id__c` and `PermissionSet:Appcues_Integration` will no longer be left as they are in the org",
            "low: People with the permission set `Appcues_Viewer` can see Contact.Appcues_User_Id__c",
        ],
    ),
    Case(
        "the relay takes the place of what sends today",
        change(
            (
                "contact",
                "to_appcues:\n",
                "replaces: [WorkflowRule:Contact.Old, WorkflowOutboundMessage:Contact.Old]\nto_appcues:\n",
            )
        ),
        [
            "high: `WorkflowOutboundMessage:Contact.Old` and `WorkflowRule:Contact.Old` will be deleted from the org: the relay takes the place of what sends today",
        ],
    ),
    Case(
        "another org",
        change(("settings", "env:PROD", "env:OTHER")),
        [
            "high: Environment `prod` will be the org `env:OTHER` instead of the org `env:PROD`",
        ],
    ),
    Case(
        "an environment is protected",
        change(PROTECTED),
        [
            "low: Environment `prod` will be protected: apply will ask for a saved plan",
        ],
    ),
    Case(
        "another text of activities",
        (FILES, {**FILES, "config/events.yaml": EVENTS}),
        [
            "low: The subject of activities for completed flows will read `Done: {{ flowName }}` instead of `Appcues Flow Completed - {{ flowName }}`",
        ],
    ),
    Case(
        "another attribute for the score",
        (FILES, {**FILES, "config/events.yaml": "version: 1\nproperties:\n  nps_score: {score: rating}\n"}),
        [
            "medium: The score in Appcues' event for NPS scores will be taken from `rating` instead of `score`",
        ],
    ),
    Case(
        "personal data is accepted and extended",
        (
            FILES,
            edited(
                FILES,
                (
                    "settings",
                    "name: Appcues",
                    "name: Appcues\nreview: {personal_data: {accepted: [Contact.Email], fields: [Badge__c]}}",
                ),
            ),
        ),
        [
            "low: Contact.Email is accepted as personal data that leaves Salesforce",
            "low: Badge__c is counted as personal data",
        ],
    ),
    Case(
        "a plan may do more at once",
        (
            edited(FILES, ("settings", "version: 1\n", "version: 1\nsafety: {max_destroy: 3, max_change: 10%}\n")),
            edited(FILES, ("settings", "version: 1\n", "version: 1\nsafety: {max_change: 20%}\n")),
        ),
        [
            "high: In `prod` a plan may destroy any number of the components instead of `3`, without an option",
            "medium: In `prod` a plan may change `20%` of the components instead of `10%`, without an option",
        ],
    ),
    Case(
        "an environment is no longer protected",
        (edited(FILES, PROTECTED), FILES),
        [
            "high: Environment `prod` will no longer be protected: apply will not ask for a saved plan",
        ],
    ),
    Case(
        "a mapping is about another object",
        change(("lead", "object: Lead", "object: Account")),
        [
            "high: Leads will no longer be synced: 3 components will be deleted, field Lead.Appcues_NPS_Score__c with its values among them",
            "medium: Accounts will be synced with Appcues, both ways, by the relay: 3 components will be created",
            "medium: Account.Plan__c will be sent to Appcues as `plan`",
            "medium: NPS scores will be written to Account.Appcues_NPS_Score__c, a field that sfcode creates",
            "medium: The integration user gains Read and Edit on Account",
            "medium: The integration user may read and change Account.Appcues_NPS_Score__c",
            "low: The integration user loses Read and Edit on Lead",
            "low: The integration user may read Account.Appcues_User_Id__c, Account.Plan__c and Account.Product_User_Id__c",
            "low: The integration user may no longer read Lead.Appcues_NPS_Score__c, Lead.Appcues_User_Id__c, Lead.Plan__c and Lead.Product_User_Id__c",
            "low: People with the permission set `Appcues_Viewer` can see Account.Appcues_NPS_Score__c and Account.Appcues_User_Id__c",
            "low: People with the permission set `Appcues_Viewer` no longer see Lead.Appcues_NPS_Score__c and Lead.Appcues_User_Id__c",
        ],
    ),
    Case(
        "an integration where there was none",
        (None, FILES),
        [
            "medium: Data will go to the Appcues account `1` (US)",
            "medium: Salesforce will send its messages to `https://relay.example.com`",
            "medium: Contact.Title will be sent to Appcues as `role`",
            "medium: Contact.Plan__c will be sent to Appcues as `plan`",
            "medium: Lead.Plan__c will be sent to Appcues as `plan`",
            "medium: NPS scores will be written to Contact.Appcues_NPS_Score__c, a field that sfcode creates",
            "medium: NPS scores will be written to Contacts as Events",
            "medium: Completed flows will be written to Contacts as Events",
            "medium: The click-to-track event `Clicked Upgrade` will be written to Contacts as an Event",
            "medium: NPS scores will be written to Lead.Appcues_NPS_Score__c, a field that sfcode creates",
            "medium: The integration user will be `appcues@example.com`",
            "medium: The integration user gains Read and Edit on Contact",
            "medium: The integration user gains Read and Edit on Lead",
            "medium: The integration user may read and change Contact.Appcues_NPS_Score__c, Event.Appcues_Event_Id__c, Event.Description, Event.WhoId and Lead.Appcues_NPS_Score__c",
            "medium: The integration user gains the permission Access Activities",
            "medium: The integration user gains the permission API Enabled",
            "medium: The integration user gains the permission Edit Events",
            "low: The integration user may read Contact.Appcues_User_Id__c, Contact.Plan__c, Contact.Product_User_Id__c, Contact.Title and 3 more",
            "low: People with the permission set `Appcues_Viewer` can see Contact.Appcues_NPS_Score__c, Contact.Appcues_User_Id__c, Event.Appcues_Event_Id__c, Lead.Appcues_NPS_Score__c and Lead.Appcues_User_Id__c",
            "medium: The integration is new: 11 components will be created",
        ],
    ),
]


WITHOUT_LINE = {
    "a created field is written in another case": "the statement is about a component that no setting explains",
    "one activity less": "the statement is about a removed value of a list that stays",
}
"""Changed lines without a statement at them, with the reasons."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_change_has_these_statements(case: Case, tmp_path: Path) -> None:
    """Reviewers see the statements, and GitHub shows them at lines: every new or changed line has one."""
    report = reviewed(tmp_path, *case.sides)
    assert list_texts(report) == case.lines
    places = {
        (statement.position.file, statement.position.line) for statement in report.statements if statement.position
    }
    missed = [hunk for hunk in changed_lines(*case.sides) if not places & {*hunk}]
    assert bool(missed) is (case.title in WITHOUT_LINE), (missed, places)


def changed_lines(before: Files | None, after: Files) -> Iterator[list[tuple[str, int]]]:
    """List the lines of each added or changed part of a file that both sides have."""
    for name in after.keys() & (before or {}).keys():
        sides = [text[name].splitlines() for text in (before or {}, after)]
        for kind, _, _, start, end in SequenceMatcher(None, *sides).get_opcodes():
            if kind in ("insert", "replace"):
                yield [(name, line) for line in range(start + 1, end + 1)]
