"""The relay's own sign-in: the app is deployed and used, and its key is stored only in the org."""

from __future__ import annotations

import base64
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sfcode.errors import SignInError
from sfcode.local import serve
from sfcode.local.store import Store
from sfcode.metadata.component import Address
from sfcode.org import connect
from tests.e2e.org import component, opened
from tests.e2e.test_users import PROFILE, create

USER = "appcues.integration@example.com.local"
SETTINGS = Address("ExtlClntAppGlobalOauthSettings", "Appcues_Relay_glbloauth")


@contextmanager
def local_org(journey):
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        yield org


def with_app(journey, *lines):
    text = "".join(f"    {line}\n" for line in lines)
    journey.edit("sfcode.yaml", "  url: ${relay_url}\n", f"  url: ${{relay_url}}\n  sign_in:\n{text}")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Make a key and its certificate."""
    folder = tmp_path_factory.mktemp("pair")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=relay"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return (folder / "key.pem").read_text(), (folder / "cert.pem").read_text()


def keys_of(org):
    body = component(org, SETTINGS).body
    return body["consumerKey"], body["consumerSecret"]


def signed_in(org, **environ):
    with connect("env:", environ={"SF_ORG_INSTANCE_URL": org.url, **environ}, api_version="63.0") as client:
        return client.identity.username


def test_with_jwt_the_relay_signs_in_as_the_integration_user_and_the_key_is_in_no_file(journey, pair):
    key, certificate = pair
    with_app(journey, "flow: jwt", "certificate: |", *(f"  {line}" for line in certificate.splitlines()))
    assert journey.plan("--check").code == 0
    result = journey.apply()
    assert result.code == 0, result.err
    assert "External Client App Manager, Appcues Relay, Settings, OAuth Settings:" in " ".join(result.out.split())
    assert f"SF_USERNAME      {USER}" in result.out
    assert journey.actions() == {}
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert journey.plan("--out", "plan.json").code == 0
    with local_org(journey) as org:
        consumer_key, consumer_secret = keys_of(org)
        environ = {"SF_CONSUMER_KEY": consumer_key, "SF_JWT_KEY": key, "SF_AUDIENCE_URL": org.url}
        assert signed_in(org, **environ, SF_USERNAME=USER) == USER
        with pytest.raises(SignInError, match="not admin approved"):
            signed_in(org, **environ, SF_USERNAME="admin@northwind.example")
        state = component(org, Address("StaticResource", "Appcues_sfcode_state"))
        content = base64.b64decode(state.body["content"]).decode()
    everywhere = (
        content
        + result.out
        + result.err
        + (journey.folder / "plan.json").read_text()
        + journey.plan("--refresh-only").out
    )
    for text in (consumer_key, consumer_secret, "PRIVATE KEY"):
        assert text not in everywhere


def test_with_client_credentials_the_relay_needs_only_the_secret_and_an_apply_changes_no_key(journey):
    with_app(journey, "flow: client_credentials")
    assert journey.plan("--check").code == 0
    assert journey.apply().code == 0
    with local_org(journey) as org:
        before = keys_of(org)
        assert signed_in(org, SF_CLIENT_ID=before[0], SF_CLIENT_SECRET=before[1]) == USER
    journey.edit("sfcode.yaml", "email: ${admin_email}", "email: other@example.com")
    assert "ExternalClientApplication:Appcues_Relay" in journey.actions()
    assert journey.apply().code == 0
    with local_org(journey) as org:
        assert keys_of(org) == before


def test_an_app_that_was_made_in_setup_keeps_the_names_of_its_policies(journey):
    """Setup gives policies other names than a deployment, and an org refuses a second policy."""
    with_app(journey, "flow: client_credentials")
    assert journey.apply().code == 0
    names = {"OauthConfigurablePolicies": "Appcues_Relay_oauthPlcy", "ConfigurablePolicies": "Appcues_Relay_plcy"}
    store = Store(journey.folder / ".sfcode" / "local-org" / "org.db")
    with store.transaction() as tx:
        for type_, name in names.items():
            (stored,) = tx.components.list_all(f"ExtlClntApp{type_}")
            tx.components.delete(stored.component.type, stored.component.full_name)
            tx.components.put(
                replace(stored.component, full_name=name), user_id=stored.created_by, now=datetime.now(UTC)
            )
    store.close()
    addresses = [f"ExtlClntApp{type_}:{name}" for type_, name in names.items()]
    addresses.append("User:appcues.other@example.com.local")
    journey.edit("sfcode.yaml", "username: appcues.integration@", "username: appcues.other@")
    with local_org(journey) as org, opened(org) as client:
        # The policies of the app refer to the user, who must be activated before they are deployed.
        create(client, "appcues.other@example.com.local", PROFILE, IsActive=False)
    refused = journey.plan()
    assert all(f"pass --adopt {address} to manage it" in refused.out + refused.err for address in addresses)
    result = journey.apply(*(word for address in addresses for word in ("--adopt", address)))
    assert result.code == 0, result.err
    assert journey.actions() == {}


def test_removing_the_section_deletes_the_app(journey):
    with_app(journey, "flow: client_credentials")
    assert journey.apply().code == 0
    journey.edit("sfcode.yaml", "  sign_in:\n    flow: client_credentials\n", "")
    assert len([address for address in journey.actions() if "ExtlClnt" in address or "External" in address]) == 5
    with local_org(journey) as org:
        consumer_key, consumer_secret = keys_of(org)
    assert journey.apply().code == 0
    assert journey.actions() == {}
    with local_org(journey) as org, pytest.raises(SignInError):
        signed_in(org, SF_CLIENT_ID=consumer_key, SF_CLIENT_SECRET=consumer_secret)
