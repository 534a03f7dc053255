"""Store components in the org, by the rules of each type: without empty values, and merged where an org merges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.metadata.deploy.package_items import PackageItem
from sfcode.local.metadata.deploy.production import with_deployed_status
from sfcode.local.metadata.org_form import org_form
from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.local.store import OrgTransaction, StoredFlowVersion
from sfcode.local.tables.components import PutResult
from sfcode.metadata.component import Body, Component


@dataclass(frozen=True)
class Author:
    """The user who deploys, the time, and the API version of the files."""

    user_id: str
    now: datetime
    api_version: float


@dataclass(frozen=True)
class StoredItem:
    """The result of storing an item: the new component, the old one, and what changed."""

    component: Component
    before: Body | None
    put: PutResult


def store_item(tx: OrgTransaction, item: PackageItem, author: Author) -> StoredItem:
    """Store one component; a body with the same meaning changes nothing."""
    component = normalize(item.component)
    if component.type == "Flow":
        return _flow(tx, with_deployed_status(tx, component), author)
    if component.type == "FlowDefinition":
        return _flow_definition(tx, component, author)
    stored = tx.components.get(component.type, component.full_name)
    before = stored.component.body if stored else None
    if component.type == "ExtlClntAppGlobalOauthSettings":
        from sfcode.local.signin.apps import with_keys  # slow to import, and few packages contain an app

        component = Component(component.type, component.full_name, with_keys(component.body, before or {}))
    if stored is not None:
        # A name keeps the case in which it was created.
        component = Component(component.type, stored.component.full_name, component.body)
        if _merges(component.type, author.api_version):
            component = normalize(
                Component(component.type, component.full_name, merge(stored.component.body, component.body))
            )
        if stored.raw == item.raw and _same(stored.component, component, author):
            return StoredItem(component, before, PutResult(changed=False, created=False, id=stored.id))
    outcome = tx.components.put(component, user_id=author.user_id, now=author.now, raw=item.raw)
    if component.type in ("ExternalClientApplication", "ExtlClntAppOauthSettings"):
        from sfcode.local.signin.apps import make_default_policies

        if (policies := make_default_policies(tx, component)) is not None:
            tx.components.put(normalize(policies), user_id=author.user_id, now=author.now)
    return StoredItem(component, before, outcome)


def _merges(type_: str, api_version: float) -> bool:
    return type_ in {"CustomObject", "Profile"} or (type_ == "PermissionSet" and api_version < REPLACED_SINCE)


def _same(first: Component, second: Component, author: Author) -> bool:
    return org_form(first, author.api_version) == org_form(second, author.api_version)


def _flow(tx: OrgTransaction, component: Component, author: Author) -> StoredItem:
    versions = tx.flows.versions(component.full_name)
    latest = versions[-1] if versions else None
    before = latest.body if latest else None
    if latest is None or not _same_but_status(latest, component, author):
        version = tx.flows.add_version(component, user_id=author.user_id, now=author.now)
        return StoredItem(component, before, PutResult(changed=True, created=latest is None, id=version.id))
    # A change of the status alone creates no version: https://github.com/scolladon/sfdx-git-delta/issues/588 . It
    # activates an inactive flow, but neither deactivates a flow nor activates another version.
    wakes = component.body.get("status") == "Active" and not any(version.status == "Active" for version in versions)
    if wakes:
        tx.flows.activate(component.full_name, latest.number, user_id=author.user_id, now=author.now)
    return StoredItem(component, before, PutResult(changed=wakes, created=False, id=latest.id))


def _same_but_status(version: StoredFlowVersion, component: Component, author: Author) -> bool:
    stored_component, deployed_component = (
        Component("Flow", component.full_name, {name: value for name, value in body.items() if name != "status"})
        for body in (version.body, component.body)
    )
    return _same(stored_component, deployed_component, author)


def _flow_definition(tx: OrgTransaction, component: Component, author: Author) -> StoredItem:
    name = component.full_name
    versions = tx.flows.versions(name)
    number = component.body.get("activeVersionNumber") or None
    active = next((version.number for version in versions if version.status == "Active"), None)
    numbers = {version.number for version in versions}
    if versions and number != active and (number is None or number in numbers):
        tx.flows.activate(name, int(str(number)) if number else None, user_id=author.user_id, now=author.now)
    id_ = versions[-1].definition_id if versions else ""
    result = PutResult(changed=number != active, created=False, id=id_)
    return StoredItem(component, {"activeVersionNumber": active}, result)


REPLACED_SINCE = 40.0
"""The API version since which a deployed permission set replaces that of the org instead of being merged into it."""

_FIELD_DEFAULTS = {
    "caseSensitive": False,
    "externalId": False,
    "formulaTreatBlanksAs": "BlankAsBlank",
    "required": False,
    "trackFeedHistory": False,
    "trackHistory": False,
    "trackTrending": False,
    "unique": False,
}
_SWITCHES = "classAccesses customMetadataTypeAccesses customPermissions customSettingAccesses flowAccesses pageAccesses userPermissions"
_GRANTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_SWITCHES.split(), ("enabled",)),
    **dict.fromkeys(("applicationVisibilities", "recordTypeVisibilities"), ("visible",)),
    "fieldPermissions": ("readable", "editable"),
    "objectPermissions": (*OBJECT_RIGHTS, "viewAllFields"),
}


def normalize(component: Component) -> Component:
    """Remove elements that an org does not store, so that bodies with the same meaning are equal."""
    rule = _RULES.get(component.type)
    return component if rule is None else Component(component.type, component.full_name, rule(component.body))


def merge(before: Body, after: Body) -> Body:
    """Merge a partial body into a complete one: mappings entry by entry, all other values as a whole."""
    merged: dict[str, Any] = dict(before)
    for name, value in after.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _custom_field(body: Body) -> Body:
    return {name: value for name, value in body.items() if value != _FIELD_DEFAULTS.get(name, ...)}


def _outbound_message(body: Body) -> Body:
    # Outbound messages contain no session ID any more, so the flag is always false:
    # https://help.salesforce.com/s/articleView?id=005232763&type=1
    form = {name: value for name, value in body.items() if (name, value) != ("useDeadLetterQueue", False)}
    return {**form, "includeSessionId": False}


def _permission_set(body: Body) -> Body:
    form: dict[str, Any] = {name: value for name, value in body.items() if value not in ({}, "")}
    if form.get("hasActivationRequired") is False:
        del form["hasActivationRequired"]
    for name, grants in _GRANTS.items():
        if isinstance(entries := form.get(name), Mapping):
            form[name] = {key: entry for key, entry in entries.items() if any(entry.get(grant) for grant in grants)}
            for key, entry in form[name].items():
                # A permission that is missing in the file is false.
                form[name][key] = {grant: True for grant in grants if entry.get(grant)} | _other_entries(entry, grants)
            if not form[name]:
                del form[name]
    return form


def _other_entries(entry: Mapping[str, Any], grants: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in grants}


_RULES: Mapping[str, Callable[[Body], Body]] = {
    "CustomField": _custom_field,
    "PermissionSet": _permission_set,
    "WorkflowOutboundMessage": _outbound_message,
}
