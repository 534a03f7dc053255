"""
Elements that an org adds or omits by itself, each with its reason; they are not compared.

The type `*` means every type that has the element.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Value


@dataclass(frozen=True, slots=True)
class DefaultRule:
    """An element of a type that is not compared: with any value, or only with its default value."""

    owner: str
    elements: tuple[str, ...]
    reason: str
    default: Value = None
    """The value that an absent element stands for; None if the element is ignored with any value."""


RULES: tuple[DefaultRule, ...] = (
    DefaultRule(
        "CustomField",
        ("formulaTreatBlanksAs",),
        "an org returns only BlankAsZero, so that the absent element means BlankAsBlank",
        "BlankAsBlank",
    ),
    DefaultRule(
        "CustomField",
        (
            "caseSensitive",
            "externalId",
            "isFilteringDisabled",
            "isNameField",
            "isSortingDisabled",
            "reparentableMasterDetail",
            "required",
            "stripMarkup",
            "trackFeedHistory",
            "trackHistory",
            "trackTrending",
            "unique",
            "writeRequiresMasterRead",
        ),
        "whether an org returns a flag that is off depends on the type of the field and the API version",
        default=False,
    ),
    DefaultRule("CustomField", ("encryptionScheme",), "returned only by orgs with encryption", "None"),
    DefaultRule(
        "CustomObject",
        (
            "allowInChatterGroups",
            "deprecated",
            "enableActivities",
            "enableDivisions",
            "enableEnhancedLookup",
            "enableFeeds",
            "enableHistory",
            "enableLicensing",
        ),
        "whether an org returns a flag that is off depends on its edition",
        default=False,
    ),
    DefaultRule(
        "CustomObject", ("compactLayoutAssignment",), "the layout of an object without its own layouts", "SYSTEM"
    ),
    DefaultRule("CustomObject", ("visibility",), "later API versions return it", "Public"),
    DefaultRule(
        "CustomObject", ("externalSharingModel",), "the access of external users, which is an administrator's choice"
    ),
    DefaultRule(
        "CustomObject",
        ("actionOverrides", "searchLayouts"),
        "the pages and search results of an object; an org returns the standard ones too",
    ),
    DefaultRule(
        "WorkflowOutboundMessage",
        ("includeSessionId",),
        "outbound messages contain no session IDs any more; an org ignores the element and returns false "
        "(https://help.salesforce.com/s/articleView?id=005232763&type=1)",
    ),
    DefaultRule(
        "WorkflowOutboundMessage",
        ("protected", "useDeadLetterQueue"),
        "always returned, mostly as false",
        default=False,
    ),
    DefaultRule("WorkflowRule", ("failedMigrationToolVersion",), "written by the org's Migrate to Flow tool"),
    DefaultRule(
        "WorkflowAlert", ("protected",), "always returned, as false outside of managed packages", default=False
    ),
    DefaultRule(
        "WorkflowFieldUpdate",
        ("notifyAssignee", "protected", "reevaluateOnChange"),
        "always returned, mostly as false",
        default=False,
    ),
    DefaultRule("WorkflowTask", ("notifyAssignee", "protected"), "always returned, mostly as false", default=False),
    DefaultRule(
        "*",
        ("locationX", "locationY"),
        "the position of an element in Flow Builder, which changes when a flow is saved there",
    ),
    DefaultRule(
        "FlowActionCall",
        ("versionSegment",),
        "a counter of the org, without effect since API 62 and removed in API 67",
    ),
    DefaultRule("FlowActionCall", ("storeOutputAutomatically",), "off by default in a flow", default=False),
    DefaultRule("FlowConnector", ("isGoTo",), "the drawing of the connection in Flow Builder", default=False),
    DefaultRule("FlowRecordLookup", ("assignNullValuesIfNoRecordsFound",), "off by default in a flow", default=False),
    DefaultRule("FlowStart", ("doesRequireRecordChangedToMeetCriteria",), "off by default in a flow", default=False),
    DefaultRule("FlowTextTemplate", ("isViewedAsPlainText",), "off by default in a flow", default=False),
    DefaultRule("FlowVariable", ("isCollection", "isInput", "isOutput"), "off by default in a flow", default=False),
    DefaultRule(
        "Flow", ("environments",), "Flow Builder writes it for all environments; other tools omit it", ["Default"]
    ),
    DefaultRule("Flow", ("runInMode",), "the default mode of a flow", "DefaultMode"),
    DefaultRule(
        "Flow",
        ("areMetricsLoggedToDataCloud", "isAdditionalPermissionRequiredToRun", "isOverridable", "isTemplate"),
        "later API versions return flags that are off",
        default=False,
    ),
    DefaultRule(
        "ExternalClientApplication",
        ("managedType", "orgScopedExternalApp"),
        "the origin of an app, which the org determines",
    ),
    DefaultRule("ExternalClientApplication", ("isProtected",), "off by default in an app", default=False),
    DefaultRule(
        "ExtlClntAppGlobalOauthSettings",
        ("consumerKey", "consumerSecret"),
        "generated by the org, and stored nowhere else",
    ),
    DefaultRule(
        "ExtlClntAppGlobalOauthSettings",
        (
            "isClientCredentialsFlowEnabled",
            "isCodeCredFlowEnabled",
            "isCodeCredPostOnly",
            "isConsumerSecretOptional",
            "isDeviceFlowEnabled",
            "isIntrospectAllTokens",
            "isNamedUserJwtEnabled",
            "isTokenExchangeEnabled",
            "shouldRotateConsumerKey",
            "shouldRotateConsumerSecret",
        ),
        "whether an org returns a flag that is off depends on the API version",
        default=False,
    ),
    DefaultRule(
        "ExtlClntAppGlobalOauthSettings",
        ("isRefreshTokenRotationEnabled", "isSecretRequiredForTokenExchange"),
        "on in new apps of some orgs, and without effect on both sign-in flows",
    ),
    DefaultRule(
        "ExtlClntAppOauthSettings",
        ("areAttributesIncludedInAssetToken", "areCustomPermsIncludedInAssetToken", "isFirstPartyAppEnabled"),
        "whether an org returns a flag that is off depends on the API version",
        default=False,
    ),
    DefaultRule("ExtlClntAppOauthSettings", ("oauthLink",), "a link to the app's key in Setup"),
    DefaultRule(
        "ExtlClntAppOauthConfigurablePolicies",
        (
            "isClientCredentialsFlowEnabled",
            "isGuestCodeCredFlowEnabled",
            "isNamedUserJwtEnabled",
            "isTokenExchangeFlowEnabled",
        ),
        "whether an org returns a flag that is off depends on the API version",
        default=False,
    ),
    DefaultRule(
        "ExtlClntAppOauthConfigurablePolicies",
        (
            "guestJwtTimeout",
            "namedUserJwtTimeout",
            "policyAction",
            "refreshTokenPolicyType",
            "refreshTokenValidityPeriod",
            "refreshTokenValidityUnit",
            "requiredSessionLevel",
            "sessionTimeoutInMinutes",
        ),
        "the length of sessions, which is an administrator's choice",
    ),
    DefaultRule(
        "ExtlClntAppConfigurablePolicies",
        ("isMobilePluginEnabled", "isNotificationPluginEnabled", "isPushPluginEnabled", "isSamlPluginEnabled"),
        "whether an org returns a flag that is off depends on the API version",
        default=False,
    ),
    DefaultRule(
        "ExtlClntAppConfigurablePolicies", ("startPage",), "the default of an app without a start page", "None"
    ),
    DefaultRule("PermissionSet", ("hasActivationRequired",), "always returned, mostly as false", default=False),
    DefaultRule("PermissionSetObjectPermissions", ("viewAllFields",), "returned since API 63", default=False),
)

BUILDER_NOTES = frozenset({"BuilderType", "CanvasMode", "OriginBuilderType"})
"""Entries of a flow's processMetadataValues that only concern its display in Flow Builder."""

SIGNIFICANT_TEXT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "FlowElementReferenceOrValue": frozenset({"stringValue"}),
        "FlowTextTemplate": frozenset({"text"}),
        "StaticResource": frozenset({"content"}),
    }
)
"""Elements with texts that are data, by type: surrounding blanks are significant, and an empty text differs from none."""

NAMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "CustomField": frozenset({"referenceTo", "relationshipName"}),
        "ExternalClientApplication": frozenset({"contactEmail"}),
        "ExtlClntAppConfigurablePolicies": frozenset({"externalClientApplication"}),
        "ExtlClntAppGlobalOauthSettings": frozenset({"externalClientApplication"}),
        "ExtlClntAppOauthConfigurablePolicies": frozenset(
            {"clientCredentialsFlowUser", "commaSeparatedPermissionSet", "externalClientApplication"}
        ),
        "ExtlClntAppOauthSettings": frozenset({"externalClientApplication"}),
        "FlowActionCall": frozenset({"actionName", "nameSegment"}),
        "FlowStart": frozenset({"object"}),
        "PermissionSetAssignment": frozenset({"Assignee", "PermissionSet"}),
        "PermissionSetLicenseAssign": frozenset({"Assignee", "PermissionSetLicense"}),
        "User": frozenset({"Email", "Username"}),
        "WorkflowOutboundMessage": frozenset({"integrationUser"}),
    }
)
"""Elements with names of components, objects or users, by type, whose case Salesforce ignores."""

_BY_ELEMENT: Mapping[tuple[str, str], DefaultRule] = MappingProxyType(
    {(rule.owner, element): rule for rule in RULES for element in rule.elements}
)


def rule_for(owner: str, element: str) -> DefaultRule | None:
    """Find the rule for an element of a type, if there is one."""
    return _BY_ELEMENT.get((owner, element)) or _BY_ELEMENT.get(("*", element))
