"""Find the fields that take part: the user id, the NPS answers, what Appcues gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sfcode.config.did_you_mean import nearest_name
from sfcode.importing.answers import NONE
from sfcode.importing.proposal import Inquiry
from sfcode.mapping.field_types import NUMERIC, SENDABLE, UNWATCHED_FIELDS
from sfcode.metadata.objects import Field

_ID = re.compile(r"(^|_)(id|ids|uid|uuid|guid|user_?key|external_?key)$|(?<=[a-z])(Id|ID|Uuid|UUID)$", re.IGNORECASE)
_NPS = re.compile(r"(^|_)nps(_|$)|net_?promoter|appcues.*(score|feedback)", re.IGNORECASE)
_SAYS = {"score": re.compile(r"score|nps$", re.IGNORECASE), "feedback": re.compile(r"feedback|comment", re.IGNORECASE)}
_TEXTS = ("string", "textarea")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that may be meant, how strongly, and what speaks for it."""

    name: str
    strength: int
    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({'; '.join(self.because)})"


def user_id(asked: Inquiry, object_name: str, sets: tuple[str, ...]) -> tuple[str, str]:
    """Choose the field that equals the Appcues user id, and the number field behind it, if there is one."""
    what = f"user id of {object_name}"
    given = asked.options.field(asked.options.user_id, object_name)
    if given:
        field = _known(asked, object_name, given, "--user-id-field")
        if field is not None and field.type in NUMERIC:
            name = f"{asked.options.name}_User_Id__c"
            asked.chose(what, name, f"a text formula over {given}, as you say")
            return name, given
        asked.chose(what, given, "as you say")
        return given, _source(asked, object_name, given)
    candidates = sorted(_ids(asked, object_name, sets), key=lambda one: (-one.strength, one.name))
    best = [one for one in candidates if one.strength == candidates[0].strength]
    if len(best) == 1:
        others = f"; not {', '.join(one.name for one in candidates[1:])}" if candidates[1:] else ""
        asked.chose(what, best[0].name, "; ".join(best[0].because) + others)
        return best[0].name, _source(asked, object_name, best[0].name)
    text = f"Which field of {object_name} equals the user id in Appcues? "
    text += "; ".join(map(str, best)) if best else "No text field looks like one"
    asked.ask(text, f"--user-id-field {best[0].name if best else 'FIELD'}")
    return "", ""


def _source(asked: Inquiry, object_name: str, field: str) -> str:
    formula = asked.found.formulas.get(f"{object_name}.{field}")
    return formula.source if formula else ""


def _known(asked: Inquiry, object_name: str, name: str, option: str) -> Field | None:
    """Look up a field that the user names; ask again where there is none."""
    fields = asked.found.fields.get(object_name, {})
    if name in fields:
        return fields[name]
    meant = nearest_name(name, fields)
    asked.ask(
        f"{object_name} has no field {name}, or you cannot see it" + (f"; did you mean {meant}?" if meant else ""),
        f"{option}{meant or 'FIELD'}" if option.endswith("=") else f"{option} {meant or 'FIELD'}",
    )
    return None


def _ids(asked: Inquiry, object_name: str, sets: tuple[str, ...]) -> Iterator[Candidate]:
    readable = {name: each for each in sets for name in asked.found.grants(each).fields(object_name)}
    for field in asked.found.fields.get(object_name, {}).values():
        if field.type != "string" or not field.custom or _NPS.search(_base(field.name)):
            continue
        formula = asked.found.formulas.get(f"{object_name}.{field.name}")
        named = "appcues" in f"{field.name} {field.label}".lower()
        looks = [f"{formula.text}, a number as text"] if formula and formula.source else []
        looks += ["its name is that of an id"] if _ID.search(_base(field.name)) else []
        sent = [f"sent by {one.address}" for one in asked.found.sending(object_name) if field.name in one.fields]
        shown = [f"the integration user may read it by {readable[field.name]}"] if field.name in readable else []
        if looks or named:
            strength = 2 * named + bool(sent or shown)
            because = (*(["named after Appcues"] if named else []), *looks, *sent, *shown)
            yield Candidate(field.name, strength, because)


def _base(name: str) -> str:
    return name.removesuffix("__c")


def nps(asked: Inquiry, object_name: str, kind: str) -> str | None:
    """Choose the field of the latest NPS score or feedback; None where there is none."""
    option, allowed = f"--nps-{kind}", NUMERIC if kind == "score" else _TEXTS
    given = asked.options.field(asked.options.nps_score if kind == "score" else asked.options.nps_feedback, object_name)
    what = f"NPS {kind} of {object_name}"
    if given == NONE:
        return None
    if given:
        asked.chose(what, given, "as you say")
        return given if _known(asked, object_name, given, option) else None
    names = sorted(
        field.name
        for field in asked.found.fields.get(object_name, {}).values()
        if field.custom and field.type in allowed and not field.calculated and _NPS.search(_base(field.name))
    )
    # NPS_Category__c or NPS_Answers__c is about NPS too, and something else.
    likely = [name for name in names if _SAYS[kind].search(_base(name))]
    if len(likely) == 1:
        asked.chose(what, likely[0], f"a {'number' if kind == 'score' else 'text'} field named after it")
        return likely[0]
    if names:
        text = f"Which field of {object_name} holds the latest NPS {kind}? {', '.join(likely or names)}"
        asked.ask(text, f"{option} {(likely or names)[0]}, or {option} {NONE}")
    return None


def attributes(
    asked: Inquiry, object_name: str, taken: Iterable[str | None], sets: tuple[str, ...]
) -> tuple[dict[str, str], str]:
    """Choose what Appcues gets: attribute to field, and what speaks for it."""
    own = [
        (name, field) for name, field in asked.options.attributes if "." not in field or _owner(field) == object_name
    ]
    if own:
        chosen = {name: field.rpartition(".")[2] for name, field in own}
        known = [_known(asked, object_name, field, "--attribute NAME=") for field in chosen.values()]
        return (chosen, "as you say") if all(known) else ({}, "")
    fields = asked.found.fields.get(object_name, {})
    used = {*taken, *UNWATCHED_FIELDS}

    def usable(names: Iterable[str]) -> list[str]:
        return [name for name in sorted(set(names) - used) if name in fields and fields[name].type in SENDABLE]

    for names, because in (
        (
            usable(name for one in asked.found.sending(object_name) for name in one.fields),
            "what the outbound message holds",
        ),
        (
            usable(name for each in sets for name in asked.found.grants(each).fields(object_name)),
            f"what {' and '.join(sets)} lets the integration user read; take out what Appcues shall not get",
        ),
    ):
        if names:
            asked.chose(f"attributes of {object_name}", ", ".join(names), because)
            return {attribute_name(name, object_name): name for name in names}, because
    asked.ask(
        f"Which fields of {object_name} does Appcues get? Its connector keeps that in Appcues (step 3 of its wizard), "
        "not in Salesforce",
        "--attribute role=Title, for each of them",
    )
    return {}, ""


def _owner(field: str) -> str:
    return field.partition(".")[0]


def attribute_name(field: str, object_name: str) -> str:
    """Make a name for an attribute in Appcues: `Plan_Name__c` becomes plan_name, `LastName` last_name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _base(field))
    name = re.sub(r"_+", "_", words).strip("_").lower()
    return f"{object_name.lower()}_{name}" if name in ("user_id", "group_id") else name
