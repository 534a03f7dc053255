"""SOAP login and logout."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from tests.local.conftest import HandClock, Rest
from tests.waiting import PATIENCE

ADMIN = "admin@northwind.example"
PASSWORD = "correct horse & battery"


def call(rest: Rest, body: str, *, kind: str = "u", version: str = "62.0", token: str = "") -> requests.Response:
    header = (
        f'<s:Header><n:SessionHeader xmlns:n="urn:x"><n:sessionId>{token}</n:sessionId></n:SessionHeader></s:Header>'
    )
    envelope = (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">{header}<s:Body>{body}</s:Body></s:Envelope>'
    )
    url = f"{rest.org.url}/services/Soap/{kind}/{version}"
    return requests.post(url, data=envelope, headers={"Content-Type": "text/xml", "SOAPAction": '""'}, timeout=PATIENCE)


def login(username: str = ADMIN, password: str = "correct horse &amp; battery") -> str:
    return f'<login xmlns="urn:partner.soap.sforce.com"><username>{username}</username><password>{password}</password></login>'


def find_text(answer: requests.Response, name: str) -> str:
    match = re.search(f"<{name}>([^<]*)</{name}>", answer.text)
    assert match is not None, answer.text
    return match[1]


@pytest.fixture
def signing_in(rest: Rest) -> Rest:
    user_id = rest.value(f"SELECT Id FROM User WHERE Username = '{ADMIN}'")
    assert rest("POST", f"/sobjects/User/{user_id}/password", json={"NewPassword": PASSWORD}).status_code == 204
    return rest


def works(rest: Rest, token: str) -> bool:
    url = f"{rest.org.url}/services/data/v62.0/sobjects"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize(("kind", "version"), [("u", "62.0"), ("c", "62.0"), ("u", "62")])
def test_login_returns_a_session_and_its_url(signing_in: Rest, kind: str, version: str) -> None:
    answer = call(signing_in, login(), kind=kind, version=version)
    assert answer.status_code == 200
    org_id = signing_in.org.org_id
    assert find_text(answer, "serverUrl") == f"{signing_in.org.url}/services/Soap/{kind}/{version}/{org_id[:15]}"
    assert find_text(answer, "metadataServerUrl") == f"{signing_in.org.url}/services/Soap/m/{version}/{org_id[:15]}"
    assert (find_text(answer, "organizationId"), find_text(answer, "userName")) == (org_id, ADMIN)
    assert works(signing_in, find_text(answer, "sessionId"))


@pytest.mark.parametrize("body", [login(password="wrong"), login(username="nobody@northwind.example")])
def test_a_wrong_login_is_refused(signing_in: Rest, body: str) -> None:
    answer = call(signing_in, body)
    assert answer.status_code == 500
    assert find_text(answer, "faultcode") == "sf:INVALID_LOGIN"
    assert find_text(answer, "sf:exceptionCode") == "INVALID_LOGIN"
    assert find_text(answer, "sf:exceptionMessage").startswith("Invalid username, password, security token")


def test_a_login_without_a_password_is_refused(rest: Rest) -> None:
    assert find_text(call(rest, login()), "faultcode") == "sf:INVALID_LOGIN"


def test_logout_ends_the_session(signing_in: Rest) -> None:
    token = find_text(call(signing_in, login()), "sessionId")
    body = '<logout xmlns="urn:partner.soap.sforce.com"/>'
    assert call(signing_in, body, token=token).status_code == 200
    assert not works(signing_in, token)
    assert find_text(call(signing_in, body, token=token), "faultcode") == "sf:INVALID_SESSION_ID"


def test_a_session_of_login_ends_by_itself(signing_in: Rest, clock: HandClock) -> None:
    token = find_text(call(signing_in, login()), "sessionId")
    clock.wait(minutes=121)
    assert not works(signing_in, token)


def test_the_user_info_and_the_server_time_are_returned(signing_in: Rest) -> None:
    token = signing_in.org.access_token
    info = call(signing_in, '<getUserInfo xmlns="urn:partner.soap.sforce.com"/>', token=token)
    assert (find_text(info, "userName"), find_text(info, "organizationName")) == (ADMIN, "Northwind Traders")
    time = call(signing_in, '<getServerTimestamp xmlns="urn:partner.soap.sforce.com"/>', token=token)
    assert find_text(time, "timestamp") == "2026-03-18T12:00:00.000Z"


@pytest.mark.parametrize(
    ("body", "version", "code"),
    [
        ("<query/>", "62.0", "UNKNOWN_EXCEPTION"),
        ("<login/>", "62.0", "INVALID_FIELD"),
        (login(), "69.0", "UNSUPPORTED_API_VERSION"),
        ("", "62.0", "UNKNOWN_EXCEPTION"),
        ("<setPassword><userId>005</userId></setPassword>", "62.0", "INVALID_SESSION_ID"),
    ],
)
def test_invalid_calls_end_in_a_fault(signing_in: Rest, body: str, version: str, code: str) -> None:
    answer = call(signing_in, body, version=version)
    assert (answer.status_code, find_text(answer, "faultcode")) == (500, f"sf:{code}")


def test_setting_the_password_of_others_needs_the_permission(rest: Rest, state: Any) -> None:
    profile = rest.value("SELECT Id FROM Profile WHERE Name = 'Standard User'")
    other_user = rest.create(
        "User",
        Username="other@northwind.example",
        LastName="Other",
        Alias="other",
        Email="other@northwind.example",
        ProfileId=profile,
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        LanguageLocaleKey="en_US",
    )
    assert rest("POST", f"/sobjects/User/{other_user}/password", json={"NewPassword": PASSWORD}).status_code == 204
    token = find_text(call(rest, login(username="other@northwind.example")), "sessionId")
    admin_id = rest.value(f"SELECT Id FROM User WHERE Username = '{ADMIN}'")

    def set_password(user_id: str) -> requests.Response:
        url = f"{rest.org.url}/services/data/v62.0/sobjects/User/{user_id}/password"
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(url, json={"NewPassword": "something else"}, headers=headers, timeout=PATIENCE)

    assert set_password(admin_id).status_code == 403
    assert set_password(other_user).status_code == 204
