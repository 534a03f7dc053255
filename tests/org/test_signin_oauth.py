"""The three OAuth flows against a token endpoint that checks their requests."""

from __future__ import annotations

import datetime
import ipaddress
import ssl

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sfcode.errors import OrgUnreachable, SignInError
from sfcode.org import Runtime, connect
from tests.org.servers import TOKEN, Answer, Request, as_json, script, serving

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
NOW = 1_800_000_000


def granted(request: Request) -> Answer:
    instance = f"{'https' if request.headers.get('X-Tls') else 'http'}://{request.headers['Host']}"
    return as_json({"access_token": TOKEN, "instance_url": instance, "token_type": "Bearer"})


def jwt_environ(url: str) -> dict[str, str]:
    return {
        "SF_CONSUMER_KEY": "3MVG9",
        "SF_JWT_KEY": PEM,
        "SF_USERNAME": "ci@example.com",
        "SF_AUDIENCE_URL": "https://test.salesforce.com",
        "SF_ORG_INSTANCE_URL": url,
    }


@pytest.fixture
def runtime(runtime: Runtime, time) -> Runtime:
    return Runtime(sleep=time.sleep, clock=time.clock, now=lambda: float(NOW), rng=runtime.rng)


def test_jwt_bearer_sends_an_assertion_that_the_certificate_verifies(runtime: Runtime) -> None:
    with serving(granted) as server:
        with connect("env:", environ=jwt_environ(server.url), api_version="63.0", runtime=runtime) as org:
            assert org.instance_url == server.url
        (request,) = server.requests
        assert request.path == "/services/oauth2/token"
        assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        claims = jwt.decode(
            request.form["assertion"],
            KEY.public_key(),
            algorithms=["RS256"],
            audience="https://test.salesforce.com",
            options={"verify_exp": False},
        )
        assert claims == {
            "iss": "3MVG9",
            "sub": "ci@example.com",
            "aud": "https://test.salesforce.com",
            "exp": NOW + 180,
        }


def test_client_credentials_send_id_and_secret(runtime: Runtime) -> None:
    with serving(granted) as server:
        environ = {"SF_CLIENT_ID": "3MVG9", "SF_CLIENT_SECRET": "s3cret", "SF_ORG_INSTANCE_URL": server.url}
        connect("env:", environ=environ, api_version="63.0", runtime=runtime).close()
        assert server.requests[0].form == {
            "grant_type": "client_credentials",
            "client_id": "3MVG9",
            "client_secret": "s3cret",
        }


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("user hasn't approved this consumer", "pre-authorized"),
        ("audience is invalid", "SF_AUDIENCE_URL"),
        ("invalid assertion", "certificate"),
        ("something new", "Check the app"),
    ],
)
def test_a_refusal_has_salesforces_message_and_the_hint(runtime: Runtime, message: str, hint: str) -> None:
    with serving(lambda _: as_json({"error": "invalid_grant", "error_description": message}, 400)) as server:
        with pytest.raises(SignInError, match=f"invalid_grant: {message}") as caught:
            connect("env:", environ=jwt_environ(server.url), api_version="63.0", runtime=runtime)
        assert hint in caught.value.hint
        assert caught.value.code == "invalid_grant"
        assert len(server.requests) == 1


def test_a_secret_repeated_by_the_server_is_not_printed(runtime: Runtime) -> None:
    def echo(request: Request) -> Answer:
        return as_json({"error": "invalid_client", "error_description": f"no: {request.form['client_secret']}"}, 400)

    with serving(echo) as server:
        environ = {"SF_CLIENT_ID": "3MVG9", "SF_CLIENT_SECRET": "s3cret", "SF_ORG_INSTANCE_URL": server.url}
        with pytest.raises(SignInError) as caught:
            connect("env:", environ=environ, api_version="63.0", runtime=runtime)
        assert "s3cret" not in str(caught.value)


def test_a_key_that_is_no_rsa_key_is_refused_before_anything_is_sent(runtime: Runtime) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"
    with serving(granted) as server:
        environ = {**jwt_environ(server.url), "SF_JWT_KEY": pem}
        with pytest.raises(SignInError, match="cannot be used") as caught:
            connect("env:", environ=environ, api_version="63.0", runtime=runtime)
        assert "aHVudGVyMg" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert server.requests == []


def test_a_token_endpoint_that_is_down_for_a_moment_is_asked_again(runtime: Runtime) -> None:
    answers = [Answer(503, b"busy")]
    with serving(lambda request: answers.pop() if answers else granted(request)) as server:
        connect("env:", environ=jwt_environ(server.url), api_version="63.0", runtime=runtime).close()
        assert len(server.requests) == 2


def test_a_page_instead_of_a_token_is_an_error(runtime: Runtime) -> None:
    with (
        serving(script(Answer(200, b"<html>login</html>"))) as server,
        pytest.raises(OrgUnreachable, match="answered 200"),
    ):
        connect("env:", environ=jwt_environ(server.url), api_version="63.0", runtime=runtime)


def test_a_token_for_an_unencrypted_org_is_refused(runtime: Runtime) -> None:
    answer = as_json({"access_token": TOKEN, "instance_url": "http://acme.example"})
    with serving(script(answer)) as server, pytest.raises(SignInError, match="not encrypted"):
        connect("env:", environ=jwt_environ(server.url), api_version="63.0", runtime=runtime)


def test_signing_in_must_lead_to_the_org_that_was_named(runtime: Runtime) -> None:
    answer = as_json({"access_token": TOKEN, "instance_url": "https://other.my.salesforce.com"})
    with serving(script(answer)) as server:
        environ = {name: value for name, value in jwt_environ(server.url).items() if name != "SF_ORG_INSTANCE_URL"}
        with pytest.raises(SignInError, match=r"leads to https://other\.my\.salesforce\.com, not to http"):
            connect(server.url, environ=environ, api_version="63.0", runtime=runtime)


@pytest.fixture
def certificate(tmp_path):
    """Create a self-signed certificate for loopback."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    today = datetime.datetime.now(datetime.UTC)
    new_certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    file = tmp_path / "loopback.pem"
    file.write_text(new_certificate.public_bytes(serialization.Encoding.PEM).decode() + PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


def test_an_auth_url_exchanges_its_refresh_token_over_tls(runtime: Runtime, certificate) -> None:
    file, context = certificate

    def over_tls(request: Request) -> Answer:
        return as_json({"access_token": TOKEN, "instance_url": f"https://{request.headers['Host']}"})

    with serving(over_tls, tls=context) as server:
        host = server.url.removeprefix("https://")
        environ = {"SFDX_AUTH_URL": f"force://PlatformCLI::5Aep@{host}", "REQUESTS_CA_BUNDLE": str(file)}
        with connect("env:", environ=environ, api_version="63.0", runtime=runtime) as org:
            assert org.instance_url == server.url
        assert server.requests[0].form == {
            "grant_type": "refresh_token",
            "client_id": "PlatformCLI",
            "refresh_token": "5Aep",
        }


def test_an_untrusted_certificate_is_refused_without_a_retry(runtime: Runtime, certificate, time) -> None:
    with serving(granted, tls=certificate[1]) as server:
        host = server.url.removeprefix("https://")
        environ = {"SFDX_AUTH_URL": f"force://PlatformCLI::5Aep@{host}"}
        with pytest.raises(OrgUnreachable, match="no certificate that this machine trusts") as caught:
            connect("env:", environ=environ, api_version="63.0", runtime=runtime)
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint
        assert time.slept == []
        assert server.requests == []
