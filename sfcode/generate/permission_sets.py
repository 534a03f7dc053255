"""
What the integration user may do, and what people who read the results may see.

A permission set is deployed whole: what is not in it is taken away. So this is the complete list,
and every entry knows the line of YAML that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from sfcode.config.project import Project
from sfcode.generate import activity_object as own_object
from sfcode.generate.template_context import Blueprint, FieldPermission, ObjectPermission, PermissionSetView, origin
from sfcode.mapping import naming
from sfcode.mapping.field_types import ACTIVITY_FIELDS, Fields
from sfcode.mapping.resolved import Exchange, Place, activity_object, link_field, settings_place
from sfcode.metadata.component import Address

Lookup = Callable[[str], Fields]

OWNED = "Managed by sfcode: do not edit by hand, it is replaced as a whole."
"""How the description of every permission set of ours begins."""

_ACTIVITY_RIGHTS = {"Event": "EditEvent", "Task": "EditTask"}
# Customize Application is refused without the other two.
_CUSTOMIZE = ("CustomizeApplication", "ManageCustomPermissions", "ViewSetup")


@dataclass
class _Grants:
    """Permissions being collected; what is asked for twice is granted once, with the wider right."""

    lookup: Lookup
    objects: dict[str, ObjectPermission] = field(default_factory=dict)
    fields: dict[str, bool] = field(default_factory=dict)
    rights: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)

    def allow_object(self, asked: ObjectPermission, place: Place) -> None:
        """Grant rights on an object, with those that they depend on."""
        wide = complete(asked)
        before = self.objects.get(wide.object, wide)
        flags = {one.name: getattr(before, one.name) or getattr(wide, one.name) for one in fields(wide)[1:]}
        self.objects[wide.object] = replace(before, **flags)
        self.places.setdefault(wide.object, place)

    def allow_field(self, object_name: str, name: str, place: Place, *, edit: bool = False) -> None:
        """Grant a field, unless Salesforce knows no permission for it: everybody has those."""
        known = self.lookup(object_name)
        granted = known.permission(name)
        if not granted:
            return
        found = known.get(name)
        writable = found is None or not found.calculated
        full = f"{object_name}.{granted}"
        self.fields[full] = self.fields.get(full, False) or (edit and writable)
        for token in (full, f"{object_name}.{name}", granted, name):
            self.places.setdefault(token, place)

    def allow(self, place: Place, *rights: str) -> None:
        """Grant user permissions."""
        self.rights.update(rights)
        for right in rights:
            self.places.setdefault(right, place)


def complete(asked: ObjectPermission) -> ObjectPermission:
    """Add what Salesforce demands beside a right on an object. Modify All does not bring Create with it."""
    delete = asked.delete or asked.modify_all
    edit = asked.edit or delete
    view_all = asked.view_all or asked.modify_all
    return replace(
        asked, read=asked.read or asked.create or edit or view_all, edit=edit, delete=delete, view_all=view_all
    )


def integration_set(project: Project, exchanges: Iterable[Exchange], lookup: Lookup) -> Blueprint:
    """Describe the permission set of the integration user."""
    user = project.settings.integration_user
    access = settings_place(project, "integration_user", "access")
    grants = _Grants(lookup)
    grants.allow(access, "ApiEnabled")
    exchanges = tuple(exchanges)
    for one in exchanges:
        grants.allow_object(_object_rights(project, one), one.place("object"))
        _mapped_fields(grants, one)
        if naming.is_custom(activity_object(project, one) or ""):
            _own_activities(project, grants, one)
        else:
            _activities(project, grants, one)
    if user.access == "documented":
        _documented(project, grants, exchanges, access)
    return _set(
        naming.integration_set(project.settings),
        f"{OWNED} What the Appcues integration user may do (access: {user.access}).",
        grants,
        access,
    )


def viewer_set(
    project: Project, created: Iterable[Blueprint], exchanges: Iterable[Exchange], lookup: Lookup
) -> Blueprint | None:
    """Describe the permission set of people: they may read the fields that we create. None when there are none."""
    grants = _Grants(lookup)
    activity_objects = sorted({name for one in exchanges if one.by_relay and (name := activity_object(project, one))})
    for blueprint in created:
        object_name, _, name = blueprint.address.full_name.partition(".")
        if blueprint.address.type == "CustomObject":
            grants.allow_object(ObjectPermission(object_name, read=True), blueprint.place)
            continue
        for owner in activity_objects if object_name == "Activity" else [object_name]:
            grants.allow_field(owner, name, blueprint.place)
    if not grants.fields:
        return None
    return _set(
        naming.viewer_set(project.settings.name),
        f"{OWNED} Assign it to people who should see what Appcues writes.",
        grants,
        settings_place(project, "name"),
    )


def _object_rights(project: Project, one: Exchange) -> ObjectPermission:
    """Grant the least that the mapping works with, or everything that the help page clicks."""
    user = project.settings.integration_user
    if user.access == "documented":
        return ObjectPermission(one.object, create=True, modify_all=True)
    writes = bool(one.targets)
    reach = user.record_access
    # Where nothing is written, reaching every record takes no more than reading every record.
    return ObjectPermission(
        one.object,
        read=True,
        edit=writes,
        view_all=reach != "sharing",
        modify_all=reach == "modify_all" and writes,
    )


def _mapped_fields(grants: _Grants, one: Exchange) -> None:
    uses = [one.user_id, *one.attributes]
    if one.source is not None:
        uses.append(one.source)
    for use in uses:
        grants.allow_field(one.object, use.field, use.place)
    for target in one.targets:
        grants.allow_field(one.object, target.field, target.place, edit=True)


def _activities(project: Project, grants: _Grants, one: Exchange) -> None:
    """Grant what it takes to write an activity: its comment, its link to the record and its external id."""
    kind = activity_object(project, one)
    if kind is None or one.activities is None:
        return
    names = ["Description", link_field(project, one)]
    if one.by_relay:
        names.append(naming.event_id_field(project.settings.name))
    for name in names:
        grants.allow_field(kind, name, one.activities, edit=True)
    grants.allow(one.activities, "ActivitiesAccess", _ACTIVITY_RIGHTS[kind])


def _own_activities(project: Project, grants: _Grants, one: Exchange) -> None:
    """Grant what it takes to write records of the project's own object: to make them, and to write them again."""
    kind = activity_object(project, one)
    if kind is None or one.activities is None:
        return
    grants.allow_object(ObjectPermission(kind, create=True, edit=True), one.activities)
    names = own_object.field_names(project, [one])
    for name in (*names, naming.event_id_field(project.settings.name)):
        grants.allow_field(kind, name, one.activities, edit=True)


def _documented(project: Project, grants: _Grants, exchanges: tuple[Exchange, ...], access: Place) -> None:
    """Add what the help page clicks beyond the least: "all available Edit Access boxes", Customize Application."""
    kinds = {name for one in exchanges if (name := activity_object(project, one)) in ACTIVITY_FIELDS} or {"Event"}
    for kind in sorted(kinds):
        for name in ACTIVITY_FIELDS[kind]:
            grants.allow_field(kind, name, access, edit=True)
        grants.allow(access, "ActivitiesAccess", _ACTIVITY_RIGHTS[kind])
    if any(not one.by_relay for one in exchanges):
        grants.allow(access, *_CUSTOMIZE)


def _set(name: str, description: str, grants: _Grants, place: Place) -> Blueprint:
    address = Address("PermissionSet", name)
    view = PermissionSetView(
        name=name,
        label=naming.label(name),
        description=description,
        objects=tuple(sorted(grants.objects.values())),
        fields=tuple(FieldPermission(full, editable) for full, editable in sorted(grants.fields.items())),
        user_permissions=tuple(sorted(grants.rights)),
    )
    tokens: Mapping[str, Place] = grants.places
    origins = (*(origin(address, token, where) for token, where in tokens.items()), origin(address, "", place))
    return Blueprint(address, view, place, origins)
