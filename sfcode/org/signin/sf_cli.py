"""Sign in through the sf CLI, by running its commands; sfcode does not read its files."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from sfcode.errors import SignInError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.org.options import Runtime
from sfcode.org.session import Grant, SignIn
from sfcode.secret import Secret

QUIET = {
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
    "FORCE_COLOR": "0",
}
REDACTED = "[REDACTED]"
UNKNOWN = ("NamedOrgNotFoundError", "NoAuthInfoFound", "AuthInfoCreationError")
NO_COMMAND = ("command_not_found", "CommandNotFound")


def sign_in(alias: str, environ: Mapping[str, str], runtime: Runtime) -> SignIn:
    """Return the sign-in of an alias or username that the sf CLI knows."""
    hint = f"Sign in again: `sf org login web --alias {alias}`."
    return SignIn(f"alias:{alias}", hint, AliasGrant(alias, environ, runtime), renewable=True)


@dataclass(frozen=True)
class AliasGrant:
    """Reads the token of an alias from sf, which renews it if it can."""

    alias: str
    environ: Mapping[str, str] = field(repr=False)
    runtime: Runtime = field(repr=False)

    def __call__(self) -> Grant:
        """Run `sf org display`, and if that hides the token (since 2.136) `sf org auth show-access-token`."""
        display = self._run("org", "display")
        status = str(display.get("connectedStatus", ""))
        if "RefreshTokenAuthError" in status or "expired" in status.lower():
            raise SignInError(f"The sf CLI's sign-in to {self.alias} has ended.", self._login)
        token = display.get("accessToken")
        # Instead of a token, sf may print a placeholder text.
        if not isinstance(token, str) or token.startswith(REDACTED):
            token = self._run("org", "auth", "show-access-token").get("accessToken")
        url = display.get("instanceUrl")
        if not isinstance(token, str) or not token or token.startswith(REDACTED) or not isinstance(url, str):
            raise SignInError(
                f"The sf CLI returns no access token for {self.alias}.",
                "Update it (`sf update`), or set SF_ACCESS_TOKEN and SF_ORG_INSTANCE_URL.",
            )
        return Grant(Secret(token), url)

    @property
    def _login(self) -> str:
        return f"Sign in with `sf org login web --alias {self.alias}`, or pass another org; `sf org list` shows the known orgs."

    def _run(self, *command: str) -> dict[str, Any]:
        """Run one sf command without a shell and return the `result` of its JSON."""
        program = shutil.which("sf", path=self.environ.get("PATH"))
        if program is None:
            raise SignInError(
                "The sf CLI is not installed, or not on the PATH.",
                "Install it (npm install --global @salesforce/cli), or sign in with variables: pass --org env:UAT, and set "
                "UAT_SF_ACCESS_TOKEN and UAT_SF_ORG_INSTANCE_URL.",
            )
        try:
            process = subprocess.run(
                [program, *command, f"--target-org={self.alias}", "--json"],
                env={**self.environ, **QUIET},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.runtime.cli_timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SignInError(
                f"`sf {' '.join(command)}` did not finish in {self.runtime.cli_timeout:.0f} s.",
                f"Run it to see the error: sf {' '.join(command)} --target-org {self.alias}",
            ) from None
        except OSError as error:
            raise SignInError(f"The sf CLI at {program} cannot be run: {error.strerror}.") from None
        return self._result(command, process)

    def _result(self, command: tuple[str, ...], process: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
        try:
            document = json.loads(process.stdout)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            # The output is not part of the message, since it may contain a token.
            raise SignInError(
                f"`sf {' '.join(command)}` ended with {process.returncode} and without JSON.",
                f"Run it to see the error: sf {' '.join(command)} --target-org {self.alias}",
            )
        result = document.get("result")
        if process.returncode == 0 and isinstance(result, dict):
            return result
        name, message = str(document.get("name", "")), str(document.get("message", "no reason given"))
        if name in UNKNOWN or "No authorization information found" in message:
            raise SignInError(f"The sf CLI has no org {self.alias!r}.", self._login, code=name)
        if name in NO_COMMAND or "is not a sf command" in message:
            raise SignInError(
                f"This sf CLI hides the token of {self.alias} and has no `sf {' '.join(command)}`.",
                "Update it: `sf update`, or npm install --global @salesforce/cli.",
            )
        raise SignInError(f"The sf CLI cannot open {self.alias}: {message}", self._login, code=name)
