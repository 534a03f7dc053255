"""What the org returns about itself: objects with their org-wide defaults, and the caller's permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sfcode.local import LocalOrg
from sfcode.local.sobjects.rows import Rows
from sfcode.local.sobjects.sharing import set_model
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON, Rest
from tests.waiting import PATIENCE

OWN = "SELECT PermissionsModifyMetadata, PermissionsManageUsers, PermissionsApiEnabled FROM UserPermissionAccess"


def test_entity_definition_returns_org_wide_defaults(store: Store, soql: Callable[[str], list[dict[str, Any]]]) -> None:
    """EntityDefinition has every object with data, with its configured or deployed default."""
    with store.transaction() as tx:
        set_model(tx, "Contact", "Private")
        body = {"label": "Pet", "pluralLabel": "Pets", "sharingModel": "Read"}
        tx.components.put(Component("CustomObject", "Pet__c", body), user_id="u", now=NOON)
    rows = soql("SELECT QualifiedApiName, InternalSharingModel FROM EntityDefinition")
    models = {row["QualifiedApiName"]: row["InternalSharingModel"] for row in rows}
    assert (models["Contact"], models["Pet__c"], models["Lead"]) == ("Private", "Read", "ReadWriteTransfer")
    assert "Organization" not in models


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("QualifiedApiName = 'contact'", {"Contact"}),
        ("QualifiedApiName IN ('Lead', 'PET__C', 'Organization', 'Nothing')", {"Lead", "Pet__c"}),
        ("QualifiedApiName IN ('Lead', 'Contact') AND InternalSharingModel = 'Private'", {"Contact"}),
        ("QualifiedApiName = 'Lead' OR InternalSharingModel = 'Read'", {"Lead", "Pet__c"}),
    ],
)
def test_requested_objects_equal_those_of_the_whole_list(
    store: Store, soql: Callable[[str], list[dict[str, Any]]], condition: str, names: set[str]
) -> None:
    with store.transaction() as tx:
        set_model(tx, "Contact", "Private")
        tx.components.put(Component("CustomObject", "Pet__c", {"sharingModel": "Read"}), user_id="u", now=NOON)
    fields = "SELECT Id, DurableId, QualifiedApiName, Label, KeyPrefix, InternalSharingModel FROM EntityDefinition"
    every = [row for row in soql(fields) if row["QualifiedApiName"] in names]
    assert {row["QualifiedApiName"] for row in every} == names
    assert soql(f"{fields} WHERE {condition}") == every


def test_only_the_requested_objects_are_read(store: Store) -> None:
    """The full list has more than 200 objects, and each of them needs several queries."""
    with store.read() as tx:
        statements: list[str] = []
        tx._db.set_trace_callback(statements.append)
        Rows(tx).find_any("EntityDefinition", "QualifiedApiName", ["Lead"])
        by_name = len(statements)
        Rows(tx).all("EntityDefinition")
        tx._db.set_trace_callback(None)
    assert 0 < by_name * 20 < len(statements)


def test_every_user_reads_only_their_own_permissions(org: LocalOrg, rest: Rest) -> None:
    """UserPermissionAccess has one row, which is about the caller, and can be read without View Setup."""

    def own(token: str) -> list[bool]:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{org.url}/services/data/v62.0/query"
        (row,) = requests.get(address, params={"q": OWN}, headers=headers, timeout=PATIENCE).json()["records"]
        return [value for name, value in row.items() if name != "attributes"]

    seller = rest.session.post(
        f"{org.url}/services/sfcode/tokens", json={"username": "sam.seller@northwind.example"}
    ).json()["access_token"]
    assert own(org.access_token) == [True, True, True]
    assert own(seller) == [False, False, True]
