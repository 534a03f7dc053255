"""Standard fields that exist only if a feature of the org is turned on."""

from __future__ import annotations

from sfcode.metadata.objects import Field

EDITIONS_WITH_OUTBOUND_MESSAGES = frozenset(
    {"Enterprise Edition", "Unlimited Edition", "Performance Edition", "Developer Edition"}
)
"""Editions with outbound messages. They have the API as well; Professional has the API as an add-on, but no messages.
https://help.salesforce.com/s/articleView?id=platform.workflow_managing_outbound_messages.htm"""

CURRENCIES = "multiple currencies"
CODES = "state and country/territory picklists"
PERSON_ACCOUNTS = "person accounts"

_ADDRESSES = {"Account": ("Billing", "Shipping"), "Contact": ("Mailing", "Other"), "Lead": ("",)}
"""The prefixes of an object's address fields."""

# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
_PERSON = {
    "FirstName": "string",
    "LastName": "string",
    "MiddleName": "string",
    "Salutation": "picklist",
    "Suffix": "string",
    "PersonAssistantName": "string",
    "PersonAssistantPhone": "phone",
    "PersonBirthdate": "date",
    "PersonContactId": "reference",
    "PersonDepartment": "string",
    "PersonDoNotCall": "boolean",
    "PersonEmail": "email",
    "PersonEmailBouncedDate": "datetime",
    "PersonEmailBouncedReason": "string",
    "PersonHasOptedOutOfEmail": "boolean",
    "PersonHasOptedOutOfFax": "boolean",
    "PersonHomePhone": "phone",
    "PersonLastCURequestDate": "datetime",
    "PersonLastCUUpdateDate": "datetime",
    "PersonLeadSource": "picklist",
    "PersonMobilePhone": "phone",
    "PersonOtherPhone": "phone",
    "PersonTitle": "string",
}
_PERSON_ADDRESSES = ("PersonMailing", "PersonOther")
_PARTS = {
    "Street": "textarea",
    "City": "string",
    "State": "string",
    "PostalCode": "string",
    "Country": "string",
    "Latitude": "double",
    "Longitude": "double",
}


def feature_fields(object_name: str) -> dict[str, tuple[Field, str]]:
    """Return the fields of an object that require a feature, each with the feature's name in Setup."""
    fields = {"CurrencyIsoCode": (Field("CurrencyIsoCode", "picklist", permissionable=False), CURRENCIES)}
    for prefix in _ADDRESSES.get(object_name, ()):
        fields |= _codes(prefix, CODES)
    if object_name in ("Account", "Contact"):
        own = Field("IsPersonAccount", "boolean", permissionable=False, updateable=False)
        fields["IsPersonAccount"] = (own, PERSON_ACCOUNTS)
    if object_name == "Account":
        fields |= {name: (Field(name, kind), PERSON_ACCOUNTS) for name, kind in _PERSON.items()}
        for prefix in _PERSON_ADDRESSES:
            address = f"{prefix}Address"
            fields |= {
                f"{prefix}{part}": (Field(f"{prefix}{part}", kind, compound=address), PERSON_ACCOUNTS)
                for part, kind in _PARTS.items()
            }
            fields |= _codes(prefix, f"{PERSON_ACCOUNTS}, and {CODES}")
    return fields


def _codes(prefix: str, feature: str) -> dict[str, tuple[Field, str]]:
    names = (f"{prefix}StateCode", f"{prefix}CountryCode")
    return {name: (Field(name, "picklist", compound=f"{prefix}Address"), feature) for name in names}
