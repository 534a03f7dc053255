"""Store components in the org, by the rules of each type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sfcode.local.metadata.deploy.canonical import REPLACED_SINCE, merge, normalize
from sfcode.local.metadata.deploy.package_items import PackageItem
from sfcode.local.metadata.deploy.production import with_landing_status
from sfcode.local.metadata.org_form import org_form
from sfcode.local.store import OrgTransaction, Put, StoredFlowVersion
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
    put: Put


def store_item(tx: OrgTransaction, item: PackageItem, author: Author) -> StoredItem:
    """Store one component; a body with the same meaning changes nothing."""
    component = normalize(item.component)
    if component.type == "Flow":
        return _flow(tx, with_landing_status(tx, component), author)
    if component.type == "FlowDefinition":
        return _flow_definition(tx, component, author)
    stored = tx.components.get(component.type, component.full_name)
    before = stored.component.body if stored else None
    if component.type == "ExtlClntAppGlobalOauthSettings":
        from sfcode.local.signin.apps import with_keys  # of the few packages that hold an app

        component = Component(component.type, component.full_name, with_keys(component.body, before or {}))
    if stored is not None:
        # The name stays as it was first written.
        component = Component(component.type, stored.component.full_name, component.body)
        if _merges(component.type, author.api_version):
            component = normalize(
                Component(component.type, component.full_name, merge(stored.component.body, component.body))
            )
        if stored.raw == item.raw and _same(stored.component, component, author):
            return StoredItem(component, before, Put(changed=False, created=False, id=stored.id))
    put = tx.components.put(component, user_id=author.user_id, now=author.now, raw=item.raw)
    if component.type in ("ExternalClientApplication", "ExtlClntAppOauthSettings"):
        from sfcode.local.signin.apps import make_default_policies

        if (policies := make_default_policies(tx, component)) is not None:
            tx.components.put(normalize(policies), user_id=author.user_id, now=author.now)
    return StoredItem(component, before, put)


def _merges(type_: str, api_version: float) -> bool:
    return type_ in {"CustomObject", "Profile"} or (type_ == "PermissionSet" and api_version < REPLACED_SINCE)


def _same(one: Component, other: Component, author: Author) -> bool:
    return org_form(one, author.api_version) == org_form(other, author.api_version)


def _flow(tx: OrgTransaction, component: Component, author: Author) -> StoredItem:
    versions = tx.flows.versions(component.full_name)
    latest = versions[-1] if versions else None
    before = latest.body if latest else None
    if latest is None or not _same_but_status(latest, component, author):
        version = tx.flows.add_version(component, user_id=author.user_id, now=author.now)
        return StoredItem(component, before, Put(changed=True, created=latest is None, id=version.id))
    # Status alone makes no version: https://github.com/scolladon/sfdx-git-delta/issues/588 . It wakes
    # a flow that sleeps, but neither stops one nor moves it from one version to another.
    wakes = component.body.get("status") == "Active" and not any(version.status == "Active" for version in versions)
    if wakes:
        tx.flows.activate(component.full_name, latest.number, user_id=author.user_id, now=author.now)
    return StoredItem(component, before, Put(changed=wakes, created=False, id=latest.id))


def _same_but_status(version: StoredFlowVersion, component: Component, author: Author) -> bool:
    known, given = (
        Component("Flow", component.full_name, {name: value for name, value in body.items() if name != "status"})
        for body in (version.body, component.body)
    )
    return _same(known, given, author)


def _flow_definition(tx: OrgTransaction, component: Component, author: Author) -> StoredItem:
    name = component.full_name
    versions = tx.flows.versions(name)
    number = component.body.get("activeVersionNumber") or None
    active = next((version.number for version in versions if version.status == "Active"), None)
    known = {version.number for version in versions}
    if versions and number != active and (number is None or number in known):
        tx.flows.activate(name, int(str(number)) if number else None, user_id=author.user_id, now=author.now)
    id_ = versions[-1].definition_id if versions else ""
    return StoredItem(component, {"activeVersionNumber": active}, Put(changed=number != active, created=False, id=id_))
