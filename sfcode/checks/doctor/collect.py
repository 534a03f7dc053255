"""Collect the facts that the checks need. Reads only, and sends no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from sfcode.checks.doctor.collect_records import collect_mapping_facts
from sfcode.checks.doctor.collect_user import collect_user_facts
from sfcode.checks.doctor.facts import Endpoint, Facts, OrgFacts, ask_optional, shorten_error
from sfcode.checks.doctor.probe import probe
from sfcode.config.project import Project
from sfcode.errors import OrgError, UsageError
from sfcode.hosts import is_loopback, is_private
from sfcode.org import Org
from sfcode.plan.gather import find_misfits
from sfcode.plan.schema import read_org_traits

NO_API = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})

RIGHTS = ("ModifyMetadata", "ModifyAllData", "ManageUsers", "AssignPermissionSets")


def collect_facts(project: Project, org: Org, another: Org | None, environ: Mapping[str, str]) -> Facts:
    """Read facts from the org, also as a second user, and from the relay. Raises OrgError if the org does not answer."""
    org_facts = _org(org, project)
    endpoint = _endpoint(project, org_facts, environ)
    if not org_facts.answers:
        return Facts(org_facts, endpoint=endpoint)
    if another is not None:
        _same_org(org, another)
    if any(mapping.sends and mapping.by_relay for mapping in project.resolved):
        user = project.settings.integration_user.username
        org_facts = replace(org_facts, silent_users=ask_optional(lambda: _silent_users(org, user)))
    return Facts(
        org_facts,
        user=collect_user_facts(project, org),
        endpoint=endpoint,
        mappings=collect_mapping_facts(project, org, another),
        misfits=ask_optional(lambda: find_misfits(project, org)),
        messages=ask_optional(
            lambda: tuple(message.full_name for message in org.metadata.list_metadata("WorkflowOutboundMessage"))
        ),
    )


def _org(org: Org, project: Project) -> OrgFacts:
    versions = ask_optional(lambda: tuple(str(version["version"]) for version in org.get("/services/data")))
    host = urlsplit(org.instance_url).hostname or ""
    facts = OrgFacts(org.instance_url, "", org.api_version, versions, is_local=is_loopback(host))
    if not facts.answers:
        return facts
    try:
        traits, identity = read_org_traits(org, project), org.identity
    except OrgError as error:
        if error.code not in NO_API:
            raise
        return replace(facts, api_disabled=shorten_error(error))
    return replace(
        facts,
        name=identity.name,
        username=identity.username,
        edition=traits.edition,
        language=traits.language,
        features=traits.features,
        requests=ask_optional(lambda: traits.requests),
        rights=ask_optional(lambda: _rights(org)),
    )


def _rights(org: Org) -> frozenset[str]:
    # This object has one row, about the signed-in user, and needs no permission to read.
    fields = ", ".join(f"Permissions{right}" for right in RIGHTS)
    rows = org.query(f"SELECT {fields} FROM UserPermissionAccess LIMIT 1")  # noqa: S608  (names from above)
    return frozenset(right for row in rows for right in RIGHTS if row[f"Permissions{right}"] is True)


def _silent_users(org: Org, integration_user: str) -> tuple[str, ...]:
    # The permission set behind a profile is assigned as well, so that profiles count too.
    rows = org.query(
        "SELECT Username FROM User WHERE IsActive = TRUE AND UserType = 'Standard' AND Username != {} AND Id NOT IN "
        "(SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.PermissionsEnableNotifications = TRUE) "
        "ORDER BY Username",
        integration_user,
    )
    return tuple(row["Username"] for row in rows)


def _endpoint(project: Project, org: OrgFacts, environ: Mapping[str, str]) -> Endpoint | None:
    if all(mapping.spec.delivery != "relay" for mapping in project.mappings):
        return None
    url = project.settings.relay.url
    host = urlsplit(url).hostname or ""
    if is_loopback(host) and org.is_local:
        return _probe_endpoint(url, environ)
    if is_private(host):
        return Endpoint(url, "this machine" if is_loopback(host) else "a private network")
    return _probe_endpoint(url, environ)


def _probe_endpoint(url: str, environ: Mapping[str, str]) -> Endpoint:
    answer = probe(url, environ)
    return Endpoint(url, config=answer) if isinstance(answer, str) else Endpoint(url, trouble=answer)


def _same_org(org: Org, another: Org) -> None:
    if another.identity.org_id != org.identity.org_id:
        raise UsageError(
            f"--as signs in to {another.identity.name} ({another.identity.org_id}), and the org is "
            f"{org.identity.name} ({org.identity.org_id}).",
            "Sign in to the same org, as the integration user.",
        )
