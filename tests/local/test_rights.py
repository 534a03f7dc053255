"""Objects, fields and records without permission are hidden or refused in every API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import LocalOrg
from sfcode.local.sobjects import sharing
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON, Rest, open_fields

ADMIN = "admin@northwind.example"
SAM = "sam.seller@northwind.example"
ANA = "ana.limited@northwind.example"
CRED = {"allowCreate": True, "allowDelete": True, "allowEdit": True, "allowRead": True}
READ_EDIT = {"allowEdit": True, "allowRead": True}
READ = {"allowRead": True}
Ask = Callable[[str], Rest]


@dataclass
class Company:
    """The file with the state, which a test changes directly and not through the API."""

    state: Path

    def grant(self, **body: Any) -> None:
        """Set the permissions of Ana's permission set, in addition to a profile that grants only API access."""
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            stored = tx.components.get("PermissionSet", "Ana")
            assert stored is not None
            new = {**stored.component.body, **body}
            tx.components.put(Component("PermissionSet", "Ana", new), user_id="u", now=NOON)

    def private(self, **models: str) -> None:
        """Set org-wide defaults."""
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            for name, model in models.items():
                sharing.set_model(tx, name, model)


@pytest.fixture
def company(state: Path) -> Company:
    return Company(state)


@pytest.fixture
def ask(rest: Rest, org: LocalOrg, state: Path) -> Iterator[Ask]:
    """Return a function that signs in as a user."""
    with Store(state / "org.db") as store, store.transaction() as tx:
        tx.components.put(Component("PermissionSet", "Ana", {"label": "Ana"}), user_id="u", now=NOON)
        body = {"custom": True, "userLicense": "Salesforce", "userPermissions": {"ApiEnabled": {"enabled": True}}}
        tx.components.put(Component("Profile", "Bare", body), user_id="u", now=NOON)
    profile = rest.value("SELECT Id FROM Profile WHERE Name = 'Bare'")
    common = {"Email": ANA, "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US", "LocaleSidKey": "en_US"}
    identity = {"Username": ANA, "LastName": "Limited", "Alias": "ana", "TimeZoneSidKey": "Europe/Lisbon"}
    user = rest.create("User", **common, **identity, ProfileId=profile)
    permission_set = rest.value("SELECT Id FROM PermissionSet WHERE Name = 'Ana'")
    rest.create("PermissionSetAssignment", AssigneeId=user, PermissionSetId=permission_set)
    opened: list[Rest] = []

    def ask(username: str) -> Rest:
        token = rest.session.post(f"{org.url}/services/sfcode/tokens", json={"username": username}).json()
        client = Rest(org)
        client.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        opened.append(client)
        return client

    yield ask
    for client in opened:
        client.session.close()


def test_only_the_administrator_gets_tokens_for_others(ask: Ask, rest: Rest) -> None:
    ana = ask(ANA)
    assert ana("GET", "").json()["identity"] != rest("GET", "").json()["identity"]
    refused = ana.session.post(f"{ana.org.url}/services/sfcode/tokens", json={"username": ADMIN})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "FORBIDDEN")
    unknown = rest.session.post(f"{ana.org.url}/services/sfcode/tokens", json={"username": "nobody@x.example"})
    assert unknown.status_code == 404


def test_without_api_enabled_nothing_is_answered(ask: Ask, state: Path) -> None:
    ana = ask(ANA)
    with Store(state / "org.db") as store, store.transaction() as tx:
        body = {"custom": True, "userLicense": "Salesforce"}
        tx.components.put(Component("Profile", "Bare", body), user_id="u", now=NOON)
    expected = (403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner", None)
    assert ana.error("GET", "/sobjects") == expected
    assert ana.error("GET", "/query", params={"q": "SELECT Id FROM Contact"}) == expected


def test_an_object_without_read_is_hidden(ask: Ask, rest: Rest, company: Company) -> None:
    """The object is missing from the list, has no describe, cannot be queried, and its records do not exist for the user."""
    ana, contact = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    listed = {sobject["name"] for sobject in ana("GET", "/sobjects").json()["sobjects"]}
    assert not {"Contact", "Account", "Event", "PermissionSet"} & listed
    assert {"User", "Profile", "Organization"} <= listed
    for path in ("/sobjects/Contact/describe", f"/sobjects/Contact/{contact}"):
        assert ana.error("GET", path)[:2] == (404, "NOT_FOUND")
    assert ana.error("POST", "/sobjects/Contact", json={"LastName": "x"})[:2] == (404, "NOT_FOUND")
    status, code, message, _ = ana.error("GET", "/query", params={"q": "SELECT Id FROM Contact"})
    assert (status, code) == (400, "INVALID_TYPE")
    assert "sObject type 'Contact' is not supported." in message
    company.grant(objectPermissions={"Contact": READ})
    assert len(ana.rows("SELECT Id FROM Contact")) == 30
    assert ana.error("GET", "/query", params={"q": "SELECT Account.Name FROM Contact"})[1] == "INVALID_FIELD"


def test_each_object_permission_allows_one_operation(ask: Ask, rest: Rest, company: Company) -> None:
    """Read, create, edit and delete are separate permissions, also in describes."""
    ana, contact_of_others = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(objectPermissions={"Contact": READ})
    insert = (400, "INVALID_TYPE_FOR_OPERATION", "entity type cannot be inserted: Contact", [])
    locked = (403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
    assert ana.error("POST", "/sobjects/Contact", json={"LastName": "x"}) == insert
    assert ana.error("PATCH", f"/sobjects/Contact/{contact_of_others}", json={"LastName": "x"}) == locked
    assert ana.error("DELETE", f"/sobjects/Contact/{contact_of_others}") == locked
    about = ana("GET", "/sobjects/Contact/describe").json()
    assert (about["createable"], about["updateable"], about["deletable"]) == (False, False, False)
    company.grant(objectPermissions={"Contact": CRED})
    own_contact = ana.create("Contact", LastName="Mine")
    assert ana("PATCH", f"/sobjects/Contact/{own_contact}", json={"LastName": "Still"}).status_code == 204
    assert ana("PATCH", f"/sobjects/Contact/{contact_of_others}", json={"LastName": "x"}).status_code == 204, (
        "public read/write"
    )
    assert ana.error("DELETE", f"/sobjects/Contact/{contact_of_others}") == locked, "only owners delete"
    assert ana("DELETE", f"/sobjects/Contact/{own_contact}").status_code == 204


def test_a_field_without_read_is_hidden(ask: Ask, rest: Rest, company: Company) -> None:
    """The field is missing from describe, records and queries, and a write to it is refused as an unknown column."""
    ana, contact = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(objectPermissions={"Contact": READ_EDIT})
    names = {field["name"] for field in ana("GET", "/sobjects/Contact/describe").json()["fields"]}
    assert {"Id", "LastName", "OwnerId", "Name"} <= names
    assert not {"Email", "Title", "Plan__c", "MailingCity", "AccountId"} & names
    assert "Email" not in ana("GET", f"/sobjects/Contact/{contact}").json()
    for clause in ("Email FROM Contact", "Id FROM Contact WHERE Email = 'x'", "Id FROM Contact ORDER BY Email"):
        status, code, message, _ = ana.error("GET", "/query", params={"q": f"SELECT {clause}"})
        assert (status, code) == (400, "INVALID_FIELD")
        assert "No such column 'Email' on entity 'Contact'." in message
    assert ana.error("PATCH", f"/sobjects/Contact/{contact}", json={"Email": "a@b.example"}) == (
        400, "INVALID_FIELD", "No such column 'Email' on sobject of type Contact", None
    )  # fmt: skip


def test_a_field_without_edit_is_read_only(ask: Ask, rest: Rest, company: Company) -> None:
    ana, contact = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(objectPermissions={"Contact": CRED}, fieldPermissions={"Contact.Title": {"readable": True}})
    assert "Title" in ana("GET", f"/sobjects/Contact/{contact}").json()
    status, code, message, fields = ana.error("PATCH", f"/sobjects/Contact/{contact}", json={"Title": "x"})
    assert (status, code, fields) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Title"])
    assert message.startswith("Unable to create/update fields: Title. Please check the security settings of this field")
    assert ana.error("POST", "/sobjects/Contact", json={"LastName": "x", "Title": "x"})[1] == code


def test_an_address_is_opened_as_a_whole(ask: Ask, company: Company) -> None:
    ana = ask(ANA)
    rights = {"Contact.MailingAddress": {"editable": True, "readable": True}}
    company.grant(objectPermissions={"Contact": CRED}, fieldPermissions=rights)
    contact = ana.create("Contact", LastName="x", MailingCity="Lisboa")
    assert ana.value(f"SELECT MailingAddress FROM Contact WHERE Id = '{contact}'")["city"] == "Lisboa"


def test_a_field_deployed_without_permissions_is_hidden_from_the_administrator_too(rest: Rest, state: Path) -> None:
    """In an org nobody can read such a field, but everybody can read a required one."""
    with Store(state / "org.db") as store, store.transaction() as tx:
        for name, more in (("Contact.Secret__c", {}), ("Contact.Needed__c", {"required": True})):
            body = {"label": "x", "type": "Text", "length": 20, **more}
            tx.components.put(Component("CustomField", name, body), user_id="u", now=NOON)
    assert rest.error("GET", "/query", params={"q": "SELECT Secret__c FROM Contact"})[1] == "INVALID_FIELD"
    names = {field["name"] for field in rest("GET", "/sobjects/Contact/describe").json()["fields"]}
    assert "Needed__c" in names
    assert "Secret__c" not in names
    with Store(state / "org.db") as store, store.transaction() as tx:
        open_fields(tx, "Contact.Secret__c")
    assert len(rest.rows("SELECT Secret__c FROM Contact")) == 30


@pytest.mark.parametrize(("name", "permission"), [("Event", "EditEvent"), ("Task", "EditTask")])
def test_activities_require_user_permissions(ask: Ask, company: Company, name: str, permission: str) -> None:
    """Without Edit Events an event cannot be created, whatever else is granted."""
    ana = ask(ANA)
    company.grant(objectPermissions={"Contact": CRED})
    values = {"Subject": "s"}
    if name == "Event":
        values |= {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5}
    assert ana.error("POST", f"/sobjects/{name}", json=values)[:2] == (404, "NOT_FOUND")
    company.grant(userPermissions={"ActivitiesAccess": {"enabled": True}})
    assert ana.error("POST", f"/sobjects/{name}", json=values) == (
        400, "INVALID_TYPE_FOR_OPERATION", f"entity type cannot be inserted: {name}", []
    )  # fmt: skip
    company.grant(userPermissions={permission: {"enabled": True}})
    activity = ana.create(name, **values)
    assert ana.rows(f"SELECT Id FROM {name}")[0]["Id"] == activity


def test_with_private_contacts_every_user_sees_their_own(ask: Ask, rest: Rest, company: Company) -> None:
    """Records of other users cannot be read, changed, deleted or referred to."""
    company.private(Contact="Private")
    ana = ask(ANA)
    company.grant(objectPermissions={"Contact": CRED}, userPermissions={"EditEvent": {"enabled": True}})
    own_contact = ana.create("Contact", LastName="Mine")
    contact_of_others = rest.value("SELECT Id FROM Contact WHERE LastName = 'Okafor'")
    assert [row["Id"] for row in ana.rows("SELECT Id FROM Contact")] == [own_contact]
    assert ana("GET", "/query", params={"q": "SELECT COUNT() FROM Contact"}).json()["totalSize"] == 1
    assert ana.error("GET", f"/sobjects/Contact/{contact_of_others}")[:2] == (404, "NOT_FOUND")
    assert ana("GET", f"/composite/sobjects/Contact?ids={contact_of_others},{own_contact}&fields=Id").json()[0] is None
    code = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert ana.error("PATCH", f"/sobjects/Contact/{contact_of_others}", json={"LastName": "x"})[:2] == (400, code)
    assert ana.error("DELETE", f"/sobjects/Contact/{contact_of_others}")[:2] == (400, code)
    company.grant(fieldPermissions={"Event.WhoId": {"editable": True, "readable": True}})
    event = {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5, "WhoId": contact_of_others}
    assert ana.error("POST", "/sobjects/Event", json=event) == (
        400, code, f"insufficient access rights on cross-reference id: {contact_of_others[:15]}", []
    )  # fmt: skip
    collected = ana("PATCH", "/composite/sobjects", json={"records": [
        {"attributes": {"type": "Contact"}, "Id": entry, "LastName": "Both"} for entry in (contact_of_others, own_contact)
    ]}).json()  # fmt: skip
    assert [entry["success"] for entry in collected] == [False, True]
    assert collected[0]["errors"][0]["statusCode"] == code
    assert rest.value(f"SELECT LastName FROM Contact WHERE Id = '{contact_of_others}'") == "Okafor"


@pytest.mark.parametrize(
    ("rights", "opened"),
    [
        (READ_EDIT, {"sees": False, "edits": False, "deletes": False}),
        (READ_EDIT | {"viewAllRecords": True}, {"sees": True, "edits": False, "deletes": False}),
        (CRED | {"viewAllRecords": True, "modifyAllRecords": True}, {"sees": True, "edits": True, "deletes": True}),
    ],
)
def test_view_all_and_modify_all_open_private_records(
    ask: Ask, rest: Rest, company: Company, rights: dict[str, bool], opened: dict[str, bool]
) -> None:
    company.private(Contact="Private")
    ana, contact_of_others = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(objectPermissions={"Contact": rights})
    assert (len(ana.rows("SELECT Id FROM Contact")) == 30) is opened["sees"]
    path = f"/sobjects/Contact/{contact_of_others}"
    assert (ana("PATCH", path, json={"LastName": "x"}).status_code == 204) is opened["edits"]
    assert (ana("DELETE", path).status_code == 204) is opened["deletes"]


def test_the_users_own_view_all_and_modify_all_data_open_everything(ask: Ask, rest: Rest, company: Company) -> None:
    company.private(Contact="Private")
    ana, contact_of_others = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(userPermissions={"ViewAllData": {"enabled": True}})
    assert len(ana.rows("SELECT Id FROM Contact")) == 30
    assert ana("PATCH", f"/sobjects/Contact/{contact_of_others}", json={"LastName": "x"}).status_code == 403
    company.grant(userPermissions={"ModifyAllData": {"enabled": True}})
    assert ana("PATCH", f"/sobjects/Contact/{contact_of_others}", json={"LastName": "x"}).status_code == 204


def test_a_contact_controlled_by_its_account_is_seen_with_it(ask: Ask, rest: Rest, company: Company) -> None:
    company.private(Account="Private", Contact="ControlledByParent")
    ana = ask(ANA)
    company.grant(objectPermissions={"Contact": READ_EDIT, "Account": CRED})
    assert ana.rows("SELECT Id FROM Contact") == []
    account = ana.create("Account", Name="Mine")
    contact = rest.create("Contact", LastName="x", AccountId=account)
    assert [row["Id"] for row in ana.rows("SELECT Id FROM Contact")] == [contact]
    assert ana("PATCH", f"/sobjects/Contact/{contact}", json={"LastName": "y"}).status_code == 204


def test_an_event_is_read_by_those_who_see_its_contact_and_changed_by_its_owner(
    ask: Ask, rest: Rest, company: Company
) -> None:
    ana, contact = ask(ANA), rest.value("SELECT Id FROM Contact LIMIT 1")
    company.grant(objectPermissions={"Contact": READ}, userPermissions={"EditEvent": {"enabled": True}})
    times = {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5}
    about = rest.create("Event", WhoId=contact, **times)
    rest.create("Event", Subject="Lunch", **times)
    assert [row["Id"] for row in ana.rows("SELECT Id FROM Event")] == [about]
    assert ana("PATCH", f"/sobjects/Event/{about}", json={"Subject": "x"}).status_code == 403
    company.private(Contact="Private")
    assert ana.rows("SELECT Id FROM Event") == []


def test_setup_objects_require_view_setup(ask: Ask, rest: Rest, company: Company) -> None:
    """Other users see only their own assignments, and cannot create any."""
    ana = ask(ANA)
    assert ana.error("GET", "/query", params={"q": "SELECT Id FROM PermissionSet"})[1] == "INVALID_TYPE"
    assert len(ana.rows("SELECT Id FROM PermissionSetAssignment")) == 1
    permission_set = rest.value("SELECT Id FROM PermissionSet WHERE Name = 'Ana'")
    sam = rest.value(f"SELECT Id FROM User WHERE Username = '{SAM}'")
    body = {"AssigneeId": sam, "PermissionSetId": permission_set}
    assert ana.error("POST", "/sobjects/PermissionSetAssignment", json=body)[1] == "INVALID_TYPE_FOR_OPERATION"
    assert ana.error("PATCH", f"/sobjects/User/{sam}", json={"Title": "x"})[1] == "INSUFFICIENT_ACCESS_OR_READONLY"
    company.grant(userPermissions={name: {"enabled": True} for name in ("AssignPermissionSets", "ViewSetup")})
    assert ana("POST", "/sobjects/PermissionSetAssignment", json=body).status_code == 201


def test_a_standard_user_works_with_records_and_nothing_else(ask: Ask) -> None:
    sam = ask(SAM)
    account = sam.create("Account", Name="Mine", Industry="Energy")
    sam.create("Contact", LastName="x", AccountId=account, Plan__c="free")
    assert sam.error("GET", "/query", params={"q": "SELECT Id FROM PermissionSet"})[1] == "INVALID_TYPE"


def test_bulk_jobs_have_the_rights_of_their_creator(ask: Ask, company: Company) -> None:
    company.private(Contact="Private")
    ana = ask(ANA)
    company.grant(objectPermissions={"Contact": READ})
    ask_for = {"operation": "query", "query": "SELECT Id, Email FROM Contact"}
    assert ana.error("POST", "/jobs/query", json=ask_for)[1] == "INVALID_FIELD"
    response = ana("POST", "/jobs/ingest", json={"object": "Lead", "operation": "insert"})
    assert response.json()[0]["errorCode"] == "INVALIDJOB"


def test_static_resources_are_made_by_who_may_customize_the_application(ask: Ask, company: Company) -> None:
    ana = ask(ANA)
    values = {"Name": "Note", "Body": "eA==", "ContentType": "text/plain", "CacheControl": "Private"}
    assert ana.error("POST", "/sobjects/StaticResource", json=values)[1] == "INVALID_TYPE_FOR_OPERATION"
    company.grant(userPermissions={"CustomizeApplication": {"enabled": True}})
    ana.create("StaticResource", **values)


def test_a_contact_without_an_account_is_private(ask: Ask, rest: Rest, company: Company) -> None:
    """
    Only the owner and View All can read it, and only the owner and Modify All can change it, whatever the default is.

    https://help.salesforce.com/s/articleView?id=sales.contacts_sharing_considerations.htm&type=5
    """
    private = rest("POST", "/sobjects/Contact", json={"LastName": "Alone"}).json()["id"]
    company.grant(objectPermissions={"Contact": {"allowRead": True, "allowEdit": True}})
    ana = ask(ANA)
    assert ana("GET", f"/sobjects/Contact/{private}").status_code == 404
    assert ana.rows("SELECT Id FROM Contact WHERE LastName = 'Alone'") == []
    company.grant(objectPermissions={"Contact": {"allowRead": True, "allowEdit": True, "viewAllRecords": True}})
    assert ana("GET", f"/sobjects/Contact/{private}").status_code == 200
    refused = ana("PATCH", f"/sobjects/Contact/{private}", json={"Title": "x"})
    assert refused.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert rest("PATCH", f"/sobjects/Contact/{private}", json={"Title": "x"}).status_code == 204
