"""Check the data of each mapping: which records are synchronized, invalid IDs, invisible records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.checks.doctor.facts import Facts, FieldFacts, MappingFacts, SharedIds, Unknown, VisibleRecords
from sfcode.checks.rules import report
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic, Level
from sfcode.mapping import naming
from sfcode.mapping.place import Place
from sfcode.mapping.resolved import ResolvedMapping

MANY = 100_000
"""The number of records from which on searches without an index are slow."""

OPEN = frozenset({"Read", "ReadWrite", "ReadWriteTransfer", "FullAccess"})
"""Org-wide defaults with which everybody with the object permission can read all records."""


def check(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Check the data of each mapping."""
    looked_at = {mapping_facts.name: mapping_facts for mapping_facts in facts.mappings}
    for mapping in project.resolved:
        if mapping.name in looked_at:
            yield from _check_mapping(project, mapping, facts, looked_at[mapping.name])
    if facts.mappings:
        yield from _check_lead_conversion(project)


def _check_mapping(
    project: Project, mapping: ResolvedMapping, facts: Facts, data: MappingFacts
) -> Iterator[Diagnostic]:
    place = mapping.place("object")
    if not data.reads_object:
        message = f"the org has no object {mapping.object}, or {facts.org.username} may not read it"
        yield report(
            "D501", place, message, "Check the name; give the signed-in user Read on the object.", level=Level.ERROR
        )
        return
    yield _check_user_id(project, mapping, facts, data)
    yield from _check_numbers(mapping, data)
    if isinstance(data.duplicates, Unknown):
        hint = f"Make the field of the user ID unique in Setup ({mapping.object} > Fields), so that Salesforce refuses duplicates."
        yield report(
            "D509",
            mapping.user_id.place,
            f"duplicates were not searched: {data.duplicates.reason}",
            hint,
            level=Level.WARNING,
        )
    elif data.duplicates is not None:
        least = "" if data.duplicates.complete else "at least "
        yield _check_alike("D504", mapping, data.duplicates.exact, f"user IDs on several records: {least}{{}}", _UNIQUE)
        yield _check_alike(
            "D505", mapping, data.duplicates.case, f"user IDs that differ in case only: {least}{{}}", _CASE
        )
    yield from _check_index(mapping, data)
    yield _check_sharing(project, mapping, data)
    yield from _check_without_account(project, mapping, data)
    yield from _check_person_accounts(mapping, data)
    yield from _check_activity_fields(mapping, data)
    if data.seen is not None:
        yield _check_visibility(project, mapping, data, data.seen)


def _check_user_id(project: Project, mapping: ResolvedMapping, facts: Facts, data: MappingFacts) -> Diagnostic:
    place, field, source = mapping.user_id.place, data.user_id, data.source
    name = f"{mapping.object}.{field.name}"
    if isinstance(field.exists, Unknown):
        message = f"could not check for the field {name} ({field.exists.reason})"
        return report("D502", place, message, "Sign in as a user with Modify Metadata.", level=Level.WARNING)
    if not field.exists:
        if source is None:
            return report(
                "D502",
                place,
                f"there is no field {name}",
                "Create it, or add `from` to have it generated.",
                level=Level.ERROR,
            )
        return report("D502", place, f"{name} does not exist yet", "Apply creates it.", level=Level.NOTE)
    if not field.visible:
        shows = (
            f"Assign them the permission set {naming.viewer_set(project.settings.name)}, or another with this field."
        )
        message = f"{name} exists, and {facts.org.username} has no field access to it"
        if data.counted_by:
            return report("D502", place, f"{message}; IDs are counted by {data.counted_by}", shows, level=Level.NOTE)
        return report("D502", place, f"{message}: the IDs cannot be checked", shows, level=Level.WARNING)
    return report("D502", place, f"{name} is {_kind(field, source)}, and the signed-in user sees it", level=Level.OK)


def _kind(field: FieldFacts, source: FieldFacts | None) -> str:
    kind = "a text" if field.type == "string" else f"of type {field.type}"
    if not field.formula:
        return f"{kind} field" if field.type == "string" else kind
    return f"{kind} formula" + (f" over {source.name} ({source.type})" if source else "")


def _check_numbers(mapping: ResolvedMapping, facts: MappingFacts) -> Iterator[Diagnostic]:
    place, total, with_id = mapping.place("object"), facts.total, facts.with_id
    if isinstance(total, Unknown) or isinstance(with_id, Unknown):
        unknown = total if isinstance(total, Unknown) else with_id
        if isinstance(unknown, Unknown) and facts.counted_by:
            yield report("D509", place, f"records were not counted: {unknown.reason}", level=Level.WARNING)
        elif isinstance(total, int):
            yield report(
                "D501",
                place,
                f"{total:,} {mapping.object} records; how many would sync is not known",
                level=Level.NOTE,
            )
        return
    blank = total - with_id
    message = f"{total:,} {mapping.object} records, {with_id:,} would sync, {blank:,} have no user ID"
    if with_id == 0:
        hint = f"Fill in {mapping.source.field if mapping.source else mapping.user_id.field}: a record without an ID has no profile in Appcues."
        yield report("D501", place, message, hint, level=Level.WARNING)
    else:
        yield report("D501", place, message, level=Level.OK)
    if blank and with_id:
        hint = "No action is needed if they do not use the product; otherwise enter the ID."
        info = report(
            "D503",
            mapping.user_id.place,
            f"{blank:,} records have no user ID and are not synced",
            hint,
            level=Level.NOTE,
        )
        yield replace(info, records=facts.blank)


_UNIQUE = "Merge the records or correct the IDs: the relay parks events with such an ID. Then make the field unique."
_CASE = "Appcues distinguishes them, and a search in Salesforce does not: correct the IDs, or have the product issue them in one case."


def _check_alike(id: str, mapping: ResolvedMapping, alike: SharedIds, template: str, hint: str) -> Diagnostic:
    if not alike.ids:
        message = "no user ID is used by several records" if id == "D504" else "no user IDs differ in case only"
        return report(id, mapping.user_id.place, message, level=Level.OK)
    return replace(
        report(id, mapping.user_id.place, template.format(f"{alike.ids:,}"), hint, level=Level.WARNING),
        records=alike.records,
    )


def _check_index(mapping: ResolvedMapping, facts: MappingFacts) -> Iterator[Diagnostic]:
    source = facts.source
    if not (mapping.receives and mapping.by_relay) or isinstance(facts.total, Unknown):
        return
    field = source or facts.user_id
    if facts.total < MANY or field.indexed:
        return
    state = f"a formula over {field.name}, which is not indexed" if source else "not indexed"
    place: Place = (mapping.source or mapping.user_id).place
    message = f"{mapping.object} has {facts.total:,} records and its user ID is {state}: each lookup reads all of them"
    hint = f"Make {field.name} an external ID or unique, or have Salesforce Support index it."
    yield report("D506", place, message, hint, level=Level.WARNING)


def _check_sharing(project: Project, mapping: ResolvedMapping, facts: MappingFacts) -> Diagnostic:
    user = project.settings.integration_user
    place = project.place("integration_user", "record_access")
    model = facts.sharing
    reaches = "modify_all" if user.access == "documented" else user.record_access
    if reaches != "sharing":
        return report(
            "D507", place, f"the integration user reaches all {mapping.object} records ({reaches})", level=Level.OK
        )
    if isinstance(model, Unknown):
        message = f"the org-wide default of {mapping.object} cannot be read ({model.reason})"
        return report("D507", place, message, "See Setup > Sharing Settings, or compare with --as.", level=Level.NOTE)
    owner_phrase = (
        f"{facts.shared_as}, which determines the access to {mapping.object},"
        if facts.shared_as != mapping.object
        else mapping.object
    )
    if model in OPEN:
        visible_part = "all that have an account" if facts.without_account else "all"
        message = f"the org-wide default of {owner_phrase} is {model}: the integration user sees {visible_part}"
        return report("D507", place, message, level=Level.OK)
    message = f"the org-wide default of {owner_phrase} is {model}: the integration user may see fewer {mapping.object} records than there are"
    hint = "Share them with it, or set record_access: view_all. With --as and a sign-in of that user, doctor counts the records."
    return report("D507", place, message, hint, level=Level.WARNING)


def _check_without_account(project: Project, mapping: ResolvedMapping, facts: MappingFacts) -> Iterator[Diagnostic]:
    """
    Check contacts without an account, which are private in every sharing model.

    Only their owner and users with View All or Modify All can read them; Modify All is needed to change those of other owners.
    """
    place = project.place("integration_user", "record_access")
    count = facts.without_account
    if isinstance(count, Unknown):
        yield report("D510", place, f"contacts without an account were not counted: {count.reason}", level=Level.NOTE)
        return
    if count is None:
        return
    user = project.settings.integration_user
    reaches = "modify_all" if user.access == "documented" else user.record_access
    if not count or reaches == "modify_all" or (reaches == "view_all" and not mapping.receives):
        yield report(
            "D510", place, "no contact with a user ID is inaccessible because it has no account", level=Level.OK
        )
    elif reaches == "view_all":
        message = f"{count:,} contacts with a user ID have no account: the integration user cannot change them"
        hint = (
            "Give them an account, or set record_access: modify_all; Salesforce refuses what the relay writes to them."
        )
        yield report("D510", place, message, hint, level=Level.WARNING)
    else:
        message = f"{count:,} contacts with a user ID have no account: the integration user does not see them"
        hint = "Give them an account, or write record_access: view_all to find them and modify_all to change them too."
        yield report("D510", place, message, hint, level=Level.WARNING)


def _check_person_accounts(mapping: ResolvedMapping, facts: MappingFacts) -> Iterator[Diagnostic]:
    if facts.person_accounts and mapping.object == "Contact" and mapping.sends and mapping.by_relay:
        message = "the org has person accounts: saving one saves an account, and sends no message for its contact"
        hint = "Set `relay.schedule.reconcile_hours` in sfcode.yaml: reconcile finds changes that were not sent."
        yield report("D511", mapping.place("object"), message, hint, level=Level.NOTE)


def _check_lead_conversion(project: Project) -> Iterator[Diagnostic]:
    """Return a note that contacts from lead conversions may not be sent, if leads and contacts are both mapped."""
    senders = {mapping.object: mapping for mapping in project.resolved if mapping.sends and mapping.by_relay}
    if {"Contact", "Lead"} <= senders.keys():
        message = "a contact from a lead conversion is sent only if conversions run flows"
        hint = "Turn on Setup > Lead Settings > Require Validation for Converted Leads, or write `relay.schedule.reconcile_hours`."
        yield report("D512", senders["Contact"].place("object"), message, hint, level=Level.NOTE)


def _check_activity_fields(mapping: ResolvedMapping, facts: MappingFacts) -> Iterator[Diagnostic]:
    if facts.required_activity_fields and mapping.activities_place is not None:
        names = ", ".join(facts.required_activity_fields)
        message = f"{mapping.activity_object} has required fields that the relay does not fill: {names}"
        hint = "Give them a default value, or make them required by page layout only; else every activity is refused."
        yield report("D513", mapping.activities_place, message, hint, level=Level.ERROR)


def _check_visibility(
    project: Project, mapping: ResolvedMapping, facts: MappingFacts, visible: VisibleRecords | Unknown
) -> Diagnostic:
    place = project.place("integration_user", "username")
    username = project.settings.integration_user.username
    if isinstance(visible, Unknown):
        return report(
            "D508",
            place,
            f"{mapping.name} was not counted by the second sign-in: {visible.reason}",
            level=Level.WARNING,
        )
    if visible.username.lower() != username.lower():
        message = (
            f"--as is signed in as {visible.username}, not as {username}: the access to {mapping.name} was not compared"
        )
        return report("D508", place, message, "Sign in as the integration user.", level=Level.WARNING)
    user, apply = f"the integration user ({mapping.name})", "Run sfcode apply: the permission set grants it."
    if not visible.reads_object:
        return report("D508", place, f"{user} cannot read {mapping.object}", apply, level=Level.ERROR)
    if visible.records is None:
        return report(
            "D508", place, f"{user} cannot see {mapping.object}.{mapping.user_id.field}", apply, level=Level.ERROR
        )
    if isinstance(facts.with_id, Unknown):
        return report("D508", place, f"{user} sees {visible.records:,} records with a user ID", level=Level.NOTE)
    message = f"{user} sees {visible.records:,} of {facts.with_id:,} records with a user ID"
    if visible.records >= facts.with_id:
        return report("D508", place, message, level=Level.OK)
    level = Level.WARNING if visible.records else Level.ERROR
    return report(
        "D508", place, message, "Share the others with it, or write record_access: view_all, and apply.", level=level
    )
