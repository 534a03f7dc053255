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
    """The default, which an absent element means; None if no value has a meaning."""


RULES: tuple[DefaultRule, ...] = (
    DefaultRule(
        "CustomField",
        ("formulaTreatBlanksAs",),
        "a retrieved formula says BlankAsZero or nothing: its absence is BlankAsBlank",
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
        "which of the switches that are off an org writes out depends on the field's type and the API version",
        default=False,
    ),
    DefaultRule("CustomField", ("encryptionScheme",), "written out in orgs with encryption only", "None"),
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
        "switches that are off are written out or not, by edition",
        default=False,
    ),
    DefaultRule(
        "CustomObject", ("compactLayoutAssignment",), "the layout of an object that has none of its own", "SYSTEM"
    ),
    DefaultRule("CustomObject", ("visibility",), "written out from some API version on", "Public"),
    DefaultRule(
        "CustomObject", ("externalSharingModel",), "what people outside see, which is an administrator's choice"
    ),
    DefaultRule(
        "CustomObject",
        ("actionOverrides", "searchLayouts"),
        "how pages and searches show an object; an org writes out the usual ones too",
    ),
    DefaultRule(
        "WorkflowOutboundMessage",
        ("includeSessionId",),
        "session ids are gone from outbound messages; an org ignores it and says false "
        "(https://help.salesforce.com/s/articleView?id=005232763&type=1)",
    ),
    DefaultRule(
        "WorkflowOutboundMessage",
        ("protected", "useDeadLetterQueue"),
        "always written out, false mostly",
        default=False,
    ),
    DefaultRule("WorkflowRule", ("failedMigrationToolVersion",), "a note of the org's own Migrate to Flow tool"),
    DefaultRule(
        "WorkflowAlert", ("protected",), "always written out, and false outside of managed packages", default=False
    ),
    DefaultRule(
        "WorkflowFieldUpdate",
        ("notifyAssignee", "protected", "reevaluateOnChange"),
        "always written out, false mostly",
        default=False,
    ),
    DefaultRule("WorkflowTask", ("notifyAssignee", "protected"), "always written out, false mostly", default=False),
    DefaultRule("*", ("locationX", "locationY"), "where Flow Builder draws an element; saving a flow there moves it"),
    DefaultRule(
        "FlowActionCall",
        ("versionSegment",),
        "a counter of the org's, meaningless since API 62 and gone from API 67",
    ),
    DefaultRule("FlowActionCall", ("storeOutputAutomatically",), "off by default in a flow", default=False),
    DefaultRule("FlowConnector", ("isGoTo",), "how Flow Builder draws the connection", default=False),
    DefaultRule("FlowRecordLookup", ("assignNullValuesIfNoRecordsFound",), "off by default in a flow", default=False),
    DefaultRule("FlowStart", ("doesRequireRecordChangedToMeetCriteria",), "off by default in a flow", default=False),
    DefaultRule("FlowTextTemplate", ("isViewedAsPlainText",), "off by default in a flow", default=False),
    DefaultRule("FlowVariable", ("isCollection", "isInput", "isOutput"), "off by default in a flow", default=False),
    DefaultRule(
        "Flow", ("environments",), "Flow Builder's word for everywhere; other writers leave it out", ["Default"]
    ),
    DefaultRule("Flow", ("runInMode",), "the mode of a flow that names none", "DefaultMode"),
    DefaultRule(
        "Flow",
        ("areMetricsLoggedToDataCloud", "isAdditionalPermissionRequiredToRun", "isOverridable", "isTemplate"),
        "switches that are off are written out from some API version on",
        default=False,
    ),
    DefaultRule(
        "ExternalClientApplication",
        ("managedType", "orgScopedExternalApp"),
        "where an app comes from, which the org knows by itself",
    ),
    DefaultRule("ExternalClientApplication", ("isProtected",), "off by default in an app", default=False),
    DefaultRule(
        "ExtlClntAppGlobalOauthSettings",
        ("consumerKey", "consumerSecret"),
        "made by the org, and never kept anywhere else",
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
        "switches that are off are written out or not, by API version",
        default=False,
    ),
    DefaultRule(
        "ExtlClntAppGlobalOauthSettings",
        ("isRefreshTokenRotationEnabled", "isSecretRequiredForTokenExchange"),
        "turned on by some orgs in a new app, and of no use to either way of signing in",
    ),
    DefaultRule(
        "ExtlClntAppOauthSettings",
        ("areAttributesIncludedInAssetToken", "areCustomPermsIncludedInAssetToken", "isFirstPartyAppEnabled"),
        "switches that are off are written out or not, by API version",
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
        "switches that are off are written out or not, by API version",
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
        "how long sessions last, which is an administrator's choice",
    ),
    DefaultRule(
        "ExtlClntAppConfigurablePolicies",
        ("isMobilePluginEnabled", "isNotificationPluginEnabled", "isPushPluginEnabled", "isSamlPluginEnabled"),
        "switches that are off are written out or not, by API version",
        default=False,
    ),
    DefaultRule("ExtlClntAppConfigurablePolicies", ("startPage",), "the page of an app that has none", "None"),
    DefaultRule("PermissionSet", ("hasActivationRequired",), "always written out, false mostly", default=False),
    DefaultRule("PermissionSetObjectPermissions", ("viewAllFields",), "written out from API 63 on", default=False),
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
