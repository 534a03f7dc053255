"""Missing permissions of the integration user (SF104, SF105), and unneeded ones (SF201, SF202, SF212)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.checks.granted_rights import Rights
from sfcode.checks.lint.chain_links import Chain, chains
from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.activities import ACTIVITY_OBJECTS, own_fields, written_fields
from sfcode.mapping.fields import fields_of
from sfcode.metadata.objects import standard

_HINT = "grant it in the project's own PermissionSet template, or remove that template to use sfcode's"


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Compare the integration user's permissions with what the mappings need."""
    granted = side.integration_rights
    for chain in chains(side):
        yield from _check_reads(chain, granted)
        yield from _check_writes(chain, granted)
    yield from _check_all_records(side, granted)
    yield from _check_documented(side)
    yield from _check_api_only(side)
    yield from _check_unneeded(side, granted)


def _check_reads(chain: Chain, granted: Rights) -> Iterator[Diagnostic]:
    mapping = chain.mapping
    if not mapping.sends:
        return
    related = chain.side.template_line("PermissionSet", "<fieldPermissions>")
    if "Read" not in granted.get(("object", mapping.object), ()):
        text = f"the integration user cannot read {mapping.object}, so its records cannot be sent"
        place = chain.side.template_line("PermissionSet", "<objectPermissions>")
        yield report("SF104", mapping.place("object"), text, _HINT, related=place)
    for use in (mapping.user_id, *mapping.attributes):
        if not chain.may("Read", use.field):
            text = f"the integration user cannot read {mapping.object}.{use.field}: Salesforce leaves it out of the message without an error"
            yield report("SF104", use.place, text, _HINT, related=related)


def _check_writes(chain: Chain, granted: Rights) -> Iterator[Diagnostic]:
    mapping, side = chain.mapping, chain.side
    related = side.template_line("PermissionSet", "<fieldPermissions>")
    for target in mapping.targets:
        if "Edit" not in granted.get(("object", mapping.object), ()) or not chain.may("Edit", target.field):
            text = f"the integration user cannot change {mapping.object}.{target.field}, which stores the {target.value.noun}"
            yield report("SF105", target.place, text, _HINT, related=related)
    kind, place = mapping.activity_object, mapping.activities_place
    if kind is None or place is None or not mapping.by_relay:
        return
    project = side.project.settings.name
    object_fields = fields_of(standard(), kind, own_fields(project, [mapping]))
    lacking = [
        f"{kind}.{name}"
        for name in written_fields(project, mapping)
        if (permission := object_fields.permission(name))
        and "Edit" not in granted.get(("field", f"{kind}.{permission}"), ())
    ]
    if kind in ACTIVITY_OBJECTS:
        lacking += [
            right for right in ("ActivitiesAccess", ACTIVITY_OBJECTS[kind]) if ("permission", right) not in granted
        ]
    elif not {"Create", "Edit"} <= set(granted.get(("object", kind), ())):
        lacking.append(f"Create and Edit on {kind}")
    for name in lacking:
        text = f"the integration user lacks {name}, without which it cannot write activities as the relay does"
        yield report("SF105", place, text, _HINT, related=related)


def _check_all_records(side: Snapshot, granted: Rights) -> Iterator[Diagnostic]:
    user = side.project.settings.integration_user
    if user.access == "documented":
        return  # SF202 reports it
    key = "record_access" if user.record_access != "sharing" else "access"
    config_place = side.project.place("integration_user", key)
    for (kind, name), rights in granted.items():
        wide = [right for right in ("Modify All", "View All") if right in rights]
        if kind == "object" and wide:
            text = f"the integration user has {wide[0]} on {name}: it can access every record, regardless of the owner"
            template = side.template_line("PermissionSet", "<modifyAllRecords>") if key == "access" else None
            place = template or config_place
            yield report(
                "SF201",
                place,
                text,
                "set record_access: sharing and share the records that it needs, if that is feasible",
            )


def _check_api_only(side: Snapshot) -> Iterator[Diagnostic]:
    user = side.project.settings.integration_user
    for key, address in user.list_wide_rights():
        setting = address.partition(":")[2]
        text = f"the {key} {setting} lets the integration user do more than use the API with the rights of its permission set"
        hint = f"remove the key, or accept it with `accepted_rights: [{address}]`"
        yield report("SF214", side.project.place("integration_user", key), text, hint)


def _check_documented(side: Snapshot) -> Iterator[Diagnostic]:
    if side.project.settings.integration_user.access == "documented":
        text = "the integration user may create, change and delete every record of the mapped objects"
        place = side.project.place("integration_user", "access")
        yield report("SF202", place, text, "set access: least_privilege, which is sufficient for the mappings")


def _check_unneeded(side: Snapshot, granted: Rights) -> Iterator[Diagnostic]:
    """Report permissions that sfcode's own template does not grant, since the mappings do not need them."""
    if side.plain is None or side.template("PermissionSet") is None:
        return
    needed_rights = replace(side, desired=side.plain).integration_rights
    for (kind, name), rights in granted.items():
        more = [right for right in rights if right not in needed_rights.get((kind, name), ())]
        if more:
            surplus = f"the permission {name}" if kind == "permission" else f"{', '.join(more)} on {name}"
            text = f"the project's own template grants the integration user {surplus}, which no mapping needs"
            yield report("SF212", side.template_line("PermissionSet", name), text, "remove it from the template")
