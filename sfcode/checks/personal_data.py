"""Personal data: a shipped list of standard fields, and the project's additions."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.config.models import PersonalData

_NAMES = ("FirstName", "LastName", "MiddleName", "Name")
_WAYS = ("Email", "Phone", "MobilePhone", "Fax")
_PARTS = ("Street", "City", "PostalCode", "State", "StateCode", "Country", "CountryCode", "Latitude", "Longitude")
_SELF = ("Birthdate", "GenderIdentity", "Pronouns", "PhotoUrl")


def _address(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind}{part}" for kind in kinds for part in _PARTS)


STANDARD = {
    "Contact": {
        *_NAMES,
        *_WAYS,
        *_SELF,
        *_address("Mailing", "Other"),
        "HomePhone",
        "OtherPhone",
        "AssistantName",
        "AssistantPhone",
    },
    "Lead": {*_NAMES, *_WAYS, *_SELF, *_address("")},
    # For accounts only fields of person accounts: the account's own address is that of a company.
    "Account": {
        "FirstName",
        "LastName",
        "MiddleName",
        "PersonBirthdate",
        "PersonEmail",
        "PersonGenderIdentity",
        "PersonHomePhone",
        "PersonMobilePhone",
        "PersonOtherPhone",
        "PersonPronouns",
        *_address("PersonMailing", "PersonOther"),
    },
}
"""Standard fields that identify a person or hold contact data, by object."""


def is_personal(object_name: str, field: str, settings: PersonalData) -> bool:
    """Return whether a field is personal data in this project."""
    lower = field.lower()
    shipped = any(lower == name.lower() for name in STANDARD.get(object_name, ()))
    return shipped or is_listed(object_name, field, settings.fields)


def is_listed(object_name: str, field: str, entries: Iterable[str]) -> bool:
    """Return whether a list contains a field, with or without its object, ignoring case."""
    names = (field.lower(), f"{object_name}.{field}".lower())
    return any(entry.lower() in names for entry in entries)
