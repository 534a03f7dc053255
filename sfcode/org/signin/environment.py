"""Sign in with environment variables."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path

from sfcode.errors import SignInError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.address import normalize_url
from sfcode.org.options import Runtime
from sfcode.org.session import Grant, SignIn
from sfcode.org.signin import auth_url, oauth
from sfcode.secret import Secret

PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"


@dataclass(frozen=True)
class Variables:
    """The environment variables of one org, whose names begin with a prefix."""

    environ: Mapping[str, str]
    prefix: str
    runtime: Runtime

    def name(self, name: str) -> str:
        """Return the name of a variable with the prefix."""
        return f"{self.prefix}_{name}" if self.prefix else name

    def get(self, name: str) -> str:
        """Read a variable; "" if it is not set or blank."""
        return self.environ.get(self.name(name), "").strip()

    def secret(self, name: str) -> Secret:
        """Read a secret variable."""
        return Secret(self.get(name))


@dataclass(frozen=True)
class SignInMethod:
    """One sign-in method: its required variables, each with its alternatives."""

    needs: tuple[tuple[str, ...], ...]
    make: Callable[[Variables], SignIn]

    def missing(self, variables: Variables) -> list[str]:
        """List the variables that are not set."""
        return [" or ".join(map(variables.name, names)) for names in self.needs if not any(map(variables.get, names))]


def _token(variables: Variables) -> SignIn:
    grant = Grant(variables.secret("SF_ACCESS_TOKEN"), variables.get("SF_ORG_INSTANCE_URL"))
    name = variables.name("SF_ACCESS_TOKEN")
    hint = f"Put a new token into {name}: `sf org auth show-access-token -o ALIAS` prints one."
    return SignIn(name, hint, lambda: grant)


def _jwt(variables: Variables) -> SignIn:
    key = _key(variables)
    url = variables.get("SF_ORG_INSTANCE_URL")
    instance = normalize_url(url, variables.name("SF_ORG_INSTANCE_URL")) if url else ""
    audience = variables.get("SF_AUDIENCE_URL") or (SANDBOX if _is_sandbox(instance) else PRODUCTION)
    name = variables.name("SF_CONSUMER_KEY")
    grant = oauth.JwtBearer(
        consumer_key=variables.get("SF_CONSUMER_KEY"),
        key=key,
        username=variables.get("SF_USERNAME"),
        audience=normalize_url(audience, variables.name("SF_AUDIENCE_URL")),
        token_url=instance or normalize_url(audience),
        environ=variables.environ,
        runtime=variables.runtime,
    )
    hint = f"Check that {variables.get('SF_USERNAME')} can use the app of {name}, and that its profile has API access."
    return SignIn(name, hint, grant, renewable=True)


def _is_sandbox(instance: str) -> bool:
    return ".sandbox." in instance or "--" in instance


def _key(variables: Variables) -> Secret:
    """Read the private key: PEM text, the same in base64 (one line, for CI systems), or a file."""
    name = variables.name("SF_JWT_KEY")
    text = variables.get("SF_JWT_KEY")
    if not text:
        path = Path(variables.get("SF_JWT_KEY_FILE")).expanduser()
        name = variables.name("SF_JWT_KEY_FILE")
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError as error:
            raise SignInError(f"The key file {path} cannot be read: {error.strerror}.", f"Correct {name}.") from None
    if "-----BEGIN" not in text:
        try:
            text = base64.b64decode(text, validate=False).decode("utf-8")
        except (binascii.Error, ValueError):
            text = ""
    text = text.replace("\\n", "\n")
    if "-----BEGIN" not in text:
        raise SignInError(
            f"{name} contains no private key.",
            "Set it to the text of a PEM file, or its base64, with the key of the app's certificate.",
        )
    return Secret(text)


def _client_credentials(variables: Variables) -> SignIn:
    url_name = variables.name("SF_ORG_INSTANCE_URL")
    name = variables.name("SF_CLIENT_ID")
    grant = oauth.ClientCredentials(
        client_id=variables.get("SF_CLIENT_ID"),
        client_secret=variables.secret("SF_CLIENT_SECRET"),
        token_url=normalize_url(variables.get("SF_ORG_INSTANCE_URL"), url_name),
        environ=variables.environ,
        runtime=variables.runtime,
    )
    hint = (
        f"Check the app of {name}: the client credentials flow is on, and its run-as user is active and has API access."
    )
    return SignIn(name, hint, grant, renewable=True)


def _auth_url(variables: Variables) -> SignIn:
    name = variables.name("SFDX_AUTH_URL")
    parts = auth_url.parse(variables.get("SFDX_AUTH_URL"), name)
    grant = oauth.RefreshToken(
        client_id=parts.client_id,
        client_secret=parts.client_secret,
        refresh_token=parts.refresh_token,
        token_url=parts.instance_url,
        environ=variables.environ,
        runtime=variables.runtime,
    )
    hint = (
        f"The refresh token in {name} has expired (often after 90 days) or was revoked: sign in with "
        "`sf org login web`, then take `sf org auth show-sfdx-auth-url`."
    )
    return SignIn(name, hint, grant, renewable=True)


SIGN_IN_METHODS = (
    SignInMethod((("SF_ACCESS_TOKEN",), ("SF_ORG_INSTANCE_URL",)), _token),
    SignInMethod((("SF_CONSUMER_KEY",), ("SF_JWT_KEY", "SF_JWT_KEY_FILE"), ("SF_USERNAME",)), _jwt),
    SignInMethod((("SF_CLIENT_ID",), ("SF_CLIENT_SECRET",), ("SF_ORG_INSTANCE_URL",)), _client_credentials),
    SignInMethod((("SFDX_AUTH_URL",),), _auth_url),
)
"""Sign-in methods in order of precedence: the first with all variables set is used."""


def sign_in(environ: Mapping[str, str], runtime: Runtime, *, prefix: str = "", at: str = "") -> SignIn:
    """Return the first method whose variables are all set. Raises SignInError that lists all methods."""
    variables = Variables(environ, prefix, runtime)
    unset = [(method, method.missing(variables)) for method in SIGN_IN_METHODS]
    for method, missing in unset:
        if not missing:
            return method.make(variables)
    lines = [
        "  - "
        + ", ".join(
            " or ".join(map(variables.name, names))
            for names in method.needs
            if not (at and names == ("SF_ORG_INSTANCE_URL",))
        )
        + (f" (not set: {', '.join(missing)})" if len(missing) < len(method.needs) - (1 if at else 0) else "")
        for method, missing in unset
    ]
    purpose = f" for {at}" if at else f" for env:{prefix}" if prefix else ""
    raise SignInError(
        f"No sign-in method is configured{purpose}.",
        "Set one of these groups of variables; the first complete group is used:\n"
        + "\n".join(lines)
        + "\nor pass an org that the sf CLI is signed in to: alias:NAME.",
    )
