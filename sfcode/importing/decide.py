"""From what was found to a draft, or to the questions that are open: pure, and nothing is guessed in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sfcode.errors import Refused
from sfcode.importing.answers import Options
from sfcode.importing.field_candidates import attributes, nps, user_id
from sfcode.importing.integration_user import choose_user
from sfcode.importing.proposal import Draft, Inquiry, MappingDraft
from sfcode.importing.scan_result import Found
from sfcode.mapping import naming
from sfcode.mapping.field_types import STANDARD_OBJECTS
from sfcode.metadata.component import Address


def choose(found: Found, options: Options) -> Draft:
    """Draft a config. Raises Refused with all open questions at once, or where nothing was found at all."""
    asked = Inquiry(found, options)
    objects = _objects(asked)
    user = choose_user(asked, objects)
    # While it is open which of them it is, each of them tells something about the fields.
    sets = (user.permission_set,) if user.permission_set else tuple(sorted(found.sets))
    mappings = tuple(_mapping(asked, name, sets) for name in objects)
    if asked.questions:
        count = len(asked.questions)
        what = "1 question" if count == 1 else f"{count} questions"
        listed = "".join(f"\n  - {question}" for question in asked.questions)
        raise Refused(
            f"{asked.found.target.name} leaves {what} open:{listed}",
            "Say it with the options named above; nothing was written.",
        )
    event_id = naming.event_id_field(options.name)
    if found.event_id and any(mapping.activities and mapping.receives for mapping in mappings):
        asked.notes.append(
            f"CustomField:Activity.{event_id} is there already; the relay needs it, so the plan that moves to the relay "
            "will want it adopted"
        )
    objects_of_mappings = {mapping.object for mapping in mappings}
    leftovers = tuple(each for each in asked.found.messages if each.object in objects_of_mappings)
    others = [each for each in asked.found.messages if each.object not in objects_of_mappings]
    asked.notes.extend(
        f"{each.address} sends to {each.shown_host}, and no mapping is about {each.object}" for each in others
    )
    return Draft(
        user,
        mappings,
        tuple(sorted(_as_is(asked, mappings, user.permission_set))),
        tuple(asked.choices),
        leftovers,
        tuple(asked.by_hand),
        tuple(asked.notes),
    )


def _objects(asked: Inquiry) -> tuple[str, ...]:
    if asked.options.objects:
        unknown = [name for name in asked.options.objects if name not in asked.found.fields]
        for name in unknown:
            asked.ask(f"There is no object {name} in this org, or you cannot see it", "--object NAME")
        known = tuple(dict.fromkeys(name for name in asked.options.objects if name in asked.found.fields))
        asked.chose("object", ", ".join(known), "as you say")
        return known
    sent = sorted({message.object for message in asked.found.messages})
    granted = sorted(
        {name for one in asked.found.sets.values() for name in one.objects("allowRead")} & asked.found.fields.keys()
    )
    for names, because in (
        (sent, "Appcues has an outbound message of it"),
        (granted, "its permission set is about it"),
    ):
        if len(names) == 1:
            asked.chose("object", names[0], because)
            return (names[0],)
        if names:
            listed = ", ".join(names)
            asked.ask(f"Which objects shall be mapped? {because}: {listed}", f"--object {names[0]} (repeatable)")
            return ()
    raise Refused(
        f"Nothing of an integration with Appcues was found in {asked.found.target.name}: no outbound message of it, and no user "
        "with an API-only license and a permission set.",
        "Begin with `sfcode init`. If there is something, say where: --object Contact --user-id-field FIELD, --user and "
        "--permission-set.",
    )


def _mapping(asked: Inquiry, name: str, sets: tuple[str, ...]) -> MappingDraft:
    field, source = user_id(asked, name, sets)
    score, feedback = nps(asked, name, "score"), nps(asked, name, "feedback")
    has_events = bool(asked.found.events) or any(asked.found.grants(each).fields("Event") for each in sets)
    way = _direction(asked, name, receives=has_events or bool(score or feedback))
    sent: dict[str, str] = {}
    because = ""
    if way != "to_salesforce":
        sent, because = attributes(asked, name, (field, source, score, feedback), sets)
    formula = asked.found.formulas.get(f"{name}.{field}")
    if formula and source and formula.blank_as_zero and "ISBLANK" not in formula.text.upper():
        asked.notes.append(
            f'{name}.{field} treats blank as zero: every record without an id has the id "0" and is one user in Appcues. '
            "Take its line out of as_is, and the plan shows the formula that leaves it blank"
        )
    return MappingDraft(
        mapping_name(name),
        name,
        way,
        field,
        source,
        sent,
        because,
        score if way != "to_appcues" else None,
        feedback if way != "to_appcues" else None,
        activities=has_events or not (score or feedback),
        replaces=tuple(dict.fromkeys(map(str, _replaces(asked, name)))),
    )


def _direction(asked: Inquiry, name: str, *, receives: bool) -> str:
    if asked.options.direction:
        asked.chose(f"direction of {name}", asked.options.direction, "as you say")
        return asked.options.direction
    sends = any(message.object == name for message in asked.found.messages)
    words = {(True, True): "both", (True, False): "to_appcues", (False, True): "to_salesforce"}
    way = words.get((sends, receives))
    if way is None:
        asked.ask(f"Which way does the data of {name} flow? Nothing in the org tells", "--direction both")
        return "both"
    signs = (["an outbound message to Appcues"] if sends else []) + (
        ["fields, events or rights for what comes back"] if receives else []
    )
    asked.chose(f"direction of {name}", way, f"there are {' and '.join(signs)}")
    return way


def _replaces(asked: Inquiry, object_name: str) -> Iterator[Address]:
    for message in asked.found.sending(object_name):
        busy = [firing.address for firing in message.fired_by if not firing.alone]
        if busy:
            listed = ", ".join(map(str, busy))
            asked.by_hand.append(
                f"{message.address} is fired by {listed}, which does other things too: take the message out of it in "
                f"Setup, then add {message.address} to `replaces`"
            )
            continue
        yield from (firing.address for firing in message.fired_by)
        yield message.address


def _as_is(asked: Inquiry, mappings: Iterable[MappingDraft], set_name: str | None) -> Iterator[str]:
    """List what is there under a name that the config generates."""
    if set_name:
        yield f"PermissionSet:{set_name}"
    for mapping in mappings:
        if mapping.source and mapping.user_id in asked.found.fields[mapping.object]:
            yield f"CustomField:{mapping.object}.{mapping.user_id}"


def mapping_name(object_name: str) -> str:
    """Name the mapping of an object: contact, or invoice_line for Invoice_Line__c."""
    if object_name in STANDARD_OBJECTS:
        return object_name.lower()
    return re.sub(r"_+", "_", object_name.removesuffix("__c")).strip("_").lower()
