"""
Check mappings against the fields of the org before anything is generated.

Checks that do not need the org's fields are made when a project is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate import entry_formula
from sfcode.mapping.conditions import RECORD_TYPE, Condition
from sfcode.mapping.field_types import (
    ATTRIBUTE_TYPES,
    COMPARED_WITH,
    SENDABLE_AS,
    UNCOMPARABLE,
    USER_ID_FORMULAS,
    compared_as,
    type_label,
)
from sfcode.mapping.fields import STANDARD_OBJECTS, Fields, find_closest
from sfcode.mapping.limits import FORMULA_LENGTH
from sfcode.mapping.naming import PLACEHOLDER_ACCOUNT, PLACEHOLDER_RELAY_URL
from sfcode.mapping.place import Place
from sfcode.mapping.resolved import FieldTarget, FieldUse, ResolvedMapping
from sfcode.metadata.component import Address
from sfcode.metadata.objects import OrgSchema

_HIDDEN = "if it exists, grant the signed-in user access to it (field-level security)"
_HINTS = {
    "address": "map its parts, which are separate fields: {parts}",
    "location": "map its latitude and longitude fields instead",
    "base64": "map a field with a value, not a file",
    "encryptedstring": "Salesforce does not allow encrypted fields in formulas and masks them in messages; map a field that is not encrypted",
}


def check_mapping(mapping: ResolvedMapping, fields: Fields) -> Iterator[Diagnostic]:
    """Find problems of one mapping's fields."""
    yield from _check_user_id(mapping, fields)
    for use in mapping.attributes:
        yield from _check_attribute(use, fields)
    for condition in mapping.where:
        yield from _check_condition(condition, fields)
    for target in mapping.targets:
        yield from _check_target(target, fields)
    if not (mapping.sends and mapping.by_relay):
        return
    length = len(entry_formula.entry_condition(mapping, fields, prefixed=True))
    if length > FORMULA_LENGTH:
        yield mapping.place("to_appcues", "attributes").problem(
            f"the condition over {len(mapping.watched_fields)} fields has {length:,} characters, and Salesforce allows "
            f"{FORMULA_LENGTH:,}",
            "map fewer fields, or combine several in one formula field",
        )


def note_features(mapping: ResolvedMapping, fields: Fields) -> Iterator[Diagnostic]:
    """Return notes about fields that exist only in orgs with a feature, unless the fields were read from the org."""
    uses = [mapping.user_id, *([mapping.source] if mapping.source else []), *mapping.attributes]
    named_fields = [
        *((use.place, use.field) for use in uses),
        *((condition.place, condition.field) for condition in mapping.where),
        *((to.place, to.field) for to in mapping.targets),
    ]
    for place, name in named_fields:
        if name in fields.features:
            yield place.advice(
                f"{mapping.object}.{name} exists only in orgs with {fields.features[name]}",
                "`sfcode plan` checks it against the org",
            )


def note_decimals(mapping: ResolvedMapping, fields: Fields) -> Iterator[Diagnostic]:
    """Return a note about a user ID from a number with decimals, since Salesforce formats 0.5 as `.5`."""
    source = fields.get(mapping.source.field) if mapping.source else None
    if mapping.source and source and source.scale > 0:
        yield mapping.source.place.advice(
            f"{mapping.object}.{source.name} has {source.scale} decimal places: as a text, Salesforce writes 0.5 as .5",
            "use a number without decimal places, whose text is the same everywhere",
        )


def check_object(mapping: ResolvedMapping, schema: OrgSchema) -> Diagnostic | None:
    """Return a problem if a mapping's object does not exist or cannot be mapped."""
    place, name = mapping.place("object"), mapping.object
    if name in STANDARD_OBJECTS or name.endswith("__c"):
        if name in schema.objects or not schema.online:
            return None
        suggestion = find_closest(
            name,
            (candidate for candidate in schema.objects if candidate in STANDARD_OBJECTS or candidate.endswith("__c")),
        )
        return place.problem(
            f"the org has no object {name}, or the signed-in user cannot see it",
            f"did you mean {suggestion}?" if suggestion else "",
        )
    suggestion = find_closest(name, STANDARD_OBJECTS)
    supported = "map Contact, Lead, Account or a custom object (its name ends in __c)"
    return place.problem(f"{name} cannot be mapped", f"did you mean {suggestion}?" if suggestion else supported)


def _missing_field(name: str, place: Place, fields: Fields, hint: str = "") -> Diagnostic:
    suggestion = fields.similar(name)
    if suggestion is not None:
        hint = f"did you mean {suggestion}?"
    return place.problem(f"{fields.object} has no field {name}", hint or (_HIDDEN if fields.complete else ""))


def _check_user_id(mapping: ResolvedMapping, fields: Fields) -> Iterator[Diagnostic]:
    user_id = mapping.user_id
    if mapping.source is None:
        if fields.absent(user_id.field):
            yield _missing_field(
                user_id.field, user_id.place, fields, "add `from: <a number field>`, so that sfcode generates it"
            )
        field = fields.get(user_id.field)
        if field is not None and field.type != "string":
            number = field.type in USER_ID_FORMULAS
            yield user_id.place.problem(
                f"{mapping.object}.{user_id.field} is of type {type_label(field.type)}; the user ID must be a Text field",
                f"write `from: {user_id.field}` and a new name under `field`, such as Appcues_User_Id__c"
                if number
                else "use a Text field, or create a formula field of type Text from this one",
            )
        return
    yield from _check_created(user_id.field, user_id.place, fields, "string", formula=True)
    yield from _check_source(mapping.source, fields)


def _check_source(source: FieldUse, fields: Fields) -> Iterator[Diagnostic]:
    if fields.absent(source.field):
        yield _missing_field(source.field, source.place, fields)
    field = fields.get(source.field)
    if field is None or field.type in USER_ID_FORMULAS:
        return
    if field.type == "string":
        hint = f"it can be the user ID itself: write `field: {source.field}` and remove `from`"
    else:
        hint = "use a Number field, or create a Text field with the ID and set it as `field` without `from`"
    yield source.place.problem(
        f"{fields.object}.{source.field} is of type {type_label(field.type)}; the text formula is made from a Number field",
        hint,
    )


def _check_attribute(use: FieldUse, fields: Fields) -> Iterator[Diagnostic]:
    if fields.absent(use.field):
        yield _missing_field(use.field, use.place, fields)
    field = fields.get(use.field)
    if field is None:
        return
    full_name = f"{fields.object}.{use.field}"
    if field.type not in ATTRIBUTE_TYPES:
        parts = ", ".join(
            name for name, part in fields.known.items() if part.compound == use.field and name not in fields.features
        )
        yield use.place.problem(
            f"{full_name} is of type {type_label(field.type)}, which cannot be sent",
            _HINTS.get(field.type, "map a field with a single value").format(parts=parts or "its street and city"),
        )
    elif use.type is not None and field.type not in SENDABLE_AS[use.type]:
        yield use.place.problem(
            f"{full_name} is of type {type_label(field.type)}, which cannot be sent as {use.type}",
            "change or remove `type`",
        )


def _check_condition(condition: Condition, fields: Fields) -> Iterator[Diagnostic]:
    """Check that formulas and queries can compare the field, and compare it with values of this type."""
    field = fields.get(condition.field)
    if condition.field == RECORD_TYPE:
        if condition.values and not isinstance(condition.values[0], str):
            yield condition.place.problem(
                "a record type is compared by developer name", "write the developer name as a text"
            )
        return
    if fields.absent(condition.field):
        yield _missing_field(condition.field, condition.place, fields)
    if field is None:
        return
    full_name, label = f"{fields.object}.{condition.field}", type_label(field.type)
    if condition.blank is not None:
        if field.type in UNCOMPARABLE:
            message = f"{full_name} is of type {label}, for which a condition cannot test whether it is blank"
            yield condition.place.problem(message, "compare another field, or create a formula checkbox from it")
        return
    value_kind = COMPARED_WITH.get(field.type)
    if value_kind is None:
        message = f"{full_name} is of type {label}, which a condition cannot compare with values"
        yield condition.place.problem(message, "compare another field, or create a formula checkbox from it")
    elif any(compared_as(value) != value_kind for value in condition.values):
        yield condition.place.problem(f"{full_name} is of type {label}", f"compare it with {value_kind}")


def _check_target(target: FieldTarget, fields: Fields) -> Iterator[Diagnostic]:
    if target.create:
        yield from _check_created(target.field, target.place, fields, target.value.created.type, formula=False)
        return
    if fields.absent(target.field):
        yield _missing_field(target.field, target.place, fields, "add `create: true` to have it generated")
    field = fields.get(target.field)
    if field is None:
        return
    full_name = f"{fields.object}.{target.field}"
    if field.calculated or not field.updateable:
        defect = "is a formula" if field.calculated else "cannot be updated"
        yield target.place.problem(
            f"{full_name} {defect}, so the {target.value.noun} cannot be written", "use another field"
        )
    elif field.type not in target.value.types:
        yield target.place.problem(
            f"{full_name} is of type {type_label(field.type)}; the {target.value.noun} needs {target.value.needs}",
            "use another field, or a new one with `create: true`",
        )


def _check_created(name: str, place: Place, fields: Fields, type_: str, *, formula: bool) -> Iterator[Diagnostic]:
    existing = fields.known.get(name)
    if existing is not None and (existing.type != type_ or existing.calculated != formula):
        needed = f"formula field of type {type_label(type_)}" if formula else f"field of type {type_label(type_)}"
        is_ = (
            f"a formula field of type {type_label(existing.type)}"
            if existing.calculated
            else f"of type {type_label(existing.type)}"
        )
        yield place.problem(
            f"{fields.object}.{name} exists already and is {is_}; Salesforce cannot convert it to a {needed}",
            "choose another name for the generated field, or use the existing one: "
            + ("remove `from`" if formula else "remove `create`"),
        )


def check_ownership(project: Project, generated: Collection[Address]) -> Iterator[Diagnostic]:
    """
    Find problems of ownership.

    An adopted or renamed component must be in the project, and a replaced one must not. If a mapping uses the relay, no value
    may be a placeholder of an import.
    """
    if any(mapping.by_relay for mapping in project.resolved):
        yield from _check_placeholders(project)
    for index, address in enumerate(project.settings.as_is):
        if Address.parse(address) not in generated:
            message = f"this project does not contain {address}"
            hint = "remove the line, since no mapping uses it, or correct it"
            yield Diagnostic.error(project.at("as_is", index), f"as_is[{index}]", message, hint)
    for former, present in project.settings.moved.fields.items():
        if Address("CustomField", present) not in generated:
            message = f"this project does not create {present}"
            hint = "write the present name of a generated field, or remove the line"
            path = ("moved", "fields", former)
            yield Diagnostic.error(project.at(*path), ".".join(path[:2]), message, hint)
    for mapping in project.mappings:
        for index, address in enumerate(mapping.spec.replaces):
            if Address.parse(address) in generated:
                message, hint = f"{address} is generated by this project", "remove the line"
                yield Diagnostic.error(mapping.at("replaces", index), f"replaces[{index}]", message, hint)


def _check_placeholders(project: Project) -> Iterator[Diagnostic]:
    settings = project.settings
    for path, value, placeholder in (
        (("appcues", "account_id"), settings.appcues.account_id, PLACEHOLDER_ACCOUNT),
        (("relay", "url"), settings.relay.url, PLACEHOLDER_RELAY_URL),
    ):
        if value == placeholder:
            hint = "set the real value here or in the environment's variables before `delivery: relay` is used"
            yield project.place(*path).problem(f"{value} is a placeholder that is not replaced", hint)
