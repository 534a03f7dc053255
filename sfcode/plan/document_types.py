"""
The JSON document of a plan, for `sfcode schema plan`.

Programs depend on it: a new key raises the minor format version, any other change the major one.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

described = with_config(ConfigDict(use_attribute_docstrings=True))
"""Turns the docstrings below the keys into descriptions of the schema."""

ActionName = Literal["no-op", "create", "update", "delete"]
Body = dict[str, Any]


@described
class PlannedOrg(TypedDict):
    """The org that the plan was made for."""

    id: str
    name: str
    instance_url: str
    username: str


@described
class ChangedAttribute(TypedDict):
    """An attribute that differs."""

    path: str
    """The path in the body: `fields.plan.label`."""
    before: Any
    after: Any
    cause: NotRequired[Literal["config", "drift", "both"]]
    """The cause of the difference; only for changes, not for drift."""


@described
class ChangedBodies(TypedDict):
    """The body of a component or record before and after a change."""

    actions: list[ActionName]
    """One action, in Terraform's terms."""
    before: Body | None
    """Attributes by name, with placeholders for secrets; null if the component does not exist."""
    after: Body | None
    attributes: list[ChangedAttribute]


@described
class DriftedComponent(TypedDict):
    """A component or record that differs from the state after the last apply."""

    address: str
    """Type and full name: `CustomField:Contact.Appcues_User_Id__c`."""
    mode: Literal["managed"]
    type: str
    name: str
    change: ChangedBodies


@described
class PlannedChange(DriftedComponent):
    """A component or record of the config, and its change; `no-op` without a change."""

    adopted: bool
    """Whether the component was unmanaged before."""
    replaced: bool
    """Whether the component is unmanaged, and is deleted because the relay replaces it."""
    previous_address: str | None
    """The address before a move."""


@described
class ActionCounts(TypedDict):
    """The number of components and records by action."""

    create: int
    update: int
    delete: int


@described
class PreservedComponents(TypedDict):
    """Unmanaged components in a file that the plan writes, which remain unchanged."""

    container: str
    counts: dict[str, int]
    """Numbers by type."""


PlannedMove = TypedDict("PlannedMove", {"from": str, "to": str, "in_place": bool})
"""An address that was renamed since the last apply, and whether the org renames it in place."""


@described
class ObsoleteFlowVersions(TypedDict):
    """Versions of a managed flow that the plan deletes."""

    flow: str
    numbers: list[int]
    names: list[str]


# A plan file has the hint under the key "cure". A class would need an attribute of this name, which
# scripts/check_names.py refuses, so the keys are passed as a dictionary.
PlanRefusal = TypedDict("PlanRefusal", {"address": str | None, "reason": str, "cure": str})  # noqa: UP013
"""A reason why the plan is refused, and what to do about it."""


@described
class PlanValidation(TypedDict):
    """A validation of the package that ran Apex tests; its package can be deployed quickly."""

    id: str
    package: str
    test_level: str | None
    tests: list[str]
    apply_id: str
    by: str
    at: str
    revision: str | None


@described
class MappingFlow(TypedDict):
    """The data flow of one mapping."""

    mapping: str
    object: str
    match: str
    sent: list[tuple[str, str]]
    """Salesforce field and Appcues attribute."""
    senders: list[str]
    written: list[tuple[str, str]]
    """Appcues event, and the Salesforce field or object."""
    carrier: str
    selected: tuple[int, int] | None
    """The number of records with a user ID that match `where`, and the number of all records with a user ID."""


@described
class ConfigDigests(TypedDict):
    """Digests of the relay's config."""

    before: str | None
    after: str | None


@described
class ChangedSetting(TypedDict):
    """A setting of the relay that differs."""

    path: str
    before: Any
    after: Any


@described
class RelayConfigChange(TypedDict):
    """The relay's config at the last apply and now."""

    digest: ConfigDigests
    changes: list[ChangedSetting]
    before: Body | None
    after: Body | None


@described
class PlanProvenance(TypedDict):
    """When and from which source the plan was made."""

    made_at: str
    """The time at which the plan was made: UTC, ISO 8601."""
    commit: str
    """The commit of the config, with `-dirty` if the files differ from it; empty outside git."""
    repository: str
    """The web address of the repository; empty if it is not known."""
    lines: dict[str, list[str]]
    """The YAML lines behind each change, by address: `config/mappings/contact.yaml:12`."""


@described
class PlanSignature(TypedDict):
    """The signature of a saved plan, made with SFCODE_PLAN_KEY."""

    key: str
    """The name of the key, which does not reveal the key."""
    hmac: str


@described
class PlanContent(TypedDict):
    """A plan without its digest."""

    format_version: str
    sfcode_version: str
    org: PlannedOrg
    environment: str
    config_digest: str
    api_version: str
    state: str
    """The address of the applied state in the org."""
    records_state: bool
    """Whether an apply updates the state even if no component changes."""
    refresh_only: bool
    destroy: bool
    kept: dict[str, Body]
    """Managed components that are not part of the plan and remain managed, by address."""
    released: list[str]
    resource_changes: list[PlannedChange]
    resource_drift: list[DriftedComponent]
    summary: ActionCounts
    preserved: list[PreservedComponents]
    left_state: str | None
    project: str
    moves: list[PlannedMove]
    obsolete_versions: list[ObsoleteFlowVersions]
    observed: dict[str, str]
    """Digests of the observed components, by address."""
    secrets: dict[str, str]
    """Digests of the secrets, by name."""
    refusals: list[PlanRefusal]
    warnings: list[str]
    validation: PlanValidation | None
    flows: list[MappingFlow]
    previous_flows: list[MappingFlow] | None
    """The data flows at the last apply; null if they are not known."""
    relay: RelayConfigChange | None
    provenance: PlanProvenance | None


@described
class PlanDocument(PlanContent):
    """A plan, as `plan --format json` prints it and `plan --out` saves it."""

    parts: dict[str, str]
    """Digests of the parts, which show what was edited."""
    digest: str
    signature: NotRequired[PlanSignature]
