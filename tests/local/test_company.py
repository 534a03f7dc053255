from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfcode.errors import ConfigError, SfcodeError
from sfcode.local import load, reset
from sfcode.local.clock import audit_stamp
from sfcode.local.seed import ensure_seeded, list_shipped, load_text
from sfcode.local.sobjects import sharing
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.store import Store

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
SMALL = """\
version: 1
company: {Name: Small, OrganizationType: Developer Edition, InstanceName: X1, IsSandbox: true}
user_licenses:
  - {Name: Salesforce, TotalLicenses: 1}
profiles:
  Admin: {license: Salesforce, objects: [read], fields: all, user_permissions: [ApiEnabled]}
users:
  - {Username: me@small.example, LastName: Me, Alias: me, Email: me@small.example, ProfileId: {Name: System Administrator},
     TimeZoneSidKey: GMT, LocaleSidKey: en_GB, LanguageLocaleKey: en_US, EmailEncodingKey: UTF-8}
components:
  CustomField:Contact.Uid__c: {type: Number, precision: 18, scale: 0, label: Uid}
  CustomObject:Visit__c: {label: Visit, pluralLabel: Visits}
records:
  Account:
    - {Name: A, BillingState: ON}
  Contact:
    - {LastName: B, Uid__c: 1, AccountId: {Name: A}}
  Visit__c:
    - {Name: first}
"""
LAUGHS = "version: 1\nlaughs:\n  - &l0 [a, b]\n" + "".join(
    f"  - &l{n + 1} [{', '.join([f'*l{n}'] * 10)}]\n" for n in range(9)
)
"""A few lines whose aliases expand to two billion values."""


def loaded(tmp_path: Path, text: str) -> Store:
    store = Store(tmp_path / "org.db")
    load_text(store, text, "small.yaml", now=NOW, rng=random.Random(1))
    return store


def test_the_shipped_company_is_what_the_documentation_says(soql: Callable[[str], list[dict[str, Any]]]) -> None:
    assert soql("SELECT Name, OrganizationType, IsSandbox FROM Organization") == [
        {"Name": "Northwind Traders", "OrganizationType": "Enterprise Edition", "IsSandbox": False}
    ]
    counts = [soql(f"SELECT COUNT(Id) n FROM {name}")[0]["n"] for name in ("Account", "Contact", "Lead")]
    assert counts == [10, 30, 15]
    blank = soql("SELECT COUNT(Id) n FROM Contact WHERE Product_User_Id__c = null")
    assert blank == [{"n": 4}]
    ids = [
        row["Product_User_Id__c"]
        for row in soql("SELECT Product_User_Id__c FROM Contact WHERE Product_User_Id__c != null")
    ]
    assert len(ids) - len(set(ids)) == 1
    licenses = soql("SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense WHERE Name = 'Salesforce Integration'")
    assert licenses == [{"Name": "Salesforce Integration", "TotalLicenses": 5, "UsedLicenses": 0}]
    assert soql("SELECT Profile.Name FROM User WHERE Username = 'admin@northwind.example'") == [
        {"Profile": {"Name": "System Administrator"}}
    ]


def test_profiles_are_rows_with_a_permission_set_of_their_own(soql: Callable[[str], list[dict[str, Any]]]) -> None:
    rows = soql("SELECT Profile.Name, IsOwnedByProfile FROM PermissionSet WHERE Profile.Name = 'Standard User'")
    assert rows == [{"Profile": {"Name": "Standard User"}, "IsOwnedByProfile": True}]
    assert soql(
        "SELECT PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE Parent.Profile.Name = 'Standard User' AND Field = 'Contact.Plan__c'"
    ) == [{"PermissionsRead": True, "PermissionsEdit": True}]
    assert soql(
        "SELECT PermissionsModifyAllRecords FROM ObjectPermissions WHERE Parent.Profile.Name = 'System Administrator' AND SobjectType = 'Lead'"
    ) == [{"PermissionsModifyAllRecords": True}]


def test_creating_an_org_keeps_an_existing_one(tmp_path: Path) -> None:
    with loaded(tmp_path, SMALL) as store:
        ensure_seeded(store, now=NOW, rng=random.Random(1))
        with store.read() as tx:
            assert tx.records.list_all("Organization")[0]["Name"] == "Small"


def test_a_company_file_becomes_an_org(tmp_path: Path) -> None:
    with loaded(tmp_path, SMALL) as store, store.read() as tx:
        (contact,) = tx.records.list_all("Contact")
        (account,) = tx.records.list_all("Account")
        (user,) = tx.records.list_all("User")
        profile = tx.components.get("Profile", "Admin")
        assert tx.records.count("Visit__c") == 1
    assert contact["AccountId"] == account["Id"]
    assert account["BillingState"] == "ON"
    assert user["CreatedById"] == user["Id"]
    assert profile is not None
    field_permissions = profile.component.body["fieldPermissions"]
    assert isinstance(field_permissions, dict)
    assert {name for name in field_permissions if name.endswith("__c")} == {"Contact.Uid__c"}
    assert (
        field_permissions["Contact.Uid__c"]
        == field_permissions["Contact.MailingAddress"]
        == {"editable": True, "readable": True}
    )
    assert not {"Contact.LastName", "Contact.MailingCity", "Event.Subject"} & field_permissions.keys()


def test_loading_keeps_the_org_and_who_is_signed_in(seed: Path, tmp_path: Path) -> None:
    company = tmp_path / "small.yaml"
    company.write_text(SMALL)
    reset(tmp_path)
    with Store(tmp_path / "org.db") as store, store.transaction() as tx:
        before = (tx.settings.get("org_id"), tx.settings.get("admin_id"))
        tx.sessions.put("token", tx.settings.get("admin_id") or "", now=NOW)
    load(tmp_path, company)
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        assert (tx.settings.get("org_id"), tx.settings.get("admin_id")) == before
        session = tx.sessions.get("token")
        assert session is not None
        assert tx.records.get("User", session.user_id) is not None
        assert tx.records.count("Contact") == 1
    reset(tmp_path)
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        assert tx.records.count("Contact") == 30


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("records:\n", "recrods:\n", ["small.yaml:13:1: recrods: there is no such section; the sections are version, company, production, user_licenses, permission_set_licenses, profiles, users, components, records"]),
        ("version: 1", "version: 2", ["small.yaml:1:1: version: this sfcode reads version 1 of company files"]),
        ("LastName: B", "LastName: B, LastName: C", ["small.yaml:17:21: records.Contact[0].LastName: this key is here twice; keep one of them"]),
        ("LastName: B", "Nope__c: B", ["small.yaml:17:7: records.Contact[0]: INVALID_FIELD: No such column 'Nope__c' on sobject of type Contact"]),
        ("Uid__c: 1", "Uid__c: one", ["small.yaml:17:7: records.Contact[0]: JSON_PARSER_ERROR: Cannot deserialize instance of double from VALUE_STRING value one or request may be missing a required field at [line:1, column:1]"]),
        ("AccountId: {Name: A}", "AccountId: {Name: Z}", ["small.yaml:17:32: records.Contact[0].AccountId: no record with Name Z; write it further up"]),
        ("Visit__c:\n", "Visti__c:\n", ["small.yaml:18:3: records.Visti__c: there is no object Visti__c; declare it under components"]),
        ("type: Number", "type: Numeric", ["small.yaml:11:32: components.CustomField:Contact.Uid__c.type: there is no field type Numeric; one of AutoNumber, Checkbox, "]),
        ("Alias: me,", "Alias: far.too.long,", ["small.yaml:8:48: users[0].Alias: STRING_TOO_LONG: Alias: data value too large: far.too.long (max length=8)"]),
        ("license: Salesforce,", "license: Nothing,", ["small.yaml:6:11: profiles.Admin.license: there is no user license Nothing"]),
        ("company: {Name: Small,", "company: {Nmae: Small,", ["small.yaml:2:11: company.Nmae: Organization has no field Nmae"]),
        ("users:\n", "users: {}\nxs:\n", ["small.yaml:7:1: users: the section users is missing or empty", "small.yaml:8:1: xs: there is no such section"]),
        ("version: 1", "version: [", ["this is not YAML"]),
        ("version: 1", f"version: {'[' * 1_000_000}", ["small.yaml:1:49: nested deeper than 40 levels; reduce the nesting"]),
        ("version: 1", f"version: {'- ' * 100_000}", ["small.yaml:1:10: this is not YAML: block sequence entries are not allowed"]),
        ("{LastName: B,", "&contact {Owner: *contact, LastName: B,", ["small.yaml:17:7: more than "]),
        ("version: 1", LAUGHS, ["values after the aliases are expanded; use fewer aliases"]),
    ],
)  # fmt: skip
def test_problems_of_a_company_file_are_reported_at_once(
    tmp_path: Path, old: str, new: str, problems: list[str]
) -> None:
    """All problems have their position, and the org is unchanged."""
    with loaded(tmp_path, SMALL) as store:
        assert old in SMALL
        with pytest.raises(ConfigError) as error:
            load_text(store, SMALL.replace(old, new, 1), "small.yaml", now=NOW, rng=random.Random(1))
        messages = [str(problem) for problem in error.value.problems]
        for problem in problems:
            assert any(problem in message for message in messages), messages
        with store.read() as tx:
            assert tx.records.count("Contact") == 1


def test_a_missing_company_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SfcodeError, match=r"nothing\.yaml: cannot be read"):
        load(tmp_path, tmp_path / "nothing.yaml")


def test_a_company_sets_org_wide_defaults(tmp_path: Path) -> None:
    text = SMALL + "\nsharing: {Contact: Private, Activity: ControlledByParent}\n"
    with loaded(tmp_path, text) as store, store.read() as tx:
        objects = [Catalog(tx).object(name) for name in ("Contact", "Event", "Lead")]
        models = [sharing.get_model(tx, definition) for definition in objects if definition]
    assert models == ["Private", "ControlledByParent", "ReadWriteTransfer"]


@pytest.mark.parametrize(
    ("section", "error_text"),
    [("{Nope: Private}", "there is no object Nope"), ("{Contact: Secret}", "there is no sharing model Secret")],
)
def test_invalid_org_wide_defaults_are_refused(tmp_path: Path, section: str, error_text: str) -> None:
    with pytest.raises(ConfigError, match=error_text), loaded(tmp_path, f"{SMALL}\nsharing: {section}\n"):
        pass


def test_every_shipped_company_loads_and_northwind_is_in_each(tmp_path: Path) -> None:
    assert list_shipped() == ["clicked", "northwind", "subscribers"]
    for name in list_shipped():
        load(tmp_path / name, name)
        with Store(tmp_path / name / "org.db") as store, store.read() as tx:
            counts = {
                object_name: tx.records.count(object_name)
                for object_name in ("Account", "Contact", "Lead", "Subscriber__c")
            }
            assert counts == {
                "Account": 10,
                "Contact": 30,
                "Lead": 15,
                "Subscriber__c": 6 if name == "subscribers" else 0,
            }


def test_a_company_extends_a_shipped_one(tmp_path: Path) -> None:
    """Lists are appended, mappings merged, values replaced."""
    text = """\
version: 1
extends: northwind
company: {Name: Southwind}
components:
  CustomField:Contact.Tier__c: {label: Tier, type: Text, length: 9}
records:
  Contact:
    - {LastName: Added, Tier__c: gold, AccountId: {Name: Bluefin Logistics}}
"""
    with loaded(tmp_path, text) as store, store.read() as tx:
        (organization,) = tx.records.list_all("Organization")
        assert (organization["Name"], organization["City"]) == ("Southwind", "Portland")
        assert tx.records.count("Contact") == 31
        (added,) = tx.records.find("Contact", "LastName", "Added")
        assert added["Tier__c"] == "gold"
        assert len(tx.records.find("User", "IsActive", True)) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extends: nothing\n", "small.yaml:1:1: extends: there is no shipped company nothing"),
        ("extends: northwind\nrecords:\n  Contact:\n    - {LastName: Fine}\n    - {LastNam: B}\n",
         "small.yaml:5:7: records.Contact[1]: INVALID_FIELD: No such column 'LastNam'"),
        ("extends: northwind\nrecords:\n  Visit__c:\n    - {Name: A}\n", "small.yaml:3:3: records.Visit__c: there is no object"),
        ("extends: northwind\nusers:\n  - {Username: x}\n", "small.yaml:3:5: users[0]"),
    ],
)  # fmt: skip
def test_problems_of_an_extension_have_their_position(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error, loaded(tmp_path, text):
        pass
    messages = [str(message) for message in error.value.problems]
    assert any(problem in message for message in messages), messages


def test_records_are_older_than_the_load(tmp_path):
    """Since records are older than the load, a field that an apply creates in the same second has no values in them."""
    with Store(tmp_path / "org") as store:
        ensure_seeded(store, now=NOW, rng=random.Random(1))
        with store.read() as tx:
            modified = {str(row["SystemModstamp"]) for name in ("Contact", "Lead") for row in tx.records.list_all(name)}
    assert modified
    assert max(modified) < audit_stamp(NOW)
