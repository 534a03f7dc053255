"""Statements about data to Appcues: which field is sent as which attribute."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.phrases import code, join_list, records
from sfcode.checks.risk import MORE, PERSONAL
from sfcode.mapping.resolved import FieldUse
from sfcode.mapping.value_map import AttributeValue
from sfcode.review.model import Group, Risk, Statement
from sfcode.review.statements.context import Context, Half, Pair
from sfcode.review.statements.recipes import SEGMENTS

OTHERWISE = "an attribute gets other values"
MATCHING = "records are matched with other profiles"


def to_appcues_statements(context: Context) -> Iterator[Statement]:
    """Describe added and removed attributes."""
    for pair in context.pairs:
        if pair.after is None:
            continue
        yield from _matching(pair)
        if pair.before and pair.before.mapping.sends and not pair.after.mapping.sends:
            names = join_list(code(name) for name in pair.before.attributes)
            text = f"{records(pair.object)} will no longer be sent to Appcues, where {names} will stay as last sent"
            yield Statement(Group.LEAVING, text)
        else:
            yield from _attributes(context, pair.before, pair.after)


def _attributes(context: Context, before: Half | None, after: Half) -> Iterator[Statement]:
    object_name = after.mapping.object
    old, new = before.attributes if before else {}, after.attributes
    removals = {name: use for name, use in old.items() if name not in new}
    for name, use in new.items():
        was = old.get(name)
        full = f"{object_name}.{use.field}"
        risk, because = (Risk.HIGH, PERSONAL) if context.personal(object_name, use.field) else (Risk.MEDIUM, MORE)
        if any(field_use.field.lower() == use.field.lower() for field_use in old.values()):
            risk, because = Risk.MEDIUM, OTHERWISE
        if was is None:
            former = next(
                (old_name for old_name, field_use in removals.items() if field_use.field.lower() == use.field.lower()),
                None,
            )
            if former is None:
                text = f"{full} will be sent to Appcues as {code(name)}"
                yield Statement(Group.LEAVING, text, risk, because, use.place.position)
            else:
                del removals[former]
                text = f"{full} will be sent to Appcues as {code(name)} instead of {code(former)}"
                because = "what uses the old name in Appcues no longer follows"
                yield Statement(Group.LEAVING, text, Risk.MEDIUM, because, use.place.position)
        elif was.field.lower() != use.field.lower():
            text = f"{code(name)} will come from {full} instead of {object_name}.{was.field}"
            yield Statement(Group.LEAVING, text, risk, because, use.place.position)
        if was is not None and was.type != use.type:
            text = f"{code(name)} of {records(object_name)} will be sent as {_type(use)} instead of {_type(was)}"
            yield Statement(Group.LEAVING, text, Risk.LOW, "", use.place.position)
        if was is not None and (changes := _translations(was, use)):
            text = f"{code(name)} of {records(object_name)} will be sent with other values: {join_list(changes)}"
            because = SEGMENTS if context.is_role(name) else OTHERWISE
            yield Statement(Group.LEAVING, text, Risk.MEDIUM, because, use.place.position)
    for name, use in removals.items():
        is_resent = any(field_use.field.lower() == use.field.lower() for field_use in new.values())
        subject, destination = (code(name), "it") if is_resent else (f"{object_name}.{use.field}", code(name))
        text = f"{subject} will no longer be sent to Appcues, where {destination} will stay as last sent"
        yield Statement(Group.LEAVING, text)


def _translations(was: FieldUse, use: FieldUse) -> list[str]:
    """Describe the values of a field that are sent differently than before."""
    before, after = (dict(field_use.values.values) if field_use.values else {} for field_use in (was, use))
    changes = [
        f"{code(value)} as {_describe_translation(use, value)} instead of {_describe_translation(was, value)}"
        for value in {**before, **after}
        if _describe_translation(was, value) != _describe_translation(use, value)
    ]
    defaults = _describe_default(was), _describe_default(use)
    return [*changes, f"others {defaults[1]} instead of {defaults[0]}"] if defaults[0] != defaults[1] else changes


def _describe_translation(use: FieldUse, value: str) -> str:
    if use.values is None:
        return "itself"
    translation = use.values.translate(value)
    return "no value" if translation is None else _value(translation)


def _value(value: AttributeValue) -> str:
    return code(str(value).lower() if isinstance(value, bool) else value)


def _describe_default(use: FieldUse) -> str:
    if use.values is None:
        return "as they are"
    return "as no value" if use.values.default is None else f"as {_value(use.values.default)}"


def _type(use: FieldUse) -> str:
    return f"a {use.type}" if use.type else "what fits the field"


def _matching(pair: Pair) -> Iterator[Statement]:
    before, after = pair.before, pair.after
    if before is None or after is None:
        return
    subject = records(pair.object)
    old, new = before.mapping, after.mapping
    kinds = (old.match, new.match)
    if kinds[0] != kinds[1]:
        text = f"{subject} will be matched with Appcues {kinds[1]}s instead of {kinds[0]}s"
        yield Statement(Group.LEAVING, text, Risk.HIGH, MATCHING, new.place("match").position)
    if old.user_id.field.lower() != new.user_id.field.lower():
        text = (
            f"{subject} will be matched with Appcues {kinds[1]}s by {new.object}.{new.user_id.field} instead of "
            f"{old.object}.{old.user_id.field}"
        )
        yield Statement(Group.LEAVING, text, Risk.HIGH, MATCHING, new.user_id.place.position)
    sources = [f"{mapping.object}.{mapping.source.field}" if mapping.source else "" for mapping in (old, new)]
    if sources[0].lower() != sources[1].lower():
        field = f"{new.object}.{new.user_id.field}"
        if not sources[1]:
            text = (
                f"the user ID {field} will be a field that exists already; sfcode no longer makes it from {sources[0]}"
            )
        elif not sources[0]:
            text = f"the user ID {field} will be a new field that is made from {sources[1]}"
        else:
            text = f"the user ID {field} will be made from {sources[1]} instead of {sources[0]}"
        place = new.source.place if new.source else new.user_id.place
        yield Statement(Group.LEAVING, text[0].upper() + text[1:], Risk.HIGH, MATCHING, place.position)
