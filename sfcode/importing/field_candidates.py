"""Choose the fields of a mapping: the user ID, the NPS answers, the attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sfcode.config.did_you_mean import find_nearest_name
from sfcode.importing.answers import NONE
from sfcode.importing.proposal import Decisions
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.events import NpsKind
from sfcode.mapping.field_types import ATTRIBUTE_TYPES, NPS_TYPES, USER_ID_FORMULAS
from sfcode.mapping.fields import UNWATCHED_FIELDS
from sfcode.metadata.objects import Field

_ID = re.compile(r"(^|_)(id|ids|uid|uuid|guid|user_?key|external_?key)$|(?<=[a-z])(Id|ID|Uuid|UUID)$", re.IGNORECASE)
_NPS = re.compile(r"(^|_)nps(_|$)|net_?promoter|appcues.*(score|feedback)", re.IGNORECASE)
_SAYS = {"score": re.compile(r"score|nps$", re.IGNORECASE), "feedback": re.compile(r"feedback|comment", re.IGNORECASE)}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that may be the user ID, its score, and the reasons."""

    name: str
    strength: int
    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({'; '.join(self.because)})"


def choose_user_id(decisions: Decisions, object_name: str, sets: tuple[str, ...]) -> tuple[str, str]:
    """Choose the field with the Appcues user ID, and the number field behind its formula."""
    subject = f"user ID of {object_name}"
    chosen_field = decisions.options.field(decisions.options.user_id, object_name)
    if chosen_field:
        field = _look_up_field(decisions, object_name, chosen_field, "--user-id-field")
        if field is not None and field.type in USER_ID_FORMULAS:
            name = f"{decisions.options.name}_User_Id__c"
            decisions.choose(subject, name, f"a text formula over {chosen_field}, passed as an option")
            return name, chosen_field
        decisions.choose(subject, chosen_field, "passed as an option")
        return chosen_field, _formula_source(decisions, object_name, chosen_field)
    candidates = sorted(
        _user_id_candidates(decisions, object_name, sets), key=lambda candidate: (-candidate.strength, candidate.name)
    )
    best = [candidate for candidate in candidates if candidate.strength == candidates[0].strength]
    if len(best) == 1:
        rejection = f"; not {', '.join(candidate.name for candidate in candidates[1:])}" if candidates[1:] else ""
        decisions.choose(subject, best[0].name, "; ".join(best[0].because) + rejection)
        return best[0].name, _formula_source(decisions, object_name, best[0].name)
    text = f"Which field of {object_name} equals the user ID in Appcues? "
    text += "; ".join(map(str, best)) if best else "No text field looks like a user ID"
    decisions.ask(text, f"--user-id-field {best[0].name if best else 'FIELD'}")
    return "", ""


def _formula_source(decisions: Decisions, object_name: str, field: str) -> str:
    formula = decisions.found.formulas.get(f"{object_name}.{field}")
    return formula.source if formula else ""


def _look_up_field(decisions: Decisions, object_name: str, name: str, option: str) -> Field | None:
    """Return the field of an option; record a question if the object does not have it."""
    fields = decisions.found.fields.get(object_name, {})
    if name in fields:
        return fields[name]
    suggestion = find_nearest_name(name, fields)
    decisions.ask(
        f"{object_name} has no field {name}, or you cannot see it"
        + (f"; did you mean {suggestion}?" if suggestion else ""),
        f"{option}{suggestion or 'FIELD'}" if option.endswith("=") else f"{option} {suggestion or 'FIELD'}",
    )
    return None


def _user_id_candidates(decisions: Decisions, object_name: str, sets: tuple[str, ...]) -> Iterator[Candidate]:
    readable = {name: set_name for set_name in sets for name in decisions.found.grants(set_name).fields(object_name)}
    for field in decisions.found.fields.get(object_name, {}).values():
        if field.type != "string" or not field.custom or _NPS.search(_base_name(field.name)):
            continue
        formula = decisions.found.formulas.get(f"{object_name}.{field.name}")
        is_named = "appcues" in f"{field.name} {field.label}".lower()
        looks = [f"{formula.text}, a number as text"] if formula and formula.source else []
        looks += ["its name is like that of an ID"] if _ID.search(_base_name(field.name)) else []
        sent_by = [
            f"sent by {message.address}"
            for message in decisions.found.sending(object_name)
            if field.name in message.fields
        ]
        read_by = [f"the integration user may read it by {readable[field.name]}"] if field.name in readable else []
        if looks or is_named:
            strength = 2 * is_named + bool(sent_by or read_by)
            because = (*(["named after Appcues"] if is_named else []), *looks, *sent_by, *read_by)
            yield Candidate(field.name, strength, because)


def _base_name(name: str) -> str:
    return name.removesuffix("__c")


def choose_nps_field(decisions: Decisions, object_name: str, kind: NpsKind) -> str | None:
    """Choose the field of the latest NPS score or feedback; None if there is none."""
    option, allowed = f"--nps-{kind}", NPS_TYPES[kind]
    chosen_field = decisions.options.field(
        decisions.options.nps_score if kind == "score" else decisions.options.nps_feedback, object_name
    )
    subject = f"NPS {kind} of {object_name}"
    if chosen_field == NONE:
        return None
    if chosen_field:
        decisions.choose(subject, chosen_field, "passed as an option")
        return chosen_field if _look_up_field(decisions, object_name, chosen_field, option) else None
    names = sorted(
        field.name
        for field in decisions.found.fields.get(object_name, {}).values()
        if field.custom and field.type in allowed and not field.calculated and _NPS.search(_base_name(field.name))
    )
    # NPS_Category__c or NPS_Answers__c also belong to NPS, but are neither score nor feedback.
    likely = [name for name in names if _SAYS[kind].search(_base_name(name))]
    if len(likely) == 1:
        decisions.choose(subject, likely[0], f"a {'number' if kind == 'score' else 'text'} field named after it")
        return likely[0]
    if names:
        text = f"Which field of {object_name} holds the latest NPS {kind}? {', '.join(likely or names)}"
        decisions.ask(text, f"{option} {(likely or names)[0]}, or {option} {NONE}")
    return None


def choose_attributes(
    decisions: Decisions, object_name: str, reserved_fields: Iterable[str | None], sets: tuple[str, ...]
) -> tuple[dict[str, str], str]:
    """Choose the attributes to send to Appcues, with their fields and the reason."""
    own = [
        (name, field)
        for name, field in decisions.options.attributes
        if "." not in field or _object_of(field) == object_name
    ]
    if own:
        attributes = {name: field.rpartition(".")[2] for name, field in own}
        described_fields = [
            _look_up_field(decisions, object_name, field, "--attribute NAME=") for field in attributes.values()
        ]
        return (attributes, "passed as an option") if all(described_fields) else ({}, "")
    fields = decisions.found.fields.get(object_name, {})
    used = {*reserved_fields, *UNWATCHED_FIELDS}

    def usable(names: Iterable[str]) -> list[str]:
        return [name for name in sorted(set(names) - used) if name in fields and fields[name].type in ATTRIBUTE_TYPES]

    for names, because in (
        (
            usable(name for message in decisions.found.sending(object_name) for name in message.fields),
            "the fields of the outbound message",
        ),
        (
            usable(name for set_name in sets for name in decisions.found.grants(set_name).fields(object_name)),
            f"what {' and '.join(sets)} lets the integration user read; remove what must not be sent to Appcues",
        ),
    ):
        if names:
            decisions.choose(f"attributes of {object_name}", ", ".join(names), because)
            return {attribute_name(name, object_name): name for name in names}, because
    decisions.ask(
        f"Which fields of {object_name} does Appcues get? Its connector stores this in Appcues (step 3 of its "
        "wizard), not in Salesforce",
        "--attribute role=Title, for each of them",
    )
    return {}, ""


def _object_of(field: str) -> str:
    return field.partition(".")[0]


def attribute_name(field: str, object_name: str) -> str:
    """Return the attribute name for a field: `Plan_Name__c` becomes `plan_name`, `LastName` becomes `last_name`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _base_name(field))
    name = re.sub(r"_+", "_", words).strip("_").lower()
    return f"{object_name.lower()}_{name}" if name in ("user_id", "group_id") else name
