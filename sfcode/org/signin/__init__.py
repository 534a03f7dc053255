"""Select the sign-in method for a target such as `alias:uat`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sfcode.errors import SignInError, UsageError
from sfcode.hosts import is_loopback
from sfcode.org.address import normalize_url
from sfcode.org.options import Runtime
from sfcode.org.session import Grant, SignIn
from sfcode.org.signin import environment, sf_cli

FORMS = (
    "Write an instance URL (https://yourcompany.my.salesforce.com), alias:NAME (signed in with the sf CLI), "
    "env: or env:PREFIX (variables), or local."
)


def sign_in(target: str, environ: Mapping[str, str], runtime: Runtime) -> SignIn:
    """Return the sign-in method for a target. Raises SignInError if it is not configured."""
    kind, colon, name = target.partition(":")
    if kind == "alias" and colon and name:
        return sf_cli.sign_in(name, environ, runtime)
    if kind == "env" and colon:
        return environment.sign_in(environ, runtime, prefix=name)
    if kind in ("https", "http") and colon:
        return _sign_in_to_url(normalize_url(target, "org"), environ, runtime)
    if target == "local":
        raise UsageError("The local org is reached by its URL.", "Commands with `--org local` start it themselves.")
    raise UsageError(f"{target!r} is not an org." if target else "No org was passed.", FORMS)


def _sign_in_to_url(url: str, environ: Mapping[str, str], runtime: Runtime) -> SignIn:
    """
    Return the sign-in method for a URL, from environment variables.

    If the variables contain the URL of an org, it must be the same: a URL often comes from a config file,
    which must not be able to send a token to any host. The local org is on this machine, so
    its URL is accepted with any variables.
    """
    own_url = environ.get("SF_ORG_INSTANCE_URL")
    if (
        own_url
        and not is_loopback(urlsplit(url).hostname or "")
        and normalize_url(own_url, "SF_ORG_INSTANCE_URL") != url
    ):
        raise SignInError(
            f"The org is {url}, but SF_ORG_INSTANCE_URL is {normalize_url(own_url)}; the sign-in belongs to only one of them.",
            "Make them equal, or unset SF_ORG_INSTANCE_URL.",
        )
    method = environment.sign_in({**environ, "SF_ORG_INSTANCE_URL": url}, runtime, at=url)

    def grant() -> Grant:
        granted = method.grant()
        if normalize_url(granted.instance_url) != url:
            raise SignInError(
                f"Signing in with {method.name} leads to {granted.instance_url}, not to {url}.",
                "Pass the org that the sign-in belongs to, or change the variables.",
            )
        return granted

    return SignIn(method.name, method.hint, grant, renewable=method.renewable)
