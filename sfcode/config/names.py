"""
Patterns of the names that Salesforce and Appcues allow, with descriptions.

A pattern is the check of a value and part of the JSON Schema for editors; `explain` looks up
its description.
"""

from __future__ import annotations

import os
import re

from sfcode.hosts import LOOPBACK_NAMES

FIELD_LIMIT = 40
"""The maximum length of a custom field's name without `__c`."""

NAME_LIMIT = 80
"""The maximum length of developer names of messages, flows, rules and permission sets."""

PREFIX_LIMIT = FIELD_LIMIT - len("_Event_Id")
"""The maximum length of a project's name, which is the prefix of `<name>_Event_Id__c` on Activity."""

DEVELOPER = r"^[A-Za-z](_?[A-Za-z0-9])*$"
FIELD = r"^[A-Za-z](_{0,2}[A-Za-z0-9])*$"
QUALIFIED_FIELD = r"^([A-Za-z](_{0,2}[A-Za-z0-9])*\.)?[A-Za-z](_{0,2}[A-Za-z0-9])*$"
MOVED_FIELD = r"^[A-Za-z](_{0,2}[A-Za-z0-9])*\.[A-Za-z](_?[A-Za-z0-9])*__c$"
API_VERSION = r"^[0-9]{2,3}\.0$"
LICENSE_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
ORG = (
    r"^(local|alias:\S+|env:[A-Za-z_][A-Za-z0-9_]*|https://[A-Za-z0-9.-]+(:[0-9]+)?/?"
    rf"|http://({'|'.join(map(re.escape, LOOPBACK_NAMES))})(:[0-9]+)?/?)$"
)
OUTBOUND = r"^\$\{secret:[A-Za-z_][A-Za-z0-9_]*\}$"
PRINTABLE = r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"
DOTTED = r"^[^.\s]+(\.[^.\s]+)*$"
EVENT_PATH = r"^[^.\s]([^.]*[^.\s])?(\.[^.\s]([^.]*[^.\s])?)*$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
ACCOUNT = r"^[A-Za-z0-9_-]+$"
ENVIRONMENT = r"^[A-Za-z][A-Za-z0-9_-]*$"
MAPPING_FILE = r"^mappings/[A-Za-z0-9_]+\.yaml$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
"""Control characters and invisible format characters, which make two names look alike. Joiners (U+200C, U+200D) are allowed,
since some scripts and emoji need them."""
_LIKE_SPACE = r"\u00a0\u1680\u2000-\u200a\u202f\u205f"
"""Unusual space characters, which are in a name only by accident."""
_CURLY = "\u2018\u2019\u201a\u201c\u201d\u201e"
ATTRIBUTE = rf"^[^_\s{_UNSEEN}{_LIKE_SPACE}{_CURLY}]([^{_UNSEEN}{_LIKE_SPACE}]*[^\s{_UNSEEN}{_LIKE_SPACE}])?$"
CUSTOM_EVENT = rf"^[^\s{_UNSEEN}]([^{_UNSEEN}]*[^\s{_UNSEEN}])?$"
EVENT = r"^[A-Za-z]([A-Za-z0-9_:./ -]*[A-Za-z0-9_:./-])?$"
_PART = rf"[^@\s${{}}{_UNSEEN}]+"
USERNAME = rf"^{_PART}@{_PART}\.{_PART}$"
TEXT = r"\S"
SHARE = r"^(all_internal_users|(role|role_and_subordinates|group):[A-Za-z][A-Za-z0-9_]*|user:[^@\s${}]+@[^@\s${}]+)$"
CAMPAIGN_ID = r"^701([A-Za-z0-9]{12}|[A-Za-z0-9]{15})$"
VISIBLE = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*$"
TAKEABLE = r"^(CustomField:[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*|PermissionSet:[A-Za-z][A-Za-z0-9_]*)$"
ACCEPTABLE = r"^(PermissionSet|PermissionSetGroup|Profile|UserLicense):\S.*$"
REPLACEABLE = r"^((WorkflowRule|WorkflowOutboundMessage):[A-Za-z][A-Za-z0-9_]*\.\S.*|Flow:[A-Za-z][A-Za-z0-9_]*)$"

WORDS = {
    DEVELOPER: (
        "is not a valid name in Salesforce",
        "use letters, digits and single underscores, beginning with a letter and not ending with an underscore",
    ),
    FIELD: (
        "is not the API name of an object or field",
        "write it as Object Manager shows it (Title, Plan__c); for a field of a related record create a formula field",
    ),
    QUALIFIED_FIELD: (
        "is not the API name of a field",
        "write it like Contact.Email, or Email for every object that has it",
    ),
    MOVED_FIELD: ("is not a custom field with its object", "write it like Contact.NPS_Score__c"),
    API_VERSION: ("is not an API version", 'write it like "63.0"'),
    USERNAME: ("does not look like an e-mail address", "write it like name@example.com"),
    LICENSE_NAME: (
        "is not the developer name of a permission set license",
        "write SalesforceAPIIntegrationPsl, or the DeveloperName that the org shows",
    ),
    ACCEPTABLE: (
        "is not the address of a permission set, group, profile or license",
        "write PermissionSet:NAME, PermissionSetGroup:NAME, Profile:NAME or UserLicense:NAME",
    ),
    ORG: (
        "is not an org",
        "write local, alias:NAME (signed in with the sf CLI), env:PREFIX (environment variables) or an https:// URL",
    ),
    HEADER: ("is not the name of an HTTP header", "write it like X-Appcues-Signature"),
    PRINTABLE: (
        "cannot be part of an HTTP header",
        "use ASCII letters, digits and punctuation, without spaces around it",
    ),
    DOTTED: ("is not the path of a value in an event", "write its keys with dots between them, like attributes.id"),
    EVENT_PATH: (
        "is not the path of a value in a webhook",
        "write its keys with dots between them, like properties.user.id",
    ),
    ACCOUNT: ("is not an Appcues account ID", "copy it from the account page of Appcues Studio"),
    ENVIRONMENT: (
        "is not a valid name of an environment",
        "use letters, digits, - and _, beginning with a letter",
    ),
    VARIABLE: ("is not a valid name of a variable", "use letters, digits and _, not beginning with a digit"),
    ATTRIBUTE: (
        "is not a valid name of an Appcues attribute",
        "remove spaces around it, invisible characters, and the leading _, which Appcues reserves for its own attributes",
    ),
    CUSTOM_EVENT: (
        "is not the name of a click-to-track event",
        "write its name as in Appcues, without spaces around it and without invisible characters",
    ),
    EVENT: (
        "is not the name of an event of Appcues itself",
        "write it as in Appcues' list of events, without appcues:, such as v2:experience_completed",
    ),
    TAKEABLE: (
        "is not the address of a field or a permission set",
        "write it like CustomField:Contact.User_Id__c or PermissionSet:Appcues_Access",
    ),
    REPLACEABLE: (
        "is not the address of an outbound message, a workflow rule or a flow",
        "write it like WorkflowOutboundMessage:Contact.Send_To_Appcues, WorkflowRule:Contact.Send_To_Appcues or Flow:Send",
    ),
    SHARE: (
        "is not a public group, role or user that a report folder can be shared with",
        "write all_internal_users, role:NAME, role_and_subordinates:NAME, group:NAME or user:USERNAME",
    ),
    CAMPAIGN_ID: (
        "is not the ID of a campaign",
        "copy the 15 or 18 characters from its address in Salesforce, which begin with 701; or write {name: NAME}",
    ),
    TEXT: ("is empty", "write some text, or remove the key"),
    VISIBLE: ("is empty, or contains invisible characters", "write some text without them, or remove the key"),
}


def make_identity() -> str:
    """Generate the `id` of a new project."""
    return f"appcues_{os.urandom(4).hex()}"


def custom_base(name: str) -> str | None:
    """Return the name of a custom field without its suffix; None if it is not a `Name__c` of this org."""
    base = name[:-3]
    return base if name.endswith("__c") and re.fullmatch(DEVELOPER, base) else None
