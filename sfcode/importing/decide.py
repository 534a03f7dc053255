"""Propose a config from a scan, or list the open questions. Pure; every choice has a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sfcode.errors import Refused
from sfcode.importing.answers import ImportOptions
from sfcode.importing.field_candidates import choose_attributes, choose_nps_field, choose_user_id
from sfcode.importing.integration_user import choose_user
from sfcode.importing.proposal import ConfigProposal, Decisions, MappingProposal
from sfcode.importing.scan_result import ScanResult
from sfcode.mapping import naming
from sfcode.mapping.fields import STANDARD_OBJECTS
from sfcode.metadata.component import Address
from sfcode.text import count_noun


def propose_config(scan: ScanResult, options: ImportOptions) -> ConfigProposal:
    """
    Propose a config.

    Raises:
        Refused: Questions are open, or the org has no components of an integration.

    """
    decisions = Decisions(scan, options)
    objects = _objects(decisions)
    _note_other_objects(decisions, objects)
    user = choose_user(decisions, objects)
    # Until a user is chosen, the rights of all candidates are evidence about the fields.
    sets = (user.permission_set,) if user.permission_set else tuple(sorted(scan.sets))
    mappings = tuple(_propose_mapping(decisions, name, sets) for name in objects)
    if decisions.questions:
        count_text = count_noun(len(decisions.questions), "question")
        listed = "".join(f"\n  - {question}" for question in decisions.questions)
        raise Refused(
            f"{decisions.found.target.name} leaves {count_text} open:{listed}",
            "Pass the options above; nothing was written.",
        )
    event_id = naming.event_id_field(options.name)
    if scan.event_id and any(mapping.activities and mapping.receives for mapping in mappings):
        decisions.notes.append(
            f"CustomField:Activity.{event_id} already exists; the relay needs it, so the plan that moves to the "
            "relay asks to adopt it"
        )
    objects_of_mappings = {mapping.object for mapping in mappings}
    leftovers = tuple(message for message in decisions.found.messages if message.object in objects_of_mappings)
    unmapped_messages = [message for message in decisions.found.messages if message.object not in objects_of_mappings]
    decisions.notes.extend(
        f"{message.address} sends to {message.shown_host}, and no mapping is for {message.object}"
        for message in unmapped_messages
    )
    return ConfigProposal(
        user,
        mappings,
        tuple(sorted(_adopted_components(decisions, mappings, user.permission_set))),
        tuple(decisions.choices),
        leftovers,
        tuple(decisions.by_hand),
        tuple(decisions.notes),
    )


def _objects(decisions: Decisions) -> tuple[str, ...]:
    if decisions.options.objects:
        unknown = [name for name in decisions.options.objects if name not in decisions.found.fields]
        for name in unknown:
            decisions.ask(f"This org has no object {name}, or you cannot see it", "--object NAME")
        objects = tuple(dict.fromkeys(name for name in decisions.options.objects if name in decisions.found.fields))
        decisions.choose("object", ", ".join(objects), "passed as an option")
        return objects
    senders = sorted({message.object for message in decisions.found.messages})
    granted = sorted(
        {name for grants in decisions.found.sets.values() for name in grants.objects("allowRead")}
        & decisions.found.fields.keys()
    )
    for names, because in (
        (senders, "an outbound message sends it to Appcues"),
        (granted, "the integration's permission set grants permissions on it"),
    ):
        if len(names) == 1:
            decisions.choose("object", names[0], because)
            return (names[0],)
        if names:
            listed = ", ".join(names)
            decisions.ask(f"Which objects should be mapped? {because}: {listed}", f"--object {names[0]} (repeatable)")
            return ()
    raise Refused(
        f"No integration with Appcues was found in {decisions.found.target.name}: no outbound message to Appcues, and no user "
        "with an API-only license and a permission set.",
        "Start with `sfcode init`. If there is an integration, pass its parts: --object Contact --user-id-field FIELD, --user and "
        "--permission-set.",
    )


def _note_other_objects(decisions: Decisions, objects: tuple[str, ...]) -> None:
    """Note each option with a field of an object that is not mapped, since it has no effect."""
    for option, name in decisions.options.list_fields():
        owner = name.rpartition(".")[0]
        if owner and owner not in objects:
            decisions.notes.append(
                f"{option} {name} has no effect, since {owner} is not mapped; pass --object {owner} to map it"
            )


def _propose_mapping(decisions: Decisions, name: str, sets: tuple[str, ...]) -> MappingProposal:
    field, source = choose_user_id(decisions, name, sets)
    score, feedback = choose_nps_field(decisions, name, "score"), choose_nps_field(decisions, name, "feedback")
    has_events = bool(decisions.found.events) or any(
        decisions.found.grants(set_name).fields("Event") for set_name in sets
    )
    way = _direction(decisions, name, receives=has_events or bool(score or feedback))
    attributes: dict[str, str] = {}
    because = ""
    if way != "to_salesforce":
        attributes, because = choose_attributes(decisions, name, (field, source, score, feedback), sets)
    formula = decisions.found.formulas.get(f"{name}.{field}")
    if formula and source and formula.blank_as_zero and "ISBLANK" not in formula.text.upper():
        decisions.notes.append(
            f'{name}.{field} treats blank as zero: every record without an ID has the ID "0", which is one user in Appcues. '
            "Remove its line from as_is, and the plan shows the formula that keeps it blank"
        )
    return MappingProposal(
        mapping_name(name),
        name,
        way,
        field,
        source,
        attributes,
        because,
        score if way != "to_appcues" else None,
        feedback if way != "to_appcues" else None,
        activities=has_events or not (score or feedback),
        replaces=tuple(dict.fromkeys(map(str, _replaces(decisions, name)))),
    )


def _direction(decisions: Decisions, name: str, *, receives: bool) -> str:
    if decisions.options.direction:
        decisions.choose(f"direction of {name}", decisions.options.direction, "passed as an option")
        return decisions.options.direction
    sends = any(message.object == name for message in decisions.found.messages)
    words = {(True, True): "both", (True, False): "to_appcues", (False, True): "to_salesforce"}
    way = words.get((sends, receives))
    if way is None:
        decisions.ask(f"In which direction does the data of {name} flow? The org does not show it", "--direction both")
        return "both"
    signs = (["an outbound message to Appcues"] if sends else []) + (
        ["fields, events or permissions for data from Appcues"] if receives else []
    )
    decisions.choose(f"direction of {name}", way, f"there are {' and '.join(signs)}")
    return way


def _replaces(decisions: Decisions, object_name: str) -> Iterator[Address]:
    for message in decisions.found.sending(object_name):
        busy = [firing.address for firing in message.fired_by if not firing.alone]
        if busy:
            listed = ", ".join(map(str, busy))
            decisions.by_hand.append(
                f"{message.address} is fired by {listed}, which has other actions too: remove the message from it "
                f"in Setup, then add {message.address} to `replaces`"
            )
            continue
        yield from (firing.address for firing in message.fired_by)
        yield message.address


def _adopted_components(
    decisions: Decisions, mappings: Iterable[MappingProposal], set_name: str | None
) -> Iterator[str]:
    """List the components of the org with names that the config generates."""
    if set_name:
        yield f"PermissionSet:{set_name}"
    for mapping in mappings:
        if mapping.source and mapping.user_id in decisions.found.fields[mapping.object]:
            yield f"CustomField:{mapping.object}.{mapping.user_id}"


def mapping_name(object_name: str) -> str:
    """Return the name of an object's mapping: `contact` for Contact, and a name in snake case for Invoice_Line__c."""
    if object_name in STANDARD_OBJECTS:
        return object_name.lower()
    return re.sub(r"_+", "_", object_name.removesuffix("__c")).strip("_").lower()
