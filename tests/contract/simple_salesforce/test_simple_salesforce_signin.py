"""
The sign-in methods of simple-salesforce, for the local org only: its file contains the required apps and passwords.

The library posts to `https://{domain}.salesforce.com/...`. With a domain that ends in `?x=`, the appended text becomes
a query parameter.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed

from sfcode.local import register_app, serve
from sfcode.local.signin.passwords import hash_password
from sfcode.local.store import Store
from tests.contract.simple_salesforce.conftest import VERSION, Served
from tests.contract.states import APP, PASSWORD
from tests.contract.target_org import local

USERNAME = "admin@northwind.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
CONSUMER = {"consumer_key": APP["consumer_key"], "consumer_secret": APP["consumer_secret"]}

Way = Callable[[str, str], dict[str, Any]]
"""Returns the arguments of a sign-in from the values that replace the domain: one for OAuth, one for SOAP."""

WAYS: dict[str, Way] = {
    "password and security token": lambda _, soap: {
        "username": USERNAME,
        "password": PASSWORD[:-3],
        "security_token": PASSWORD[-3:],
        "domain": soap,
    },
    "password and organization": lambda _, soap: {
        "username": USERNAME,
        "password": PASSWORD,
        "organizationId": "00D000000000001",
        "domain": soap,
    },
    "OAuth with a password": lambda oauth, _: {
        "username": USERNAME,
        "password": PASSWORD,
        "domain": oauth,
        **CONSUMER,
    },
    "JWT": lambda oauth, _: {
        "username": USERNAME,
        "consumer_key": APP["consumer_key"],
        "privatekey": PRIVATE,
        "instance_url": oauth,
    },
    "client credentials": lambda oauth, _: {"domain": oauth, **CONSUMER},
}


@pytest.fixture(params=["http", "tls"])
def open_org(request: pytest.FixtureRequest, company: Path, tmp_path: Path) -> Iterator[Served]:
    """Serve an org with an app, and with a password for its administrator."""
    state = tmp_path / "state"
    shutil.copytree(company, state)
    register_app(state, APP | {"certificate": PUBLIC})
    with Store(state / "org.db") as store, store.transaction() as tx:
        tx.passwords.set(tx.settings.get("admin_id") or "", hash_password(PASSWORD))
    with serve(state, tls=request.param == "tls") as org, local(org) as target_org:
        yield Served.at(target_org, request.param)


def sign_in(org: Served, way: Way, **arguments: Any) -> Salesforce:
    oauth = f"{org.host}/services/oauth2/token?x="
    soap = f"{org.host}/services/Soap/u/{VERSION}?x="
    session = org.session()
    try:
        return Salesforce(version=VERSION, session=session, **{**way(oauth, soap), **arguments})
    except BaseException:
        session.close()
        raise


@pytest.mark.parametrize("way", WAYS)
def test_signs_in(open_org: Served, way: str) -> None:
    """A sign-in creates a new session of the user."""
    sf = sign_in(open_org, WAYS[way])
    try:
        assert sf.sf_instance == open_org.host
        assert sf.session_id != open_org.access_token
        assert sf.oauth2("userinfo")["preferred_username"] == USERNAME
        record_id = sf.Contact.create({"LastName": "Signed"})["id"]
        (user,) = open_org.rows("User", Username=USERNAME)
        assert open_org.rows("Contact", Id=record_id)[0]["CreatedById"] == user["Id"]
    finally:
        sf.session.close()


@pytest.mark.parametrize(
    ("way", "other", "code"),
    [
        ("password and organization", {"password": "wrong"}, "INVALID_LOGIN"),
        ("OAuth with a password", {"password": "wrong"}, "invalid_grant"),
        ("client credentials", {"consumer_secret": "wrong"}, "invalid_client"),
    ],
)
def test_is_refused(open_org: Served, way: str, other: dict[str, Any], code: str) -> None:
    """The library reads the code and the message from the response."""
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        sign_in(open_org, WAYS[way], **other)
    assert refused.value.code == code
    assert refused.value.message


def test_a_user_who_is_not_approved(open_org: Served) -> None:
    """The library recognizes the message, and adds its own advice."""
    with pytest.warns(UserWarning, match="authorize this"), pytest.raises(SalesforceAuthenticationFailed) as refused:
        sign_in(open_org, WAYS["JWT"], username="nobody@northwind.example")
    assert refused.value.code == "invalid_grant"
