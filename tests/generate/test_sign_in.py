"""The External Client App with which the relay signs in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.config.pem import certificate_text
from sfcode.generate import generate
from sfcode.metadata.normalize import normalize
from tests.generate.projects import CONTACT, OFFLINE, project, settings
from tests.generate.test_templates import CERTIFICATE

APP = {
    "ExternalClientApplication:Appcues_Relay",
    "ExtlClntAppConfigurablePolicies:Appcues_Relay_defaultPolicy",
    "ExtlClntAppGlobalOauthSettings:Appcues_Relay_glbloauth",
    "ExtlClntAppOauthConfigurablePolicies:Appcues_Relay_oauth_defaultPolicy",
    "ExtlClntAppOauthSettings:Appcues_Relay_oauth",
}


def generated(**sign_in):
    config = settings()
    if sign_in:
        config["relay"]["sign_in"] = sign_in
    return generate(project({"contact": CONTACT}, config), OFFLINE)


def of_app(desired):
    return {
        str(component.address): component.body
        for component in desired.components
        if "Extl" in component.type or "External" in component.type
    }


def test_without_the_section_sign_in_no_app_is_generated():
    assert of_app(generated()) == {}


def test_with_jwt_the_app_has_the_certificate_and_the_permission_set_may_use_it():
    app = of_app(generated(flow="jwt", certificate=CERTIFICATE))
    assert set(app) == APP
    own = app["ExtlClntAppGlobalOauthSettings:Appcues_Relay_glbloauth"]
    assert own["certificate"] == "MIIBAAAA"
    assert own.keys().isdisjoint({"consumerKey", "consumerSecret", "isClientCredentialsFlowEnabled"})
    policies = app["ExtlClntAppOauthConfigurablePolicies:Appcues_Relay_oauth_defaultPolicy"]
    assert policies["permittedUsersPolicyType"] == "AdminApprovedPreAuthorized"
    assert policies["commaSeparatedPermissionSet"] == "Appcues_Integration"
    assert "clientCredentialsFlowUser" not in policies
    assert app["ExtlClntAppOauthSettings:Appcues_Relay_oauth"]["commaSeparatedOauthScopes"] == "Api, RefreshToken"


def test_with_client_credentials_the_app_runs_as_the_integration_user_with_fewer_scopes():
    desired = generated(flow="client_credentials")
    app = of_app(desired)
    username = settings()["integration_user"]["username"]
    assert (
        app["ExtlClntAppOauthConfigurablePolicies:Appcues_Relay_oauth_defaultPolicy"]["clientCredentialsFlowUser"]
        == username
    )
    assert app["ExtlClntAppOauthSettings:Appcues_Relay_oauth"]["commaSeparatedOauthScopes"] == "Api"
    assert "certificate" not in app["ExtlClntAppGlobalOauthSettings:Appcues_Relay_glbloauth"]
    (place,) = {
        origin.path
        for origin in desired.origins
        if origin.address.full_name == "Appcues_Relay_oauth_defaultPolicy" and origin.token == username
    }
    assert place == "integration_user.username"


def test_values_that_an_org_or_an_administrator_sets_are_no_difference():
    desired = generated(flow="jwt", certificate=CERTIFICATE)
    for component in desired.components:
        added = {
            "ExtlClntAppGlobalOauthSettings": {
                "consumerKey": "3MVG9",
                "consumerSecret": "X",
                "isDeviceFlowEnabled": False,
            },
            "ExtlClntAppOauthConfigurablePolicies": {"sessionTimeoutInMinutes": 30, "refreshTokenPolicyType": "Zero"},
            "ExternalClientApplication": {"orgScopedExternalApp": "00D:Appcues_Relay"},
        }.get(component.type, {})
        component_in_org = type(component)(component.type, component.full_name, {**component.body, **added})
        assert normalize(component_in_org) == normalize(component)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not exactly one certificate in PEM format"),
        (CERTIFICATE * 2, "is not exactly one certificate in PEM format"),
        (CERTIFICATE.replace("MIIB", "XXXX"), "is not exactly one certificate in PEM format"),
        (CERTIFICATE.replace("MIIB", "M=IB"), "is not exactly one certificate in PEM format"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "contains a private key"),
        (CERTIFICATE + "-----BEGIN RSA PRIVATE KEY-----", "contains a private key"),
    ],
)
def test_an_invalid_certificate_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        certificate_text(text)


def test_a_certificate_is_the_same_with_and_without_its_begin_and_end_lines():
    (own,) = (
        component
        for component in generated(flow="jwt", certificate=CERTIFICATE).components
        if "Global" in component.type
    )
    assert normalize(replace(own, body={**own.body, "certificate": CERTIFICATE})) == normalize(own)
    other_certificate = CERTIFICATE.replace("MIIB", "MIIC")
    assert normalize(replace(own, body={**own.body, "certificate": other_certificate})) != normalize(own)


@pytest.mark.parametrize("switch", ["isSecretRequiredForTokenExchange", "isRefreshTokenRotationEnabled"])
def test_a_switch_that_an_org_turns_on_in_a_new_app_is_no_difference(switch):
    """A retrieved app of a real org has isSecretRequiredForTokenExchange; refresh token rotation is turned on by default."""
    (own,) = (
        component
        for component in generated(flow="jwt", certificate=CERTIFICATE).components
        if "Global" in component.type
    )
    assert normalize(replace(own, body={**own.body, switch: True})) == normalize(own)
