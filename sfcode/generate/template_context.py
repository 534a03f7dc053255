"""
The variables of templates: one plain value per metadata type.

A project's own templates may use these names, so they change as carefully as the
mapping language does.
"""

from __future__ import annotations

from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.desired import Origin
from sfcode.mapping.permissions import FieldPermission, ObjectPermission
from sfcode.mapping.place import Place
from sfcode.metadata.component import Address


@dataclass(frozen=True, slots=True)
class RollUp:
    """The records that a roll-up counts: `field.counted` in CustomField.xml.j2."""

    foreign_key: str
    """The lookup field that refers to the counting record, qualified by its object."""
    field: str
    """The field of the filter, qualified by its object."""
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class CustomFieldView:
    """`field` in CustomField.xml.j2."""

    kind: str
    """
    `user_id`, `nps_score`, `nps_feedback` or `event_id`; for objects that sfcode creates also `text`, `long_text`, `time`,
    `lookup`, `master_detail`, `text_formula` and `number_formula`; for accounts `roll_up`.
    """
    object: str
    name: str
    label: str
    description: str
    formula: str = ""
    length: int = 0
    """The maximum length of a text in characters."""
    reference_to: str = ""
    """The object that a lookup refers to."""
    relationship: str = ""
    """The name of a lookup's child relationship."""
    counted: RollUp | None = None
    """The records that a roll-up counts."""


@dataclass(frozen=True, slots=True)
class CustomObjectView:
    """`object` in CustomObject.xml.j2."""

    name: str
    label: str
    plural: str
    name_label: str
    description: str
    sharing: str = "Read"
    """The org-wide default: Read, Private or ControlledByParent."""
    name_format: str = ""
    """The format of auto-numbers as record names; "" if the names are texts."""


@dataclass(frozen=True, slots=True)
class OutboundMessageView:
    """`message` in WorkflowOutboundMessage.xml.j2."""

    object: str
    name: str
    label: str
    description: str
    api_version: str
    endpoint_url: str
    fields: tuple[str, ...]
    integration_user: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """`flow` in Flow.xml.j2."""

    object: str
    name: str
    label: str
    description: str
    api_version: str
    condition: str
    record_trigger_type: str
    message: str
    """Full name of the outbound message."""


@dataclass(frozen=True, slots=True)
class WorkflowRuleView:
    """`rule` in WorkflowRule.xml.j2."""

    object: str
    name: str
    description: str
    condition: str
    trigger_type: str
    message: str
    """Name of the outbound message within the object."""


@dataclass(frozen=True, slots=True)
class PermissionSetView:
    """`permission_set` in PermissionSet.xml.j2."""

    name: str
    label: str
    description: str
    objects: tuple[ObjectPermission, ...]
    fields: tuple[FieldPermission, ...]
    user_permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportFolderShare:
    """An entry of a folder's shares, with the names of the metadata."""

    shared_to: str
    type: str


@dataclass(frozen=True, slots=True)
class ReportFolderView:
    """`folder` in ReportFolder.xml.j2."""

    name: str
    shares: tuple[ReportFolderShare, ...]


@dataclass(frozen=True, slots=True)
class ReportGrouping:
    """A level of groups of a report."""

    field: str
    granularity: str = "Day"
    """The granularity of a date: Day or Month. Other fields have Day."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """A condition on the rows of a report, or of its cross filter."""

    column: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class ReportFormula:
    """A summary formula of a report."""

    label: str
    formula: str


@dataclass(frozen=True, slots=True)
class ReportCrossFilter:
    """The related records that rows must not have."""

    column: str
    table: str
    join_column: str
    filters: tuple[ReportFilter, ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """`report` in Report.xml.j2."""

    name: str
    description: str
    report_type: str
    columns: tuple[str, ...]
    date_column: str = ""
    """The date column of the report's time filter; "" if its type has none."""
    groupings: tuple[ReportGrouping, ...] = ()
    filters: tuple[ReportFilter, ...] = ()
    formulas: tuple[ReportFormula, ...] = ()
    without: ReportCrossFilter | None = None
    chart: bool = False
    """Whether the report has a line chart of the first formula by the first grouping."""
    of_activities: bool = False
    any_filter: bool = False
    """Whether a row must match at least one of the filters; otherwise it must match all."""


@dataclass(frozen=True, slots=True)
class SignInView:
    """`app` in the five templates of an External Client App."""

    name: str
    label: str
    description: str
    contact_email: str
    flow: str
    """The sign-in flow: `jwt` or `client_credentials`."""
    certificate: str
    """The certificate in base64, without header and footer; "" if there is none."""
    callback_url: str
    scopes: str
    permission_set: str
    username: str


View = (
    CustomFieldView
    | CustomObjectView
    | OutboundMessageView
    | FlowView
    | WorkflowRuleView
    | PermissionSetView
    | ReportFolderView
    | ReportView
    | SignInView
)

VARIABLES = {
    "CustomField": "field",
    "CustomObject": "object",
    "ExternalClientApplication": "app",
    "ExtlClntAppConfigurablePolicies": "app",
    "ExtlClntAppGlobalOauthSettings": "app",
    "ExtlClntAppOauthConfigurablePolicies": "app",
    "ExtlClntAppOauthSettings": "app",
    "Flow": "flow",
    "PermissionSet": "permission_set",
    "Report": "report",
    "ReportFolder": "folder",
    "WorkflowOutboundMessage": "message",
    "WorkflowRule": "rule",
}
"""The name of the variable in the template, by metadata type."""


@dataclass(frozen=True)
class Blueprint:
    """A component before it is rendered: its address, its template variables, and their origin."""

    address: Address
    view: View
    place: Place
    """The origin of the component as a whole."""
    origins: tuple[Origin, ...]


def origin(address: Address, token: str, place: Place) -> Origin:
    """Return the origin of a name inside a component."""
    return Origin(address, token, place.position, place.path)
