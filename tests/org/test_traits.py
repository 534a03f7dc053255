"""Traits that differ between orgs are requested once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.local import serve
from sfcode.org import Seats, connect
from tests.org.servers import Answer, Request, as_json

ROWS: dict[str, list[dict[str, Any]]] = {
    "Organization": [{"Id": "00D000000000001EAA", "Name": "Acme", "IsSandbox": False, "OrganizationType": "Enterprise Edition", "InstanceName": "EU1", "LanguageLocaleKey": "de"}],
    "Profile": [{"Id": "00e1", "Name": "Standardbenutzer", "UserLicense": {"Name": "Salesforce"}}, {"Id": "00e2", "Name": "Own", "UserLicense": None}],
    "UserLicense": [{"Name": "Salesforce", "TotalLicenses": 10, "UsedLicenses": 7}],
    "PermissionSetLicense": [{"DeveloperName": "Psl", "TotalLicenses": None, "UsedLicenses": 0}],
    "EntityDefinition": [{"QualifiedApiName": "Contact", "InternalSharingModel": "Private"}, {"QualifiedApiName": "X__c", "InternalSharingModel": None}],
}  # fmt: skip
REFUSED = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]


def answer_part(request: dict[str, str], refused: str, fields: tuple[str, ...]) -> dict[str, Any]:
    url = unquote(request["url"])
    status, body = 200, {}
    if "/describe" in url:
        name = url.split("/")[-2]
        body = {"name": name, "label": name, "fields": [{"name": field, "type": "string"} for field in fields]}
        if name == "Nowhere__c":
            status, body = 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    elif url.endswith("/limits"):
        body = {"DailyApiRequests": {"Max": 15000, "Remaining": 14000}}
    else:
        soql = parse_qs(urlsplit(request["url"]).query)["q"][0]
        name = soql.partition(" FROM ")[2].split()[0]
        body = {"done": True, "totalSize": len(ROWS[name]), "records": ROWS[name]}
        if name == refused:
            status, body = 403, REFUSED
    return {"referenceId": request["referenceId"], "httpStatusCode": status, "httpHeaders": {}, "body": body}


def at(org_at, refused: str = "", fields: tuple[str, ...] = ("Id",)):
    def answer(request: Request) -> Answer:
        if request.path.endswith("/userinfo"):
            return as_json({"preferred_username": "ada@example.com", "user_id": "005000000000001AAA"})
        parts = json.loads(request.body)["compositeRequest"]
        assert len(parts) <= 25
        assert sum("/query" in part["url"] for part in parts) <= 5
        return as_json({"compositeResponse": [answer_part(part, refused, fields) for part in parts]})

    return org_at(answer)


def test_one_request_returns_all_traits(org_at) -> None:
    server, org = at(org_at)
    traits = org.read_traits(["Contact", "Nowhere__c"])
    assert (traits.edition, traits.language, traits.requests) == ("Enterprise Edition", "de", (14000, 15000))
    assert [(profile.id, profile.name, profile.license) for profile in traits.profiles] == [
        ("00e1", "Standardbenutzer", "Salesforce"),
        ("00e2", "Own", ""),
    ]
    assert traits.user_licenses == {"Salesforce": Seats(10, 7)}
    assert traits.permission_set_licenses == {"Psl": Seats(0, 0)}
    assert traits.sharing == {"Contact": "Private", "X__c": ""}
    assert sorted(traits.schema.objects) == ["Account", "Contact"]
    assert org.traits is traits
    assert (len(server.requests), org.identity.name, org.identity.org_id) == (1, "Acme", "00D000000000001EAA")
    assert [request.path for request in server.requests[1:]] == ["/services/oauth2/userinfo"]


def test_features_are_known_by_the_fields_that_they_add(org_at) -> None:
    assert at(org_at)[1].traits.features == frozenset()
    fields = ("Id", "IsPersonAccount", "BillingStateCode", "CurrencyIsoCode")
    assert at(org_at, fields=fields)[1].traits.features == {
        "person accounts",
        "state and country/territory picklists",
        "multiple currencies",
    }


def test_a_refused_part_does_not_affect_other_parts(org_at) -> None:
    traits = at(org_at, refused="PermissionSetLicense")[1].read_traits(["Contact"])
    with pytest.raises(OrgError, match="INSUFFICIENT_ACCESS: no"):
        _ = traits.permission_set_licenses
    assert traits.user_licenses
    with pytest.raises(OrgError, match="INSUFFICIENT_ACCESS"):
        at(org_at, refused="Organization")[1].read_traits()


def test_more_objects_than_one_request_holds_are_described_by_a_second_one(org_at) -> None:
    server, org = at(org_at)
    names = [f"Object{number}__c" for number in range(30)]
    assert set(org.read_traits(names).schema.objects) == {*names, "Account"}
    assert len(server.requests) == 2


def test_an_expired_session_is_no_missing_part(org_at) -> None:
    def answer(request: Request) -> Answer:
        parts = json.loads(request.body)["compositeRequest"]
        expired = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
        return as_json(
            {
                "compositeResponse": [
                    {"referenceId": part["referenceId"], "httpStatusCode": 401, "body": expired} for part in parts
                ]
            }
        )

    with pytest.raises(SignInError):
        org_at(answer)[1].read_traits()


def test_the_local_org_returns_the_same_traits(tmp_path) -> None:
    with (
        serve(tmp_path) as local,
        connect(local.url, environ={"SF_ACCESS_TOKEN": local.access_token}, api_version="63.0") as org,
    ):
        traits = org.read_traits(["Contact", "Lead"])
        assert traits.edition == "Enterprise Edition"
        assert "Minimum Access - API Only Integrations" in {profile.name for profile in traits.profiles}
        assert traits.user_licenses["Salesforce Integration"].left > 0
        assert "SalesforceAPIIntegrationPsl" in traits.permission_set_licenses
        assert set(traits.sharing) == {"Account", "Contact", "Lead"}
        assert traits.schema.objects["Lead"] == org.describe(["Lead"]).objects["Lead"]
