"""Check workflows: outbound messages, rules and field updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from sfcode.local import formula
from sfcode.local.formula import FormulaError, Type
from sfcode.local.formula.functions import CHANGE
from sfcode.local.http import LOOPBACK
from sfcode.local.metadata.deploy.checks.common import check_keys, check_lengths, get_entries, no_field, no_object
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.metadata.registry import is_known
from sfcode.local.metadata.scopes import ObjectScope
from sfcode.local.metadata.versions import NEWEST
from sfcode.local.sobjects.values import check_developer_name

UNIQUE_NAME = "The Unique Name"
EDITIONS = {f"{name} Edition" for name in ("Enterprise", "Unlimited", "Developer", "Performance")} | {"Base Edition"}
"""
Editions with outbound messages:
https://help.salesforce.com/s/articleView?id=platform.workflow_managing_outbound_messages.htm

The message for other editions is that of
https://github.com/SFDO-Community/declarative-lookup-rollup-summaries/issues/716
"""
OLD_API = 8.0
FIRST_API = 18.0
PORTS = {"http": 80, "https": 443}
OTHER_PORTS = range(1024, 65_536)
EVERY_SAVE = "onAllChanges"


def outbound_message(subject: Subject) -> Iterator[str]:
    """Check an outbound message."""
    organization = subject.view.tx.records.list_all("Organization")[0]
    if organization.get("OrganizationType") not in EDITIONS:
        yield "Not available for deploy for this organization"
        return
    body = subject.body
    yield from check_developer_name(UNIQUE_NAME, subject.name, 80)
    yield from check_lengths(body, {"name": ("Name", 80), "description": ("Description", 255)})
    if subject.view.object(subject.owner) is None:
        yield no_object("entity", subject.owner)
    else:
        fields = body.get("fields")
        for field in fields if isinstance(fields, list) else ():
            if subject.view.field(subject.owner, str(field)) is None:
                yield no_field("fields", f"{subject.owner}.{field}")
    username = str(body.get("integrationUser") or "")
    if subject.view.active_user(username) is None:
        yield f"In field: integrationUser - no User named {username} found"
    yield from _endpoint(str(body.get("endpointUrl") or ""))
    version = float(str(body["apiVersion"]))
    if not (version == OLD_API or FIRST_API <= version <= NEWEST):
        yield f'The WorkflowOutboundMessage apiVersion can\'t be "{body["apiVersion"]}"'


def _endpoint(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or any(char.isspace() for char in url):
        yield f"Invalid endpoint URL: {url.partition('://')[0][:20]}... is not an http or https address"
    elif (
        port is not None and port != PORTS[parts.scheme] and port not in OTHER_PORTS and parts.hostname not in LOOPBACK
    ):
        # The org's own list: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_setting_up.htm .
        # Loopback URLs are for trials on one machine, with random ports.
        yield f"Invalid endpoint URL: port {port} is not allowed, use 80 (http), 443 (https) or 1024 to 65535"


def rule(subject: Subject) -> Iterator[str]:
    """Check a workflow rule."""
    body = subject.body
    if len(subject.name) > 80:
        yield "Value too long for field: Name maximum length is:80"
    if subject.view.object(subject.owner) is None:
        yield no_object("entity", subject.owner)
        return
    criteria, text = body.get("criteriaItems"), body.get("formula")
    if bool(criteria) == bool(text):
        yield (
            "Either criteriaItems or formula must be set"
            if not text
            else "Only one of criteriaItems and formula can be set"
        )
    if text:
        yield from _rule_formula(subject, str(text))
    for item in criteria if isinstance(criteria, list) else ():
        name = str(item.get("field")) if isinstance(item, Mapping) else ""
        owner, _, field = name.partition(".")
        if not field or subject.view.field(owner, field) is None:
            yield no_field("field", name if field else f"{subject.owner}.{name}")
    yield from check_keys(body, "actions", "name")
    triggers = body.get("workflowTimeTriggers")
    time_triggers = [entry for entry in triggers if isinstance(entry, Mapping)] if isinstance(triggers, list) else []
    if time_triggers and body.get("triggerType") == EVERY_SAVE:
        yield "Time triggers can't be added to a rule that is evaluated every time a record is saved"
    for holder in (body, *time_triggers):
        yield from _actions(subject, holder)


def _actions(subject: Subject, holder: Mapping[str, object]) -> Iterator[str]:
    for name, action in get_entries(holder, "actions").items():  # type: ignore[arg-type]
        type_ = f"Workflow{action.get('type')}"
        full_name = f"{subject.owner}.{name}"
        if is_known(type_) and not subject.view.has(type_, full_name):
            yield f"In field: name - no {type_} named {full_name} found"


def _rule_formula(subject: Subject, text: str) -> Iterator[str]:
    # ISCHANGED and PRIORVALUE need a rule that runs on every save:
    # https://help.salesforce.com/s/articleView?id=platform.customize_functions_ischanged.htm&type=5
    forbidden = frozenset() if subject.body.get("triggerType") == EVERY_SAVE else CHANGE
    yield from boolean(text, ObjectScope.of_rule(subject.view.catalog, subject.owner, forbidden=forbidden))


def boolean(text: str, scope: ObjectScope) -> Iterator[str]:
    """Check a formula with a boolean result."""
    try:
        formula.check(text, scope, Type.BOOLEAN)
    except FormulaError as error:
        yield str(error)


def field_update(subject: Subject) -> Iterator[str]:
    """Check a field update."""
    field = str(subject.body.get("field") or "")
    if not subject.body.get("targetObject") and subject.view.field(subject.owner, field) is None:
        yield no_field("field", f"{subject.owner}.{field}")


def validation_rule(subject: Subject) -> Iterator[str]:
    """Check a validation rule."""
    yield from check_developer_name(UNIQUE_NAME, subject.name, 40)
    text = str(subject.body.get("errorConditionFormula") or "")
    # VLOOKUP is for validation rules alone: https://help.salesforce.com/s/articleView?id=platform.customize_functions_vlookup.htm&type=5
    yield from boolean(text, ObjectScope.of_rule(subject.view.catalog, subject.owner, allowed=frozenset({"VLOOKUP"})))
