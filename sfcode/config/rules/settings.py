"""Rules for `sfcode.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sfcode.config.document import Document, PathProblem
from sfcode.config.models import DEFAULT_API_VERSION, IntegrationUser, Settings
from sfcode.config.rules.relay import check_relay
from sfcode.hosts import is_loopback, is_private

OLDEST_API_VERSION = 55.0
DEPRECATED_PROFILE = "Salesforce API Only System Integrations"


def check_settings(settings: Settings, document: Document) -> Iterator[PathProblem]:
    """Check the settings as a whole."""
    version = settings.salesforce.api_version
    if float(version) < OLDEST_API_VERSION:
        message = f'"{version}" is too old: flows have entry formulas since {OLDEST_API_VERSION}'
        yield PathProblem(("salesforce", "api_version"), message, f'write "{DEFAULT_API_VERSION}"')
    yield from _check_record_access(settings.integration_user, document)
    if (settings.integration_user.permission_set or "").lower() == f"{settings.name}_Viewer".lower():
        message = f"{settings.integration_user.permission_set} is the permission set of viewers"
        yield PathProblem(("integration_user", "permission_set"), message, "set another one, or remove the key")
    for index, address in enumerate(settings.as_is):
        if address in settings.as_is[:index]:
            yield PathProblem(("as_is", index), f"{address} is listed twice", "keep one of them")
    for index, username in enumerate(settings.viewers):
        if username.lower() in map(str.lower, settings.viewers[:index]):
            yield PathProblem(("viewers", index), f"{username} is listed twice", "keep one of them")
    yield from _check_moved(settings)
    yield from check_relay(settings, document)


def _check_record_access(user: IntegrationUser, document: Document) -> Iterator[PathProblem]:
    path = ("integration_user", "record_access")
    if user.access == "documented" and document.has(*path) and user.record_access != "modify_all":
        message = f"{user.record_access} cannot be combined with access: documented, which includes Modify All"
        yield PathProblem(path, message, "write modify_all or remove the key, or choose access: least_privilege")


def _check_moved(settings: Settings) -> Iterator[PathProblem]:
    for former, present in settings.moved.fields.items():
        if former.partition(".")[0].lower() != present.partition(".")[0].lower():
            message = (
                f"{present} is not a field of the object of {former}, and a field cannot be moved to another object"
            )
            yield PathProblem(("moved", "fields", former), message, "remove the line: a new field is created")
    for kind in ("mappings", "fields"):
        names: dict[str, str] = getattr(settings.moved, kind)
        former_names: dict[str, str] = {}
        for former, present in names.items():
            claimant = former_names.setdefault(present.lower(), former)
            if claimant != former:
                message = f"{present} cannot have been both {claimant} and {former}"
                yield PathProblem(("moved", kind, former), message, "keep the correct line")


def warn_about_settings(settings: Settings) -> Iterator[PathProblem]:
    """Warn of valid settings with surprising effects."""
    if float(settings.salesforce.api_version) > float(DEFAULT_API_VERSION):
        message = f"newer than {DEFAULT_API_VERSION}, the version whose schema sfcode checks packages against"
        yield PathProblem(("salesforce", "api_version"), message, f'write "{DEFAULT_API_VERSION}" unless you need more')
    if settings.integration_user.profile == DEPRECATED_PROFILE:
        message = f"Salesforce replaced the profile {DEPRECATED_PROFILE}, which new orgs do not have"
        yield PathProblem(("integration_user", "profile"), message, "write Minimum Access - API Only Integrations")
    if settings.relay.webhook_auth.algorithm == "sha1":
        yield PathProblem(
            ("relay", "webhook_auth", "algorithm"), "SHA-1 is deprecated", "write sha256 if Appcues supports it"
        )
    host = urlsplit(settings.relay.url).hostname or ""
    if is_private(host) and not is_loopback(host):
        message = f"Salesforce probably cannot reach {host}: it looks like a name or address of a private network"
        yield PathProblem(("relay", "url"), message, "give the relay a public address")
