"""Collect facts about the records of each mapping: counts, IDs and visibility. Reads IDs, no names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from urllib.parse import quote

from sfcode.checks.doctor.collect_roles import count_roles
from sfcode.checks.doctor.facts import (
    MOST_GROUPS,
    DuplicateIds,
    FieldFacts,
    MappingFacts,
    RoleCounts,
    SharedIds,
    Unknown,
    VisibleRecords,
    ask_optional,
    find_too_many,
)
from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.activities import written_fields
from sfcode.mapping.org_features import PERSON_ACCOUNTS
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Body, Component
from sfcode.metadata.objects import OrgSchema
from sfcode.org import Org

EXAMPLES = 5
"""The maximum number of records that a diagnostic shows as examples."""
ARCHIVED = ("Event", "Task")
"""Objects whose records Salesforce archives a year after their end."""
NEARLY_A_YEAR = 335
"""The age in days from which activities are archived within a month."""
AT_ONCE = 8_000
"""The maximum number of characters of values in one query, which is part of a URL of at most 16 KB."""

Metadata = dict[str, Component] | Unknown


@dataclass(frozen=True)
class RecordScan:
    """The input of the record checks: both connections to the org, the described objects and the metadata of fields."""

    org: Org
    name: str
    """The project's name, the prefix of generated fields."""
    schema: OrgSchema
    metadata: Metadata
    sharing: dict[str, str] | Unknown
    another: Org | None = None
    theirs: OrgSchema | None = None
    old_activities: Mapping[str, int | Unknown] = field(default_factory=dict)
    """
    Activities of the relay that Salesforce archives within a month, by object; empty if no report counts activities.
    """
    role: str = ""
    """The attribute of the recipe `role_onboarding`; "" without it."""


def collect_mapping_facts(project: Project, org: Org, another: Org | None) -> tuple[MappingFacts, ...]:
    """Collect the facts of every mapping."""
    exchanges = project.resolved
    objects = sorted({mapping.object for mapping in exchanges})
    username = project.settings.integration_user.username
    scan = RecordScan(
        org,
        name=project.settings.name,
        schema=org.traits.schema,
        metadata=ask_optional(lambda: _metadata(exchanges, org)),
        sharing=ask_optional(lambda: org.traits.sharing),
        another=another,
        theirs=another.describe(objects) if another else None,
        old_activities=_count_old_activities(exchanges, org, username) if project.recipes.completed_flows else {},
        role=project.recipes.role_onboarding.attribute if project.recipes.role_onboarding else "",
    )
    return tuple(_facts(mapping, scan) for mapping in exchanges)


def _metadata(exchanges: Iterable[ResolvedMapping], org: Org) -> dict[str, Component]:
    """Read the metadata of the fields, which does not depend on field access."""
    names = {
        f"{mapping.object}.{use.field}" for mapping in exchanges for use in (mapping.user_id, mapping.source) if use
    }
    custom = sorted(name for name in names if name.endswith("__c"))
    components = org.metadata.read_metadata("CustomField", custom) if custom else ()
    return {component.full_name: component for component in components}


def _facts(mapping: ResolvedMapping, scan: RecordScan) -> MappingFacts:
    org = scan.org
    user_id = _field(mapping.object, mapping.user_id.field, scan)
    source = _field(mapping.object, mapping.source.field, scan) if mapping.source else None
    if mapping.object not in scan.schema.objects:
        return MappingFacts(mapping.name, mapping.object, user_id, source, reads_object=False)
    by = next((field for field in (user_id, source) if field and field.visible), None)
    shared_as, model = _find_sharing(mapping.object, scan.sharing)
    # Names are those of the config, which allows letters, digits and underscores only.
    total = ask_optional(lambda: org.count(f"SELECT COUNT() FROM {mapping.object}"))  # noqa: S608
    with_id: int | Unknown = Unknown("the signed-in user cannot read a field with user IDs")
    blank: tuple[str, ...] = ()
    duplicates: DuplicateIds | Unknown | None = None
    if by is not None:
        with_id = ask_optional(lambda: org.count(f"SELECT COUNT() FROM {mapping.object} WHERE {by.name} != null"))  # noqa: S608
        blank = _blank(org, mapping.object, by.name) if with_id != total else ()
        duplicates = ask_optional(lambda: _repeats(org, mapping.object, by, source, with_id))
    return MappingFacts(
        mapping.name,
        mapping.object,
        user_id,
        source,
        counted_by=by.name if by else "",
        total=total,
        with_id=with_id,
        blank=blank,
        duplicates=duplicates,
        sharing=model,
        shared_as=shared_as,
        seen=_count_visible(mapping, user_id, scan),
        without_account=_count_without_account(mapping, by, scan),
        person_accounts=PERSON_ACCOUNTS in org.traits.features,
        required_activity_fields=_required_activity_fields(mapping, scan),
        roles=_count_roles(mapping, scan),
        old_activities=scan.old_activities.get(mapping.activity_object or "") if mapping.by_relay else None,
    )


def _count_roles(mapping: ResolvedMapping, scan: RecordScan) -> RoleCounts | Unknown | None:
    use = next((use for use in mapping.attributes if scan.role and use.attribute == scan.role), None)
    if use is None:
        return None
    field = _field(mapping.object, use.field, scan)
    return (
        ask_optional(lambda: count_roles(mapping, scan.role, field, scan.org))
        if mapping.sends and mapping.by_relay
        else None
    )


def _count_old_activities(exchanges: Iterable[ResolvedMapping], org: Org, username: str) -> dict[str, int | Unknown]:
    """Count, by object, the activities of the relay that Salesforce archives within a month: a year after their end."""
    object_names = sorted(
        {mapping.activity_object for mapping in exchanges if mapping.by_relay and mapping.activity_object in ARCHIVED}
    )
    # By creator, since the signed-in user may not have access to the external ID field.
    condition = f"WHERE ActivityDate < LAST_N_DAYS:{NEARLY_A_YEAR} AND CreatedBy.Username = {{}}"
    return {
        name: ask_optional(partial(org.count, f"SELECT COUNT() FROM {name} {condition}", username))  # noqa: S608
        for name in object_names
        if name in org.traits.schema.objects
    }


def _count_without_account(mapping: ResolvedMapping, by: FieldFacts | None, scan: RecordScan) -> int | Unknown | None:
    if mapping.object != "Contact" or by is None:
        return None
    soql = f"SELECT COUNT() FROM Contact WHERE AccountId = null AND {by.name} != null"  # noqa: S608
    return ask_optional(lambda: scan.org.count(soql))


def _required_activity_fields(mapping: ResolvedMapping, scan: RecordScan) -> tuple[str, ...]:
    target = scan.schema.objects.get(mapping.activity_object or "") if mapping.by_relay else None
    if target is None or mapping.activities_place is None:
        return ()
    own = set(written_fields(scan.name, mapping))
    return tuple(
        sorted(
            field.name
            for field in target.fields.values()
            if field.custom and field.required and field.default is None and field.name not in own
        )
    )


def _field(object_name: str, name: str, scan: RecordScan) -> FieldFacts:
    target = scan.schema.objects.get(object_name)
    described = target.fields.get(name) if target else None
    body: Body = {}
    exists: bool | Unknown = described is not None
    if not isinstance(scan.metadata, Unknown):
        component = scan.metadata.get(f"{object_name}.{name}")
        body, exists = (component.body, True) if component else (body, exists)
    elif described is None:
        exists = scan.metadata
    unique = body.get("unique") is True
    return FieldFacts(
        name,
        exists,
        visible=described is not None,
        type=described.type if described else str(body.get("type", "")),
        formula=described.calculated if described else "formula" in body,
        # In case-sensitive fields, IDs that differ only in case are possible.
        unique=unique and body.get("caseSensitive") is not True,
        indexed=unique or body.get("externalId") is True,
    )


def _blank(org: Org, object_name: str, field: str) -> tuple[str, ...]:
    soql = f"SELECT Id FROM {object_name} WHERE {field} = null ORDER BY Id LIMIT {EXAMPLES}"  # noqa: S608
    rows = ask_optional(lambda: org.query(soql))
    return () if isinstance(rows, Unknown) else tuple(row["Id"] for row in rows)


def _repeats(
    org: Org, object_name: str, by: FieldFacts, source: FieldFacts | None, with_id: int | Unknown
) -> DuplicateIds | Unknown:
    if by.unique or (source and source.unique):
        return DuplicateIds()  # the org itself prevents duplicates
    if by.type == "string" and not by.formula:
        return _group_ids(org, object_name, by.name)
    # Formulas and numbers cannot be grouped, so each value must be read.
    if isinstance(with_id, Unknown):
        return with_id
    if too_many := find_too_many(with_id):
        return too_many
    soql = f"SELECT Id, {by.name} FROM {object_name} WHERE {by.name} != null"  # noqa: S608
    return find_duplicate_ids((row["Id"], row[by.name]) for row in org.query(soql))


def _group_ids(org: Org, object_name: str, field: str) -> DuplicateIds:
    """Group IDs in the org, which ignores case, and read the records of IDs that occur more than once."""
    groups = org.query(
        f"SELECT {field} FROM {object_name} WHERE {field} != null "  # noqa: S608
        f"GROUP BY {field} HAVING COUNT(Id) > 1 LIMIT {MOST_GROUPS}"
    )
    soql = f"SELECT Id, {field} FROM {object_name} WHERE {field} IN {{}} ORDER BY Id"  # noqa: S608
    rows: list[tuple[str, object]] = []
    for values in _split_by_length([row[field] for row in groups]):
        rows += [(row["Id"], row[field]) for row in org.query(soql, values)]
    return find_duplicate_ids(rows, complete=len(groups) < MOST_GROUPS)


def _split_by_length(values: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for value in values:
        length = len(quote(value))
        if chunk and size + length > AT_ONCE:
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += length
    if chunk:
        yield chunk


def _find_sharing(object_name: str, sharing: dict[str, str] | Unknown) -> tuple[str, str | Unknown]:
    """Return the object whose org-wide default applies to the records of an object, and this default."""
    if isinstance(sharing, Unknown):
        return object_name, sharing
    owner = object_name
    if object_name == "Contact" and sharing.get(owner) == "ControlledByParent":
        owner = "Account"
    return owner, sharing.get(owner) or Unknown("the org does not return it")


def _count_visible(mapping: ResolvedMapping, user_id: FieldFacts, scan: RecordScan) -> VisibleRecords | Unknown | None:
    another, visible_schema = scan.another, scan.theirs
    if another is None or visible_schema is None or user_id.exists is False:
        return None
    username, target = another.identity.username, visible_schema.objects.get(mapping.object)
    if target is None or user_id.name not in target.fields:
        return VisibleRecords(username, target is not None, None)
    soql = f"SELECT COUNT() FROM {mapping.object} WHERE {user_id.name} != null"  # noqa: S608
    records = ask_optional(lambda: another.count(soql))
    return records if isinstance(records, Unknown) else VisibleRecords(username, reads_object=True, records=records)


def find_duplicate_ids(rows: Iterable[tuple[str, object]], *, complete: bool = True) -> DuplicateIds:
    """Find user IDs that several records share; `rows` are pairs of a record's ID and its user ID."""
    exact: dict[str, list[str]] = {}
    for record, value in rows:
        exact.setdefault(str(value), []).append(record)
    folded: dict[str, list[str]] = {}
    for value, records in exact.items():
        folded.setdefault(value.casefold(), []).append(records[0])
    return DuplicateIds(_check_alike(exact.values()), _check_alike(folded.values()), complete)


def _check_alike(groups: Iterable[list[str]]) -> SharedIds:
    several = [group for group in groups if len(group) > 1]
    return SharedIds(len(several), tuple(" = ".join(group[:2]) for group in several[:EXAMPLES]))
