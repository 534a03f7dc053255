"""The data of each mapping: who would be synced, whose id is no good, who is not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.checks.doctor.facts import Alike, Facts, FieldFacts, MappingFacts, Seen, Unknown
from sfcode.checks.doctor.finding import Finding, Level, at
from sfcode.config.project import Project
from sfcode.mapping import naming
from sfcode.mapping.place import Place
from sfcode.mapping.resolved import ResolvedMapping

MANY = 100_000
"""From so many records on, searching without an index is felt."""

OPEN = frozenset({"Read", "ReadWrite", "ReadWriteTransfer", "FullAccess"})
"""Org-wide defaults by which everybody with the object right sees all records."""


def check(project: Project, facts: Facts) -> Iterator[Finding]:
    """Judge the data of each mapping."""
    looked_at = {found.name: found for found in facts.mappings}
    for one in project.resolved:
        if one.name in looked_at:
            yield from _mapping(project, one, facts, looked_at[one.name])


def _mapping(project: Project, one: ResolvedMapping, facts: Facts, found: MappingFacts) -> Iterator[Finding]:
    place = one.place("object")
    if not found.reads_object:
        message = f"the org has no object {one.object}, or {facts.org.username} may not read it"
        yield at("D501", Level.ERROR, place, message, "Check the name; give the signed-in user Read on the object.")
        return
    yield _user_id(project, one, facts, found)
    yield from _numbers(one, found)
    if isinstance(found.repeats, Unknown):
        hint = f"Make the field behind the user id unique, which Salesforce then keeps it ({one.object} > Fields)."
        yield at(
            "D509", Level.WARNING, one.user_id.place, f"duplicates were not looked for: {found.repeats.reason}", hint
        )
    elif found.repeats is not None:
        least = "" if found.repeats.complete else "at least "
        yield _alike("D504", one, found.repeats.exact, f"user ids on several records: {least}{{}}", _UNIQUE)
        yield _alike("D505", one, found.repeats.case, f"user ids that differ in case only: {least}{{}}", _CASE)
    yield from _index(one, found)
    yield _sharing(project, one, found)
    if found.seen is not None:
        yield _seen(project, one, found, found.seen)


def _user_id(project: Project, one: ResolvedMapping, facts: Facts, found: MappingFacts) -> Finding:
    place, field, source = one.user_id.place, found.user_id, found.source
    name = f"{one.object}.{field.name}"
    if isinstance(field.exists, Unknown):
        message = f"whether there is a field {name} cannot be told ({field.exists.reason})"
        return at("D502", Level.WARNING, place, message, "Sign in as a user with Modify Metadata.")
    if not field.exists:
        if source is None:
            return at(
                "D502", Level.ERROR, place, f"there is no field {name}", "Make it, or add `from` to have it made."
            )
        return at("D502", Level.INFO, place, f"{name} does not exist yet", "Apply makes it.")
    if not field.visible:
        shows = (
            f"Assign them the permission set {naming.viewer_set(project.settings.name)}, or another with this field."
        )
        message = f"{name} exists, and {facts.org.username} has no field access to it"
        if found.counted_by:
            return at("D502", Level.INFO, place, f"{message}; ids are counted by {found.counted_by}", shows)
        return at("D502", Level.WARNING, place, f"{message}: nothing can be said about the ids", shows)
    return at("D502", Level.OK, place, f"{name} is {_kind(field, source)}, and the signed-in user sees it")


def _kind(field: FieldFacts, source: FieldFacts | None) -> str:
    kind = "a text" if field.type == "string" else f"of type {field.type}"
    if not field.formula:
        return f"{kind} field" if field.type == "string" else kind
    return f"{kind} formula" + (f" over {source.name} ({source.type})" if source else "")


def _numbers(one: ResolvedMapping, found: MappingFacts) -> Iterator[Finding]:
    place, total, with_id = one.place("object"), found.total, found.with_id
    if isinstance(total, Unknown) or isinstance(with_id, Unknown):
        said = total if isinstance(total, Unknown) else with_id
        if isinstance(said, Unknown) and found.counted_by:
            yield at("D509", Level.WARNING, place, f"records were not counted: {said.reason}")
        elif isinstance(total, int):
            yield at("D501", Level.INFO, place, f"{total:,} {one.object} records; who of them would sync is not known")
        return
    blank = total - with_id
    message = f"{total:,} {one.object} records, {with_id:,} would sync, {blank:,} have no user id"
    if with_id == 0:
        hint = f"Fill {one.source.field if one.source else one.user_id.field}: a record without an id is nobody in Appcues."
        yield at("D501", Level.WARNING, place, message, hint)
    else:
        yield at("D501", Level.OK, place, message)
    if blank and with_id:
        hint = "Nothing to do if they do not use the product; else fill the id."
        info = at("D503", Level.INFO, one.user_id.place, f"{blank:,} records have no user id and stay out", hint)
        yield replace(info, records=found.blank)


_UNIQUE = "Merge the records or mend the ids: what Appcues sends for such an id is parked, not written. Then make the field unique."
_CASE = "Appcues tells them apart, and a search in Salesforce does not: mend the ids, or have the product issue them in one case."


def _alike(id: str, one: ResolvedMapping, alike: Alike, said: str, hint: str) -> Finding:
    if not alike.ids:
        what = "no user id is on several records" if id == "D504" else "no user ids differ in case only"
        return at(id, Level.OK, one.user_id.place, what)
    return replace(at(id, Level.WARNING, one.user_id.place, said.format(f"{alike.ids:,}"), hint), records=alike.records)


def _index(one: ResolvedMapping, found: MappingFacts) -> Iterator[Finding]:
    source = found.source
    if not (one.receives and one.by_relay) or isinstance(found.total, Unknown):
        return
    field = source or found.user_id
    if found.total < MANY or field.indexed:
        return
    what = f"a formula over {field.name}, which is not indexed" if source else "not indexed"
    place: Place = (one.source or one.user_id).place
    message = f"{one.object} has {found.total:,} records and its user id is {what}: each lookup reads all of them"
    hint = f"Make {field.name} an external id or unique, or have Salesforce Support index it."
    yield at("D506", Level.WARNING, place, message, hint)


def _sharing(project: Project, one: ResolvedMapping, found: MappingFacts) -> Finding:
    user = project.settings.integration_user
    place = project.place("integration_user", "record_access")
    model = found.sharing
    reaches = "modify_all" if user.access == "documented" else user.record_access
    if reaches != "sharing":
        return at("D507", Level.OK, place, f"the integration user reaches all {one.object} records ({reaches})")
    if isinstance(model, Unknown):
        message = f"the org-wide default of {one.object} cannot be read ({model.reason})"
        return at("D507", Level.INFO, place, message, "See Setup > Sharing Settings, or compare with --as.")
    whose = f"{found.shared_as}, by which {one.object} goes," if found.shared_as != one.object else one.object
    if model in OPEN:
        return at("D507", Level.OK, place, f"the org-wide default of {whose} is {model}: the integration user sees all")
    message = f"the org-wide default of {whose} is {model}: the integration user may see fewer {one.object} records than there are"
    hint = "Share them with it, or write record_access: view_all. --as, signed in as that user, counts them."
    return at("D507", Level.WARNING, place, message, hint)


def _seen(project: Project, one: ResolvedMapping, found: MappingFacts, seen: Seen | Unknown) -> Finding:
    place = project.place("integration_user", "username")
    wanted = project.settings.integration_user.username
    if isinstance(seen, Unknown):
        return at("D508", Level.WARNING, place, f"{one.name} was not counted by the second sign-in: {seen.reason}")
    if seen.username != wanted:
        message = f"--as is signed in as {seen.username}, not as {wanted}: what it sees of {one.name} says nothing"
        return at("D508", Level.WARNING, place, message, "Sign in as the integration user.")
    who, apply = f"the integration user ({one.name})", "Run sfcode apply: the permission set grants it."
    if not seen.reads_object:
        return at("D508", Level.ERROR, place, f"{who} cannot read {one.object}", apply)
    if seen.records is None:
        return at("D508", Level.ERROR, place, f"{who} cannot see {one.object}.{one.user_id.field}", apply)
    if isinstance(found.with_id, Unknown):
        return at("D508", Level.INFO, place, f"{who} sees {seen.records:,} records with a user id")
    message = f"{who} sees {seen.records:,} of {found.with_id:,} records with a user id"
    if seen.records >= found.with_id:
        return at("D508", Level.OK, place, message)
    level = Level.WARNING if seen.records else Level.ERROR
    return at("D508", level, place, message, "Share the others with it, or write record_access: view_all, and apply.")
