"""
The Setup objects: organization, users' licenses, profiles, permission sets, flows.

Written as text, one line per field: its name, its describe type, and then in any order a length or
precision, `>Target` for what a reference names, `<Name` for the relationship seen from there,
`required`, `readonly` (only the org writes it), `fixed` (given once, at creation), `=value` for a default.
The head says which audit fields there are (`audit`: all six, `modstamp`: SystemModstamp only, `none`) and
whether rows can be written.
"""

from __future__ import annotations

from functools import cache

from sfcode.local import ids
from sfcode.local.sobjects.model import FieldDef, ObjectDef, object_def

TABLE = """
Organization "Organization" audit
    Name string 80
    Division string 80
    City string 40
    Country string 80
    PrimaryContact string 80
    DefaultLocaleSidKey picklist 40
    LanguageLocaleKey picklist 40
    TimeZoneSidKey picklist 40
    OrganizationType picklist 40
    InstanceName string 5
    IsSandbox boolean
    IsReadOnly boolean
    NamespacePrefix string 15
    TrialExpirationDate datetime

UserLicense "User License" audit
    LicenseDefinitionKey string 40
    Name string 40
    MasterLabel string 40
    Status picklist 40
    TotalLicenses int
    UsedLicenses int

Profile "Profile" audit
    Name string 255
    UserLicenseId reference >UserLicense
    UserType picklist 40
    Description string 255

UserRole "Role" modstamp
    Name string 80
    DeveloperName string 80
    ParentRoleId reference >UserRole

PermissionSet "Permission Set" audit
    Name string 80
    Label string 80
    Description string 255
    LicenseId reference >PermissionSetLicense,UserLicense
    ProfileId reference >Profile
    PermissionSetGroupId reference >PermissionSetGroup
    IsOwnedByProfile boolean
    IsCustom boolean
    HasActivationRequired boolean
    NamespacePrefix string 15
    Type picklist 40

PermissionSetGroup "Permission Set Group" audit
    DeveloperName string 80
    MasterLabel string 80
    Description string 255
    Status picklist 40

PermissionSetAssignment "Permission Set Assignment" modstamp writable
    AssigneeId reference >User <PermissionSetAssignments required fixed
    PermissionSetId reference >PermissionSet <Assignments fixed
    PermissionSetGroupId reference >PermissionSetGroup <Assignments fixed
    ExpirationDate datetime fixed
    IsActive boolean readonly =true

PermissionSetLicense "Permission Set License" audit
    DeveloperName string 80
    MasterLabel string 80
    Language picklist 40
    PermissionSetLicenseKey string 255
    Status picklist 40
    TotalLicenses int
    UsedLicenses int
    ExpirationDate date

PermissionSetLicenseAssign "Permission Set License Assignment" audit writable
    AssigneeId reference >User <PermissionSetLicenseAssignments required fixed
    PermissionSetLicenseId reference >PermissionSetLicense <PermissionSetLicenseAssignments required fixed

FieldPermissions "Field Permissions" modstamp
    ParentId reference >PermissionSet <FieldPerms
    SobjectType picklist 40
    Field picklist 40
    PermissionsRead boolean
    PermissionsEdit boolean

ObjectPermissions "Object Permissions" audit
    ParentId reference >PermissionSet <ObjectPerms
    SobjectType picklist 40
    PermissionsCreate boolean
    PermissionsRead boolean
    PermissionsEdit boolean
    PermissionsDelete boolean
    PermissionsViewAllRecords boolean
    PermissionsModifyAllRecords boolean

FlowDefinitionView "Flow Definition View" none
    DurableId string 255
    ApiName string 255
    Label string 255
    Description textarea 1000
    ProcessType picklist 40
    TriggerType picklist 40
    TriggerObjectOrEventLabel string 255
    ActiveVersionId string 255
    LatestVersionId string 255
    IsActive boolean
    VersionNumber int
    NamespacePrefix string 255
    LastModifiedDate datetime
    LastModifiedBy string 255

FlowVersionView "Flow Version View" none
    DurableId string 255
    FlowDefinitionViewId string 255
    Label string 255
    Description textarea 1000
    ApiVersion double
    Status picklist 40
    VersionNumber int

EntityDefinition "Entity Definition" none
    DurableId string 255
    QualifiedApiName string 70
    DeveloperName string 70
    Label string 80
    PluralLabel string 80
    KeyPrefix string 15
    NamespacePrefix string 15
    InternalSharingModel picklist 40
    IsCustomizable boolean
    IsQueryable boolean

UserPermissionAccess "User Permission Access" none
    LastCacheUpdate datetime
    PermissionsActivitiesAccess boolean
    PermissionsApiEnabled boolean
    PermissionsApiUserOnly boolean
    PermissionsAssignPermissionSets boolean
    PermissionsCustomizeApplication boolean
    PermissionsEditEvent boolean
    PermissionsEditTask boolean
    PermissionsManageInternalUsers boolean
    PermissionsManageUsers boolean
    PermissionsModifyAllData boolean
    PermissionsModifyMetadata boolean
    PermissionsSendOutboundMessages boolean
    PermissionsViewAllData boolean
    PermissionsViewSetup boolean

StaticResource "Static Resource" audit writable
    Name string 80 required
    NamespacePrefix string 15 readonly
    ContentType string 120
    CacheControl picklist 40
    Description string 255
    Body base64
    BodyLength int readonly
"""

OWN_PERMISSIONS = "UserPermissionAccess"
"""The object whose only row is about the caller; an org has a field for each of its user permissions."""

AUDIT = """
    CreatedDate datetime
    CreatedById reference >User
    LastModifiedDate datetime
    LastModifiedById reference >User
"""


@cache
def setup_objects() -> dict[str, ObjectDef]:
    """Return the Setup objects by name."""
    found: dict[str, ObjectDef] = {}
    for block in TABLE.strip().split("\n\n"):
        head, _, lines = block.partition("\n")
        name, label, rest = _head(head)
        audit = "audit" in rest
        text = (
            lines + (AUDIT if audit else "") + ("\n    SystemModstamp datetime" if audit or "modstamp" in rest else "")
        )
        writable = "writable" in rest
        fields = [
            FieldDef(
                "Id", "id", f"{label} ID", 18, nillable=False, createable=False, updateable=False, permissionable=False
            )
        ]
        fields += [_field(line, writable=writable) for line in text.splitlines() if line.strip()]
        prefix = ids.KEY_PREFIXES.get(name)
        found[name] = object_def(name, label, f"{label}s", prefix, fields, writable=writable, deletable=writable)
    return found


def _head(line: str) -> tuple[str, str, list[str]]:
    name, label, rest = line.split('"')
    return name.strip(), label, rest.split()


def _field(line: str, *, writable: bool) -> FieldDef:
    name, kind, *words = line.split()
    given = {word[0]: word[1:] for word in words if word[0] in "><="}
    read_only = not writable or "readonly" in words or name in SYSTEM_FIELDS
    length = next((int(word) for word in words if word.isdigit()), 18 if kind == "reference" else 0)
    return FieldDef(
        name,
        kind,
        label_of(name),
        length,
        nillable="required" not in words and kind != "boolean",
        createable=not read_only,
        updateable=not read_only and "fixed" not in words,
        permissionable=False,
        reference_to=tuple(given[">"].split(",")) if ">" in given else (),
        relationship=name.removesuffix("Id") if ">" in given else "",
        child_relationship=given.get("<", ""),
        default=True if given.get("=") == "true" else None,
    )


SYSTEM_FIELDS = frozenset(
    {
        "Id",
        "IsDeleted",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    }
)
"""What the org itself writes on every record."""


def label_of(name: str) -> str:
    """Return the label of a field name: `CreatedById` is "Created By ID"."""
    words = "".join(f" {char}" if char.isupper() else char for char in name).split()
    return " ".join("ID" if word == "Id" else word for word in words)
