"""
The variables of templates: one plain value per metadata type.

These are the words that a project's own templates may use, so they change as carefully as the
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
    """The field that leads to the counting record, with its object."""
    field: str
    """The field that is compared, with its object."""
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class CustomFieldView:
    """`field` in CustomField.xml.j2."""

    kind: str
    """
    user_id, nps_score, nps_feedback, event_id; of objects that sfcode makes also text, long_text, time, lookup,
    master_detail, text_formula and number_formula; of accounts roll_up.
    """
    object: str
    name: str
    label: str
    description: str
    formula: str = ""
    length: int = 0
    """Characters that a text holds."""
    reference_to: str = ""
    """The object that a lookup leads to."""
    relationship: str = ""
    """What a lookup's records are called there, as a name."""
    counted: RollUp | None = None
    """What a roll-up counts."""


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
    """The format of automatic numbers that are the records' names; "" for names that are texts."""


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
    """People whom a folder is shared with, in the metadata's words."""

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
    """Of a date: Day or Month. Other fields are written with Day too."""


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
    """The date that people narrow the report by; "" for a type that has none."""
    groupings: tuple[ReportGrouping, ...] = ()
    filters: tuple[ReportFilter, ...] = ()
    formulas: tuple[ReportFormula, ...] = ()
    without: ReportCrossFilter | None = None
    chart: bool = False
    """Whether a line shows the first formula by the first grouping."""
    of_activities: bool = False
    any_filter: bool = False
    """Whether a row has to fit one of the filters, not all."""


@dataclass(frozen=True, slots=True)
class SignInView:
    """`app` in the five templates of an External Client App."""

    name: str
    label: str
    description: str
    contact_email: str
    flow: str
    """jwt or client_credentials."""
    certificate: str
    """Base64, without the lines around it; "" without one."""
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
"""By metadata type, the name under which its template finds its value."""


@dataclass(frozen=True)
class Blueprint:
    """A component before it is rendered: its address, its template variables, and their origin."""

    address: Address
    view: View
    place: Place
    """What asked for it, for problems that concern it as a whole."""
    origins: tuple[Origin, ...]


def origin(address: Address, token: str, place: Place) -> Origin:
    """Return the origin of a name inside a component."""
    return Origin(address, token, place.position, place.path)
