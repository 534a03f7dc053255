"""
The probes: requests to an org, each of which tests one assumption of docs/assumptions.yaml.

They change nothing: they only read, and validate packages with checkOnly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sfcode.config.models import IntegrationUser
from sfcode.errors import OrgError
from sfcode.evidence import samples
from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address, Component
from sfcode.metadata.normalize import normalize
from sfcode.metadata.package import read, write, zip_files
from sfcode.org import DeployOptions, DeployResult, Org

TIMEOUT = 600.0
"""Time limit of a validation in seconds."""
TEXT_OF_NUMBER = re.compile(r'IF\(\s*ISBLANK\((\w+)\)\s*,\s*""\s*,\s*TEXT\(\1\)\s*\)', re.IGNORECASE)


class Refuted(Exception):
    """Raised when the org behaves differently than assumed; the text describes how."""


class NothingToAsk(Exception):
    """Raised when the org lacks a prerequisite of the probe, which the text describes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A test of an assumption. `ask` returns the org's response, or raises Refuted or NothingToAsk."""

    assumption: str
    """The ID in docs/assumptions.yaml."""
    question: str
    ask: Callable[[Org], str]


def check_package(org: Org, components: Iterable[Component], deleted: Iterable[Address] = ()) -> DeployResult:
    """Validate a package in the org, without deploying it."""
    package = zip_files(write(components, samples.VERSION, deleted=deleted))
    return org.metadata.follow(org.metadata.deploy(package, DeployOptions(check_only=True)), timeout=TIMEOUT)


def _require_accepted(org: Org, *components: Component) -> str:
    result = check_package(org, components)
    if not result.success:
        raise Refuted(_problems(result))
    return "the validation succeeded"


def _problems(result: DeployResult) -> str:
    return "\n".join(map(str, result.failures)) or result.error_message


def _require_refused(result: DeployResult, *texts: str) -> str:
    """Return the problems of a validation that must fail with one of some texts."""
    problems = _problems(result)
    if result.success or not any(text in problems for text in texts):
        raise Refuted(problems or "the validation succeeded")
    return problems


def _asks_new_and_changed(org: Org) -> str:
    condition = (
        "AND(NOT(ISBLANK({!$Record.Email})), OR(ISNEW(), ISCHANGED({!$Record.Email}), ISCHANGED({!$Record.Title})))"
    )
    return _require_accepted(org, samples.message(org.identity.username), samples.flow(condition))


def _parts_find_each_other(org: Org) -> str:
    return _require_accepted(
        org,
        samples.number(),
        samples.text(),
        samples.message(org.identity.username, samples.TEXT_NAME),
        samples.flow(f"OR(ISNEW(), ISCHANGED({{!$Record.{samples.NUMBER_NAME}}}))"),
        samples.permission_set(objects=("Contact",), read=(samples.TEXT,), edit=(samples.NUMBER,)),
    )


def _formulas(org: Org) -> tuple[Component, ...]:
    """Read the formula fields of contacts and leads."""
    fields = [
        item.full_name
        for item in org.metadata.list_metadata("CustomField")
        if item.full_name.startswith(("Contact.", "Lead.")) and item.full_name.endswith("__c") and not item.namespace
    ]
    formulas = tuple(field for field in org.metadata.read_metadata("CustomField", fields) if "formula" in field.body)
    if not formulas:
        raise NothingToAsk("it has no formula field on contacts or leads")
    return formulas


def _blank_as_blank_is_left_out(org: Org) -> str:
    values = {str(field.body.get("formulaTreatBlanksAs")) for field in _formulas(org)}
    if not values <= {"None", "BlankAsZero"}:
        raise Refuted(f"it returns {', '.join(sorted(values))}")
    return f"it returns {', '.join(sorted(values))}"


def _blank_number_has_blank_text(org: Org) -> str:
    pairs = [(field, match) for field in _formulas(org) if (match := TEXT_OF_NUMBER.search(str(field.body["formula"])))]
    if not pairs:
        raise NothingToAsk("apply a project to it first: it has no text formula over a number")
    for field, match in pairs:
        object_name, name = field.full_name.split(".")
        visible_fields = org.describe([object_name]).objects[object_name].fields
        if not {name, match[1]} <= visible_fields.keys():
            raise NothingToAsk(
                f"the signed-in user cannot see {field.full_name} or {match[1]}: assign the viewers' set"
            )
        # Names are from the org's own metadata.
        blank = f"SELECT COUNT() FROM {object_name} WHERE {match[1]} = NULL"  # noqa: S608
        if org.count(f"{blank} AND {name} != NULL") or org.count(f"{blank} AND {name} = '0'"):
            raise Refuted("records with a blank number have a text")
    return "no record with a blank number has a text"


def _made_up_names_are_messages(org: Org) -> str:
    retrieved = org.metadata.retrieve({"Flow": ["Sfcode_No_Such_Flow"], "CustomField": ["Contact.Sfcode_No_Such__c"]})
    text = "\n".join(retrieved.messages)
    if sorted(retrieved.files) != ["package.xml"] or len(retrieved.messages) != 2 or "Sfcode_No_Such_Flow" not in text:
        raise Refuted(text or "no messages")
    return text


def _flow_is_not_deleted_by_name(org: Org) -> str:
    flows = org.tooling_query(
        "SELECT DeveloperName FROM FlowDefinition WHERE ActiveVersionId != NULL AND NamespacePrefix = NULL LIMIT 1"
    )
    if not flows:
        raise NothingToAsk("it has no active flow")
    result = check_package(org, (), [Address("Flow", flows[0]["DeveloperName"])])
    return _require_refused(result, "insufficient access rights on cross-reference id")


def _unknown_user_is_refused(org: Org) -> str:
    result = check_package(org, [samples.message("nobody.of.this.name@sfcode.invalid")])
    return _require_refused(result, "no User named", "Cannot find a user")


def _cancel_takes_the_name_of_the_wsdl(org: Org) -> str:
    try:
        org.metadata.cancel_deploy("0Af000000000000AAA")
    except OrgError as error:
        if "String" in error.message or "invalid at this location" in error.message:
            raise Refuted(error.message) from None
        return error.message
    raise Refuted("a deployment that does not exist was canceled")


def _required_field_is_refused(org: Org) -> str:
    result = check_package(org, [samples.permission_set(objects=("Contact",), read=("Contact.LastName",))])
    return _require_refused(result, "You cannot deploy to a required field: Contact.LastName")


def _permission_set_is_retrieved_whole(org: Org) -> str:
    names = [item.full_name for item in org.metadata.list_metadata("PermissionSet") if not item.namespace][:10]
    rich = [item for item in org.metadata.read_metadata("PermissionSet", names) if "objectPermissions" in item.body]
    if not rich:
        raise NothingToAsk("it has no permission set with rights on objects")
    (component,) = read(org.metadata.retrieve({"PermissionSet": [rich[0].full_name]}).files)
    if normalize(component) != normalize(rich[0]):
        raise Refuted("what is retrieved differs from what is read")
    return "what is retrieved is what is read"


def _defaults_have_these_names(org: Org) -> str:
    names = {name: field.default for name, field in IntegrationUser.model_fields.items()}
    traits = org.traits
    presence = {
        "license": names["license"] in traits.user_licenses,
        "profile": names["profile"] in {profile.name for profile in traits.profiles},
        "permission set license": names["permission_set_license"] in traits.permission_set_licenses,
    }
    missing = [name for name, is_there in presence.items() if not is_there]
    if missing:
        raise Refuted(f"it has no {', '.join(missing)} of this name (language {traits.language})")
    return "all three are there"


PROBES = (
    Probe("U01", "Is the text formula blank if its number is blank?", _blank_number_has_blank_text),
    Probe("U02", "Does the org accept an entry formula with ISNEW() and ISCHANGED()?", _asks_new_and_changed),
    Probe("U03", "May new components of one deployment refer to each other?", _parts_find_each_other),
    Probe(
        "U06",
        "Does the org accept a new workflow rule?",
        lambda org: _require_accepted(org, samples.message(org.identity.username), samples.rule()),
    ),
    Probe(
        "U11",
        "May a permission set grant contacts without accounts?",
        lambda org: _require_accepted(org, samples.permission_set(objects=("Contact",))),
    ),
    Probe(
        "U13",
        "May a permission set grant fields of events?",
        lambda org: _require_accepted(org, samples.permission_set(edit=("Event.Description", "Event.WhoId"))),
    ),
    Probe(
        "U14",
        "May a permission set grant Event.X__c for a field Activity.X__c?",
        lambda org: _require_accepted(
            org, samples.event_id(), samples.permission_set(edit=(samples.EVENT_ID.replace("Activity.", "Event."),))
        ),
    ),
    Probe("U19", "Does a retrieve report missing components in messages?", _made_up_names_are_messages),
    Probe(
        "U20", "Does the org have the default license, profile and permission set license?", _defaults_have_these_names
    ),
    Probe("U26", "Does a retrieve return formulaTreatBlanksAs only if it is BlankAsZero?", _blank_as_blank_is_left_out),
    Probe("U27", "Does a retrieve return all of a permission set?", _permission_set_is_retrieved_whole),
    Probe(
        "U28", "May a package list a field without its object?", lambda org: _require_accepted(org, samples.number())
    ),
    Probe("U29", "Does the org refuse to delete a flow by its name?", _flow_is_not_deleted_by_name),
    Probe("U30", "Does the org refuse access to a required field?", _required_field_is_refused),
    Probe("U31", "Does the org refuse a message with an unknown user?", _unknown_user_is_refused),
    Probe("U32", "Does cancelDeploy accept the parameter that the WSDL names?", _cancel_takes_the_name_of_the_wsdl),
)
