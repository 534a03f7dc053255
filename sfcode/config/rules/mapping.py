"""Rules for one mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf

from sfcode.config.did_you_mean import format_value
from sfcode.config.document import Document, PathProblem
from sfcode.config.mapping_models import Attribute, EventFilter, Mapping, TargetField
from sfcode.config.names import FIELD_LIMIT, custom_base
from sfcode.mapping.events import BY_NAME
from sfcode.mapping.field_types import compared_as
from sfcode.mapping.place import ConfigPath
from sfcode.mapping.value_map import AttributeValue, fold_value

SECTIONS = ("to_appcues", "to_salesforce")
_NO_OBJECT = {"activity", "event", "task"}
_OWN_IDS = {"user": ("user_id", "userid"), "group": ("group_id", "groupid")}


def check_mapping(mapping: Mapping, document: Document) -> Iterator[PathProblem]:
    """Check a mapping as a whole."""
    if mapping.object.lower() in _NO_OBJECT:
        message = f"{mapping.object} cannot be mapped: it is an object for activities"
        yield PathProblem(("object",), message, "map the object they belong to, such as Contact")
    yield from _check_direction(mapping, document)
    yield from _check_user_id(mapping)
    yield from _check_attributes(mapping)
    yield from _check_conditions(mapping)
    yield from _check_targets(mapping)
    yield from _check_lists(mapping)
    yield from _check_replaced(mapping)
    yield from _check_connector(mapping, document)


def written_fields(mapping: Mapping) -> dict[ConfigPath, TargetField]:
    """List the fields that the relay writes, by their path in the mapping."""
    targets = mapping.to_salesforce.targets if mapping.to_salesforce else ()
    return {("to_salesforce", *value.path): target for value, target in targets}


def created_fields(mapping: Mapping) -> Iterator[tuple[ConfigPath, str]]:
    """List the fields of the mapping's object that sfcode generates."""
    if mapping.user_id.from_:
        yield ("user_id", "field"), mapping.user_id.field
    for path, target in written_fields(mapping).items():
        if target.create:
            yield (*path, "field"), target.field


def _check_direction(mapping: Mapping, document: Document) -> Iterator[PathProblem]:
    is_set = document.has("direction")
    for section, opposite in zip(SECTIONS, reversed(SECTIONS), strict=True):
        is_needed = mapping.direction in ("both", section)
        is_present = document.get((section,)) is not None
        if is_needed and not is_present:
            cause = mapping.direction if is_set else "both, which is the default,"
            hint = "add it" + (f", or write direction: {opposite}" if document.has(opposite) else "")
            yield PathProblem(("direction",), f"{cause} needs the section {section}", hint)
        elif is_present and not is_needed:
            message = f"is not used with direction: {mapping.direction}"
            yield PathProblem((section,), message, "remove the section, or write direction: both", at="key")


def _check_user_id(mapping: Mapping) -> Iterator[PathProblem]:
    field, source = mapping.user_id.field, mapping.user_id.from_
    if source and source.lower() == field.lower():
        message = f"{source} is the user ID field itself, and a formula cannot refer to itself"
        yield PathProblem(("user_id", "from"), message, "set the number field here, and another name in `field`")
    for path, name in created_fields(mapping):
        yield from _check_created(path, name)


def _check_created(path: ConfigPath, name: str) -> Iterator[PathProblem]:
    base = custom_base(name)
    if not name.endswith("__c"):
        cause = "because `from` is set" if path[0] == "user_id" else "because of create: true"
        message = f"{name} is generated, {cause}, so it must be a custom field"
        drop = "from" if path[0] == "user_id" else "create: true"
        yield PathProblem(path, message, f"write a name that ends in __c, or remove {drop}")
    elif base is None:
        message = f"{name} cannot be generated: it is not the name of a custom field without a namespace"
        yield PathProblem(path, message, "use letters, digits and single underscores before __c")
    elif len(base) > FIELD_LIMIT:
        message = f"{name} is {len(base)} characters long without __c, and Salesforce allows {FIELD_LIMIT}"
        yield PathProblem(path, message, "shorten it")


def _check_attributes(mapping: Mapping) -> Iterator[PathProblem]:
    attributes = mapping.to_appcues.attributes if mapping.to_appcues else {}
    names: dict[str, str] = {}
    for name in attributes:
        path = ("to_appcues", "attributes", name)
        if name.lower() in _OWN_IDS[mapping.match]:
            message = f"{name} is Appcues' name for the {mapping.match} ID, which `user_id` already matches"
            yield PathProblem(path, message, "remove it, or choose another name", at="key")
        first = names.setdefault(name.lower(), name)
        if first != name:
            message = f"{name} and {first} differ only in case, and would be two attributes in Appcues"
            yield PathProblem(path, message, "keep one of them", at="key")
        yield from _check_value_map(path, attributes[name])


def _check_value_map(path: ConfigPath, attribute: Attribute) -> Iterator[PathProblem]:
    if attribute.map_ is None:
        if attribute.default is not None:
            message = "has no effect without `map`"
            yield PathProblem((*path, "default"), message, "add map, or remove default", at="key")
        return
    if attribute.type is not None:
        message = "has no effect with `map`, whose values determine the type"
        yield PathProblem((*path, "type"), message, "remove it", at="key")
    spellings: dict[str, str] = {}
    first = next(iter(attribute.map_))
    kind = _kind_of(attribute.map_[first])
    for value, translation in attribute.map_.items():
        earlier = spellings.setdefault(fold_value(value), value)
        if earlier != value:
            message = (
                f"{format_value(value)} and {format_value(earlier)} differ only in case or spaces, which are ignored"
            )
            yield PathProblem((*path, "map", value), message, "keep one of them", at="key")
        if _kind_of(translation) != kind:
            message = f"is {_kind_of(translation)}, and {format_value(first)} is sent as {kind}: an Appcues attribute has one type"
            yield PathProblem((*path, "map", value), message, "write values of one type")
    if attribute.default is not None and _kind_of(attribute.default) != kind:
        message = (
            f"is {_kind_of(attribute.default)}, and the values of `map` are not: an Appcues attribute has one type"
        )
        yield PathProblem((*path, "default"), message, f"write {kind}")


def _kind_of(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "a number"


def _check_conditions(mapping: Mapping) -> Iterator[PathProblem]:
    names: dict[str, str] = {}
    for name, condition in mapping.where.items():
        first = names.setdefault(name.lower(), name)
        if first != name:
            yield PathProblem(
                ("where", name),
                f"{name} and {first} are the same field in Salesforce, which ignores case",
                "keep one of them",
                at="key",
            )
        values = condition.is_ or condition.not_ or ()
        if len({compared_as(value) for value in values}) > 1:
            message = "has values of several types, but a field has one type"
            yield PathProblem(("where", name), message, "put numbers in quotes if the field is a text")
        elif len(values) > 1 and isinstance(values[0], bool):
            message = "has both values of a checkbox, so that the condition has no effect"
            yield PathProblem(("where", name), message, "write true or false")
    if mapping.where and mapping.delivery == "connector":
        message = "has no effect with delivery: connector, which sends all records"
        yield PathProblem(("where",), message, "remove it, or write delivery: relay", at="key")


def _check_targets(mapping: Mapping) -> Iterator[PathProblem]:
    reserved = {mapping.user_id.field.lower(): "the user ID", (mapping.user_id.from_ or "").lower(): "the user ID"}
    attributes = mapping.to_appcues.attributes if mapping.to_appcues else {}
    for name, attribute in attributes.items():
        reserved.setdefault(attribute.field.lower(), f"sent to Appcues as {name}")
    for path, target in written_fields(mapping).items():
        role = reserved.get(target.field.lower())
        if role:
            message = f"{target.field} is {role}, so Appcues must not write it"
            yield PathProblem((*path, "field"), message, "choose another field: a field can only have one direction")
        reserved[target.field.lower()] = f"written as NPS {path[-1]}"


def _check_lists(mapping: Mapping) -> Iterator[PathProblem]:
    if mapping.to_appcues:
        yield from _check_repeated(("to_appcues", "on"), mapping.to_appcues.on)
    section = mapping.to_salesforce
    if section is None:
        return
    yield from _check_repeated(("to_salesforce", "activities"), section.activity_events)
    for index, activity in enumerate(section.activities):
        for event, event_filter in activity.items():
            yield from check_filter(
                ("to_salesforce", "activities", index, event), event, event_filter, mapping.delivery
            )
    yield from _check_repeated(("to_salesforce", "click_to_track"), section.click_to_track)
    for index, name in enumerate(section.click_to_track):
        if name.lower().startswith("appcues:"):
            message = f"{format_value(name)} is an event of Appcues itself, not a click-to-track event"
            hint = "list its own events under activities, by their names without appcues:"
            yield PathProblem(("to_salesforce", "click_to_track", index), message, hint)
    if not (written_fields(mapping) or section.activities or section.click_to_track):
        message = "is empty: there is no NPS field, no activity and no click-to-track event"
        yield PathProblem(
            ("to_salesforce",), message, "add one, or write direction: to_appcues without this section", "key", True
        )


def check_filter(path: ConfigPath, event: str, event_filter: EventFilter, delivery: str) -> Iterator[PathProblem]:
    """Check that an event is filtered by the kind of content that it belongs to."""
    item = BY_NAME[event].item
    for kind, names in event_filter.items().items():
        if kind != item:
            hint = f"write {item}, or remove it"
            yield PathProblem((*path, kind), f"{event} belongs to a {item} and has no {kind}", hint, at="key")
        elif delivery == "connector":
            message = "has no effect with delivery: connector, which writes all of them"
            yield PathProblem((*path, kind), message, "remove it, or write delivery: relay", at="key")
        yield from _check_repeated((*path, kind), names)


def _check_replaced(mapping: Mapping) -> Iterator[PathProblem]:
    yield from _check_repeated(("replaces",), mapping.replaces)
    for index, address in enumerate(mapping.replaces):
        kind, _, name = address.partition(":")
        owner = name.partition(".")[0]
        if kind != "Flow" and owner.lower() != mapping.object.lower():
            message = f"{address} belongs to {owner}, and this mapping to {mapping.object}"
            yield PathProblem(("replaces", index), message, f"move it to the mapping of {owner}, or remove it")


def _check_repeated(path: ConfigPath, items: Sequence[str]) -> Iterator[PathProblem]:
    for index, item in enumerate(items):
        if item in items[:index]:
            yield PathProblem((*path, index), f"{item} is listed twice", "keep one of them")


def _check_connector(mapping: Mapping, document: Document) -> Iterator[PathProblem]:
    if document.has("converted") and mapping.object != "Lead":
        message = f"has no effect for {mapping.object}: only leads are converted"
        yield PathProblem(("converted",), message, "remove it", at="key")
    if mapping.delivery != "connector":
        return
    for key in ("several", "converted"):
        if document.has(key):
            message = "has no effect with delivery: connector, which has its own lookup of records"
            yield PathProblem((key,), message, "remove it, or write delivery: relay", at="key")
    for key in ("trigger", "on"):
        if document.has("to_appcues", key):
            message = "has no effect with delivery: connector, for which sfcode generates no message or flow"
            yield PathProblem(("to_appcues", key), message, "remove it, or write delivery: relay", at="key")
    for name, attribute in (mapping.to_appcues.attributes if mapping.to_appcues else {}).items():
        if attribute.map_ is not None:
            message = "has no effect with delivery: connector, which sends values unchanged"
            hint = "remove it, or write delivery: relay"
            yield PathProblem(("to_appcues", "attributes", name, "map"), message, hint, at="key")


def warn_about_mapping(mapping: Mapping) -> Iterator[PathProblem]:
    """Warn of valid settings with surprising effects."""
    section = mapping.to_appcues
    if section and section.trigger == "workflow_rule":
        message = "Salesforce ended support for workflow rules on 2025-12-31, and may refuse new ones"
        yield PathProblem(("to_appcues", "trigger"), message, "set trigger: flow, which sends the same changes")
    if mapping.match == "group" and mapping.object in ("Contact", "Lead"):
        message = f"a {mapping.object} is a person, and a group in Appcues is usually an account"
        yield PathProblem(("match",), message, "write match: user unless this is intended")
    if section:
        yield from _warn_about_repeated_fields(section.attributes)
    if mapping.delivery == "connector" and section:
        typed = [name for name, attribute in section.attributes.items() if attribute.type]
        yield from _warn_about_types(typed)


def _warn_about_repeated_fields(attributes: MappingOf[str, Attribute]) -> Iterator[PathProblem]:
    """Warn of a field that is sent twice with the same type and `map`."""
    names: dict[object, str] = {}
    for name, attribute in attributes.items():
        values = None if attribute.map_ is None else (tuple(attribute.map_.items()), attribute.default)
        first = names.setdefault((attribute.field.lower(), attribute.type, values), name)
        if first != name:
            message = f"{attribute.field} is already sent as {first}, with the same values"
            yield PathProblem(("to_appcues", "attributes", name), message, "remove one of them", at="key")


def _warn_about_types(names: Iterable[str]) -> Iterator[PathProblem]:
    for name in names:
        message = "has no effect with delivery: connector, which determines the type itself"
        yield PathProblem(("to_appcues", "attributes", name, "type"), message, "remove it", at="key")
