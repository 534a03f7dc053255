"""simple-salesforce, a client that is independent of sfcode, against the local org over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import (
    Salesforce,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sfcode.local import LocalOrg


class OverHttp(HTTPAdapter):
    """Sends the https requests of the client over http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **more)


def client(org: LocalOrg, session: requests.Session, token: str | None = None) -> Salesforce:
    session.trust_env = False
    session.mount("https://", OverHttp())
    instance = org.url.removeprefix("http://")
    return Salesforce(session_id=token or org.access_token, instance=instance, version="62.0", session=session)


@pytest.fixture
def sf(org: LocalOrg) -> Iterator[Salesforce]:
    with requests.Session() as session:
        yield client(org, session)


def test_records_are_created_read_updated_and_deleted(sf: Salesforce) -> None:
    answer = sf.Contact.create({"LastName": "Kim", "Product_User_Id__c": 7})
    assert answer["success"] is True
    assert sf.Contact.update(answer["id"], {"FirstName": "Ji"}) == 204
    assert sf.Contact.get(answer["id"])["Name"] == "Ji Kim"
    assert sf.Contact.delete(answer["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(answer["id"])


def test_errors_are_raised_as_exceptions_of_the_library(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as error:
        sf.Contact.create({})
    assert error.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_queries_in_pages(sf: Salesforce) -> None:
    assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 30
    assert len(sf.query_all("SELECT Id, Account.Name FROM Contact")["records"]) == 30
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope'"):
        sf.query("SELECT Nope FROM Contact")


def test_describes_and_limits(sf: Salesforce) -> None:
    assert "Product_User_Id__c" in {field["name"] for field in sf.Lead.describe()["fields"]}
    assert any(sobject["name"] == "Lead" for sobject in sf.describe()["sobjects"])  # type: ignore[index]
    assert sf.limits()["DailyApiRequests"]["Max"] > 0


def test_the_integration_user_step_by_step(sf: Salesforce) -> None:
    """License, user and assignments are created as a script for a real org would do it."""
    profile = sf.query("SELECT Id FROM Profile WHERE Name = 'Minimum Access - API Only Integrations'")["records"][0][
        "Id"
    ]
    psl = sf.query(
        "SELECT Id, TotalLicenses, UsedLicenses FROM PermissionSetLicense WHERE DeveloperName = 'SalesforceAPIIntegrationPsl'"
    )["records"][0]
    user = sf.User.create(
        {
            "Username": "appcues@northwind.example",
            "LastName": "Appcues",
            "Alias": "appcues",
            "Email": "a@b.example",
            "ProfileId": profile,
            "TimeZoneSidKey": "GMT",
            "LocaleSidKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "LanguageLocaleKey": "en_US",
        }
    )["id"]
    sf.PermissionSetLicenseAssign.create({"AssigneeId": user, "PermissionSetLicenseId": psl["Id"]})
    query = f"SELECT Assignee.Username, PermissionSetLicense.DeveloperName, PermissionSetLicense.UsedLicenses FROM PermissionSetLicenseAssign WHERE AssigneeId = '{user}'"
    (record,) = sf.query(query)["records"]
    assert record["Assignee"]["Username"] == "appcues@northwind.example"
    assert record["PermissionSetLicense"]["UsedLicenses"] == 1


def test_a_wrong_token_is_an_expired_session(org: LocalOrg) -> None:
    with requests.Session() as session, pytest.raises(SalesforceExpiredSession):
        client(org, session, "00D000000000001!wrong").query("SELECT Id FROM User")
