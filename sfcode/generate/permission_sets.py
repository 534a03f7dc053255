"""
Generate the permission sets of the integration user and of viewers.

A deployment replaces a permission set as a whole: a permission that it omits is revoked. So this is the complete list,
and every entry has the YAML line that requires it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sfcode.config.project import Project
from sfcode.generate.template_context import Blueprint, PermissionSetView, origin
from sfcode.lazy_dataclasses import dataclass, field, fields, replace
from sfcode.mapping import naming
from sfcode.mapping.activities import ACTIVITY_OBJECTS, written_fields
from sfcode.mapping.fields import ACTIVITY_FIELDS, Fields
from sfcode.mapping.naming import MANAGED_SET
from sfcode.mapping.permissions import CUSTOMIZE_APPLICATION, FieldPermission, ObjectPermission, add_required
from sfcode.mapping.place import Place
from sfcode.mapping.recipes import ACCOUNT_FIELD, WRITTEN_FIELDS, select_people_mappings
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Address

Lookup = Callable[[str], Fields]


@dataclass
class _Grants:
    """Collects permissions; a permission that is granted twice has the wider access."""

    lookup: Lookup
    objects: dict[str, ObjectPermission] = field(default_factory=dict)
    fields: dict[str, bool] = field(default_factory=dict)
    rights: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)

    def allow_object(self, permission: ObjectPermission, place: Place) -> None:
        """Grant permissions on an object, with those that they depend on."""
        wide = add_required(permission)
        before = self.objects.get(wide.object, wide)
        flags = {flag.name: getattr(before, flag.name) or getattr(wide, flag.name) for flag in fields(wide)[1:]}
        self.objects[wide.object] = replace(before, **flags)
        self.places.setdefault(wide.object, place)

    def allow_field(self, object_name: str, name: str, place: Place, *, edit: bool = False) -> None:
        """Grant access to a field, unless the field has no field permission."""
        object_fields = self.lookup(object_name)
        granted = object_fields.permission(name)
        if not granted:
            return
        field = object_fields.get(name)
        writable = field is None or not field.calculated
        full = f"{object_name}.{granted}"
        self.fields[full] = self.fields.get(full, False) or (edit and writable)
        for token in (full, f"{object_name}.{name}", granted, name):
            self.places.setdefault(token, place)

    def allow(self, place: Place, *rights: str) -> None:
        """Grant user permissions."""
        self.rights.update(rights)
        for right in rights:
            self.places.setdefault(right, place)


def integration_set(project: Project, lookup: Lookup) -> Blueprint:
    """Return the permission set of the integration user."""
    user = project.settings.integration_user
    access = project.place("integration_user", "access")
    grants = _Grants(lookup)
    grants.allow(access, "ApiEnabled")
    for mapping in project.resolved:
        grants.allow_object(_object_rights(project, mapping), mapping.place("object"))
        _mapped_fields(grants, mapping)
        _activities(project, grants, mapping)
    if project.recipes.nps_history:
        _nps_responses(project, grants)
    if project.recipes.event_registration:
        # Campaign members have no separate permissions: those of the campaign apply.
        grants.allow_object(ObjectPermission("Campaign", edit=True), project.recipe_place("event_registration"))
    if user.access == "documented":
        _grant_documented(project, grants, access)
    return _set(
        project.integration_set,
        f"{MANAGED_SET} What the Appcues integration user may do (access: {user.access}).",
        grants,
        access,
    )


def viewer_set(project: Project, created: Iterable[Blueprint], lookup: Lookup) -> Blueprint | None:
    """Return the permission set of viewers, who may read the generated fields; None if there are no such fields."""
    grants = _Grants(lookup)
    activity_objects = sorted(
        {mapping.activity_object for mapping in project.resolved if mapping.by_relay and mapping.activity_object}
    )
    for blueprint in created:
        object_name, _, name = blueprint.address.full_name.partition(".")
        if blueprint.address.type == "CustomObject":
            grants.allow_object(ObjectPermission(object_name, read=True), blueprint.place)
            continue
        for owner in activity_objects if object_name == "Activity" else [object_name]:
            grants.allow_field(owner, name, blueprint.place)
    if project.recipes.nps_history and project.recipes.nps_history.account == "detail":
        # A detail record is readable only with read access to its master.
        grants.allow_object(ObjectPermission("Account", read=True), project.recipe_place("nps_history", "account"))
    if not grants.fields:
        return None
    return _set(
        naming.viewer_set(project.settings.name),
        f"{MANAGED_SET} Assign it to people who should see what Appcues writes.",
        grants,
        project.place("name"),
    )


def _object_rights(project: Project, mapping: ResolvedMapping) -> ObjectPermission:
    """Grant the minimum that the mapping needs, or everything that the help page describes."""
    user = project.settings.integration_user
    if user.access == "documented":
        return ObjectPermission(mapping.object, create=True, modify_all=True)
    writes = bool(mapping.targets)
    reach = user.record_access
    # Without writes, View All is enough to reach every record.
    return ObjectPermission(
        mapping.object,
        read=True,
        edit=writes,
        view_all=reach != "sharing",
        modify_all=reach == "modify_all" and writes,
    )


def _mapped_fields(grants: _Grants, mapping: ResolvedMapping) -> None:
    uses = [mapping.user_id, *mapping.attributes]
    if mapping.source is not None:
        uses.append(mapping.source)
    for use in uses:
        grants.allow_field(mapping.object, use.field, use.place)
    for condition in mapping.where:
        grants.allow_field(mapping.object, condition.compared_field, condition.place)
    for target in mapping.targets:
        grants.allow_field(mapping.object, target.field, target.place, edit=True)


def _activities(project: Project, grants: _Grants, mapping: ResolvedMapping) -> None:
    """Grant the permissions to create and update an activity: its object and its fields."""
    activity_object, place = mapping.activity_object, mapping.activities_place
    if activity_object is None or place is None:
        return
    if activity_object in ACTIVITY_OBJECTS:
        grants.allow(place, "ActivitiesAccess", ACTIVITY_OBJECTS[activity_object])
    else:
        grants.allow_object(ObjectPermission(activity_object, create=True, edit=True), place)
    for name in written_fields(project.settings.name, mapping):
        grants.allow_field(activity_object, name, place, edit=True)


def _nps_responses(project: Project, grants: _Grants) -> None:
    """Grant the permissions to store NPS answers, and to read their accounts."""
    place, answers = project.recipe_place("nps_history"), naming.response_object(project.settings.name)
    mappings = select_people_mappings(project.resolved)
    grants.allow_object(ObjectPermission(answers, create=True, edit=True), place)
    lookups = (*(f"{mapping.object}__c" for mapping in mappings), ACCOUNT_FIELD)
    for name in (*WRITTEN_FIELDS, *lookups):
        grants.allow_field(answers, name, place, edit=True)
    grants.allow_object(ObjectPermission("Account", read=True), place)
    if any(mapping.object == "Contact" for mapping in mappings):
        grants.allow_field("Contact", "AccountId", place)


def _grant_documented(project: Project, grants: _Grants, access: Place) -> None:
    """Add what the help page describes beyond the minimum: "all available Edit Access boxes", Customize Application."""
    activity_objects = {mapping.activity_object for mapping in project.resolved}
    for activity_object in [name for name in ACTIVITY_OBJECTS if name in activity_objects] or ["Event"]:
        for name in ACTIVITY_FIELDS[activity_object]:
            grants.allow_field(activity_object, name, access, edit=True)
        grants.allow(access, "ActivitiesAccess", ACTIVITY_OBJECTS[activity_object])
    if any(not mapping.by_relay for mapping in project.resolved):
        grants.allow(access, *CUSTOMIZE_APPLICATION)


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
    origins = (*(origin(address, token, position) for token, position in tokens.items()), origin(address, "", place))
    return Blueprint(address, view, place, origins)
