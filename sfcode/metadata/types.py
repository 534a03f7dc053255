"""
The supported metadata types: files, containers, and the identity of repeated elements.

The elements of a type are in `schema.json`; this table has what the WSDL does not contain.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetadataType:
    """One metadata type: its folder and suffix in a package; for a child, its container and the element there."""

    name: str
    directory: str
    suffix: str
    parent: str = ""
    """The type of the container, such as CustomObject for CustomField."""
    element: str = ""
    """The element of the child in the container: `fields`."""
    folder_of: str = ""
    """The type of the folder's content, under which a package lists the folder; "" if the type is not one of
    folders."""
    has_content: bool = False
    """Whether the component has a content file, with XML in `<file>-meta.xml`."""


def _children(parent: str, directory: str, suffix: str, elements: Mapping[str, str]) -> tuple[MetadataType, ...]:
    return tuple(MetadataType(name, directory, suffix, parent, element) for element, name in elements.items())


_OBJECT_CHILDREN = {
    "businessProcesses": "BusinessProcess",
    "compactLayouts": "CompactLayout",
    "fieldSets": "FieldSet",
    "fields": "CustomField",
    "indexes": "Index",
    "listViews": "ListView",
    "recordTypes": "RecordType",
    "sharingReasons": "SharingReason",
    "validationRules": "ValidationRule",
    "webLinks": "WebLink",
}
_WORKFLOW_CHILDREN = {
    "alerts": "WorkflowAlert",
    "fieldUpdates": "WorkflowFieldUpdate",
    "flowActions": "WorkflowFlowAction",
    "flowAutomation": "WorkflowFlowAutomation",
    "knowledgePublishes": "WorkflowKnowledgePublish",
    "outboundMessages": "WorkflowOutboundMessage",
    "rules": "WorkflowRule",
    "send": "WorkflowSend",
    "tasks": "WorkflowTask",
}

TYPES: Mapping[str, MetadataType] = {
    kind.name: kind
    for kind in (
        MetadataType("CustomMetadata", "customMetadata", "md"),
        MetadataType("CustomObject", "objects", "object"),
        *_children("CustomObject", "objects", "object", _OBJECT_CHILDREN),
        MetadataType("ExternalClientApplication", "externalClientApps", "eca"),
        MetadataType("ExtlClntAppConfigurablePolicies", "extlClntAppPolicies", "ecaPlcy"),
        MetadataType("ExtlClntAppGlobalOauthSettings", "extlClntAppGlobalOauthSets", "ecaGlblOauth"),
        MetadataType("ExtlClntAppOauthConfigurablePolicies", "extlClntAppOauthPolicies", "ecaOauthPlcy"),
        MetadataType("ExtlClntAppOauthSettings", "extlClntAppOauthSettings", "ecaOauth"),
        MetadataType("Flow", "flows", "flow"),
        MetadataType("FlowDefinition", "flowDefinitions", "flowDefinition"),
        MetadataType("PermissionSet", "permissionsets", "permissionset"),
        MetadataType("Profile", "profiles", "profile"),
        MetadataType("Report", "reports", "report"),
        MetadataType("ReportFolder", "reports", "reportFolder", folder_of="Report"),
        MetadataType("ReportType", "reportTypes", "reportType"),
        MetadataType("StaticResource", "staticresources", "resource", has_content=True),
        MetadataType("Workflow", "workflows", "workflow"),
        *_children("Workflow", "workflows", "workflow", _WORKFLOW_CHILDREN),
    )
}

CHILDREN: Mapping[str, Mapping[str, str]] = {"CustomObject": _OBJECT_CHILDREN, "Workflow": _WORKFLOW_CHILDREN}
"""For each container, the types of its child components by element."""

DIRECTORIES: Mapping[str, MetadataType] = {
    kind.directory: kind for kind in TYPES.values() if not (kind.parent or kind.folder_of)
}
"""Types by folder."""

FOLDERS: Mapping[str, MetadataType] = {kind.folder_of: kind for kind in TYPES.values() if kind.folder_of}
"""For each type with folders, the metadata type of these folders."""

_ACCESSES = {
    "applicationVisibilities": "application",
    "classAccesses": "apexClass",
    "customMetadataTypeAccesses": "name",
    "customPermissions": "name",
    "customSettingAccesses": "name",
    "externalDataSourceAccesses": "externalDataSource",
    "fieldPermissions": "field",
    "flowAccesses": "flow",
    "objectPermissions": "object",
    "pageAccesses": "apexPage",
    "recordTypeVisibilities": "recordType",
    "userPermissions": "name",
}
_FLOW_PARTS = (
    "actionCalls apexPluginCalls assignments choices collectionProcessors constants customErrors customProperties "
    "decisions dynamicChoiceSets exitRules experiments formulas loops orchestratedStages recordCreates recordDeletes "
    "recordLookups recordRollbacks recordUpdates screens stages steps subflows textTemplates transforms variables waits"
)
_PARAMETERS = {"inputParameters": "name", "outputParameters": "name"}

_IDENTITIES: Mapping[str, Mapping[str, str]] = {
    "CustomMetadata": {"values": "field"},
    "Flow": dict.fromkeys(_FLOW_PARTS.split(), "name"),
    "FlowActionCall": _PARAMETERS,
    "FlowApexPluginCall": _PARAMETERS,
    "FlowRecordCreate": {"inputAssignments": "field"},
    "FlowRecordUpdate": {"inputAssignments": "field"},
    "FlowStart": {"inputs": "name", "scheduledPaths": "name"},
    "FlowSubflow": {"inputAssignments": "name", "outputAssignments": "name"},
    "Package": {"objectPermissions": "object", "types": "name"},
    "PermissionSet": {
        **_ACCESSES,
        "emailRoutingAddressAccesses": "name",
        "externalCredentialPrincipalAccesses": "externalCredentialPrincipal",
        "tabSettings": "tab",
    },
    "Profile": {**_ACCESSES, "categoryGroupVisibilities": "dataCategoryGroup", "tabVisibilities": "tab"},
    "Report": {"params": "name"},
    "WorkflowFlowAction": {"flowInputs": "name"},
    "WorkflowRule": {"actions": "name"},
    "WorkflowTimeTrigger": {"actions": "name"},
}

_UNORDERED: Mapping[str, frozenset[str]] = {
    "Flow": frozenset({"environments"}),
    "FlowRecordLookup": frozenset({"queriedFields"}),
    "ProfileCategoryGroupVisibility": frozenset({"dataCategories"}),
    "WorkflowAlert": frozenset({"ccEmails"}),
    "WorkflowOutboundMessage": frozenset({"fields"}),
}


def identity_key(owner: str, element: str) -> str | None:
    """Return the child element that identifies a repeated `element` of type `owner`; None if order matters."""
    if element == "processMetadataValues":
        return "name"
    return _IDENTITIES.get(owner, {}).get(element)


def is_unordered(owner: str, element: str) -> bool:
    """Return whether repeated simple elements form a set, whose order has no meaning."""
    return owner == "SharedTo" or element in _UNORDERED.get(owner, ())


def local_name(type_: str, full_name: str) -> str:
    """Return the name of a component within its container's file: `Title__c` for `Contact.Title__c`."""
    kind = TYPES.get(type_)
    return full_name.partition(".")[2] if kind and kind.parent else full_name


def member_type(type_: str) -> str:
    """Return the type under which a package lists a component: Report for a folder of reports."""
    kind = TYPES.get(type_)
    return (kind.folder_of if kind else "") or type_


def container(type_: str, full_name: str) -> str:
    """Return the full name of the component whose file contains a given one: `Contact` for `Contact.Title__c`, else its own."""
    kind = TYPES.get(type_)
    return full_name.partition(".")[0] if kind and kind.parent else full_name
