"""Projects and org schemas built in Python, in place of `load` and `describe`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sfcode.config.event_models import Events
from sfcode.config.mapping_models import Mapping as Spec
from sfcode.config.models import Environment, Settings
from sfcode.config.project import NamedMapping, Project
from sfcode.config.recipe_models import Recipes
from sfcode.diagnostics import Position
from sfcode.generate import generate
from sfcode.mapping.desired import Desired
from sfcode.mapping.place import ConfigPath
from sfcode.metadata.component import Address, Component
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema

USERNAME = "appcues.integration@example.com"
CONTACT: dict[str, Any] = {
    "object": "Contact",
    "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    "to_appcues": {"attributes": {"role": {"field": "Title"}, "plan": {"field": "Plan__c"}}},
    "to_salesforce": {
        "nps": {
            "score": {"field": "Appcues_NPS_Score__c", "create": True},
            "feedback": {"field": "Appcues_NPS_Feedback__c", "create": True},
        },
        "activities": ["nps_score", "flow_completed"],
    },
}


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Copy a mapping with some of its keys replaced; None removes a key."""
    copy: dict[str, Any] = json.loads(json.dumps(base))
    for path, value in changes.items():
        *above, last = path.split("__in__")[::-1]
        inner = copy
        for key in above:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return copy


def settings(**changes: Any) -> dict[str, Any]:
    base = {
        "version": 1,
        "name": "Appcues",
        "integration_user": {"username": USERNAME, "email": "admin@example.com"},
        "appcues": {"account_id": "1"},
        "relay": {"url": "https://relay.example.com"},
    }
    return changed(base, **changes)


def project(
    mappings: dict[str, dict[str, Any]] | None = None,
    config: dict[str, Any] | None = None,
    templates: Path | None = None,
    recipes: dict[str, Any] | None = None,
) -> Project:
    """Create a project from raw YAML values; each key has its own line, counted from 1."""
    config = config or settings()
    mappings = {"contact": CONTACT} if mappings is None else mappings
    return Project(
        root=Path(),
        settings=Settings.model_validate(config),
        mappings=tuple(named(name, data) for name, data in mappings.items()),
        events=Events.model_validate({"version": 1, "activities": {}}),
        environment="local",
        target=Environment(org="local"),
        secrets=(),
        digest="",
        templates=templates,
        positions=positions("config/sfcode.yaml", config),
        recipes=Recipes.model_validate({"version": 1, **(recipes or {})}),
        recipe_positions=positions("config/recipes.yaml", recipes) if recipes else {},
    )


def named(name: str, data: dict[str, Any]) -> NamedMapping:
    return NamedMapping(name, Spec.model_validate(data), positions(f"config/mappings/{name}.yaml", data))


def positions(file: str, data: dict[str, Any]) -> Mapping[ConfigPath, Position]:
    return {path: Position(file, line, 1) for line, path in enumerate(_paths(data, ()), start=1)}


def _paths(value: Any, path: ConfigPath) -> Iterator[ConfigPath]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def standard(name: str, **fields: Any) -> ObjectSchema:
    """Describe a standard object with its system fields and the given fields, each as a type or a dict of attributes."""
    every = {
        "Id": {"type": "id", "required": True, "permissionable": False, "updateable": False},
        "SystemModstamp": {"type": "datetime", "permissionable": False, "updateable": False},
        **fields,
    }
    return ObjectSchema(
        name,
        name,
        {
            key: Field(key, **(definition if isinstance(definition, dict) else {"type": definition}))
            for key, definition in every.items()
        },
    )


_PERSON: dict[str, Any] = {
    "FirstName": "string",
    "LastName": {"type": "string", "required": True, "permissionable": False},
    "Name": {"type": "string", "permissionable": False, "updateable": False},
    "Email": "email",
    "Title": "string",
    "Description": "textarea",
    "LastModifiedDate": {"type": "datetime", "permissionable": False, "updateable": False},
    "PhotoUrl": {"type": "url", "updateable": False},
}
_ACTIVITY: dict[str, Any] = {
    "Subject": {"type": "combobox", "permissionable": False},
    "Description": "textarea",
    "Type": "picklist",
    "WhatId": "reference",
    "WhoId": "reference",
}
OFFLINE = OrgSchema(
    {
        entry.name: entry
        for entry in (
            standard(
                "Contact",
                **_PERSON,
                MailingAddress="address",
                MailingStreet={"type": "textarea", "compound": "MailingAddress"},
                MailingCity={"type": "string", "compound": "MailingAddress"},
                OwnerId={"type": "reference", "permissionable": False, "reference_to": ("User",)},
                HasOptedOutOfEmail="boolean",
                Birthdate="date",
            ),
            standard(
                "Lead",
                **_PERSON,
                Status={"type": "picklist", "required": True, "permissionable": False},
                OwnerId={"type": "reference", "permissionable": False, "reference_to": ("Group", "User")},
            ),
            standard(
                "Account", Name={"type": "string", "required": True, "permissionable": False}, Industry="picklist"
            ),
            standard("Event", **_ACTIVITY, IsAllDayEvent="boolean", Location="string"),
            standard("Task", **_ACTIVITY),
        )
    }
)
_CUSTOM: dict[str, Field] = {
    field.name: field
    for field in (
        Field("Product_User_Id__c", "double", custom=True),
        Field("Plan__c", "picklist", custom=True),
        Field("Legacy_Id__c", "string", custom=True),
        Field("Health__c", "double", custom=True, calculated=True, updateable=False),
        Field("Tier__c", "picklist", custom=True, required=True),
        Field("Secret__c", "encryptedstring", custom=True),
        Field("Place__c", "location", custom=True),
        Field("Score__c", "double", custom=True),
        Field("Said__c", "textarea", custom=True),
        Field("Price__c", "currency", custom=True),
    )
}
ONLINE = OrgSchema(
    {
        name: ObjectSchema(
            name,
            entry.label,
            {**entry.fields, **_CUSTOM} if name in ("Contact", "Lead") else entry.fields,
            complete=True,
        )
        for name, entry in OFFLINE.objects.items()
    },
    online=True,
)


def desired(
    mappings: dict[str, dict[str, Any]] | None = None,
    config: dict[str, Any] | None = None,
    schema: OrgSchema = OFFLINE,
) -> dict[str, Component]:
    """Generate the components, by address."""
    return by_address(generate(project(mappings, config), schema))


def by_address(result: Desired) -> dict[str, Component]:
    return {str(component.address): component for component in (*result.components, *result.records)}


def body(components: dict[str, Component], address: str) -> dict[str, Any]:
    return dict(components[str(Address.parse(address))].body)
