"""
Elements that an org adds or omits by itself, each with its reason; they are no difference.

Elements of type `*` stand for every type that has the element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sfcode.metadata.component import Value


@dataclass(frozen=True, slots=True)
class Rule:
    """Elements of a type that mean nothing: always, or when they have the value that absence means."""

    owner: str
    elements: tuple[str, ...]
    reason: str
    default: Value = None
    """The value that absence means; None: no value of it means anything."""


RULES: tuple[Rule, ...] = (
    Rule(
        "CustomField",
        ("formulaTreatBlanksAs",),
        "a retrieved formula says BlankAsZero or nothing: its absence is BlankAsBlank",
        "BlankAsBlank",
    ),
    Rule(
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
    Rule("CustomField", ("encryptionScheme",), "written out in orgs with encryption only", "None"),
    Rule(
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
    Rule("CustomObject", ("compactLayoutAssignment",), "the layout of an object that has none of its own", "SYSTEM"),
    Rule("CustomObject", ("visibility",), "written out from some API version on", "Public"),
    Rule("CustomObject", ("externalSharingModel",), "what people outside see, which is an administrator's choice"),
    Rule(
        "CustomObject",
        ("actionOverrides", "searchLayouts"),
        "how pages and searches show an object; an org writes out the usual ones too",
    ),
    Rule(
        "WorkflowOutboundMessage",
        ("includeSessionId",),
        "session ids are gone from outbound messages; an org ignores it and says false "
        "(https://help.salesforce.com/s/articleView?id=005232763&type=1)",
    ),
    Rule(
        "WorkflowOutboundMessage",
        ("protected", "useDeadLetterQueue"),
        "always written out, false mostly",
        default=False,
    ),
    Rule("WorkflowRule", ("failedMigrationToolVersion",), "a note of the org's own Migrate to Flow tool"),
    Rule("WorkflowAlert", ("protected",), "always written out, and false outside of managed packages", default=False),
    Rule(
        "WorkflowFieldUpdate",
        ("notifyAssignee", "protected", "reevaluateOnChange"),
        "always written out, false mostly",
        default=False,
    ),
    Rule("WorkflowTask", ("notifyAssignee", "protected"), "always written out, false mostly", default=False),
    Rule("*", ("locationX", "locationY"), "where Flow Builder draws an element; saving a flow there moves it"),
    Rule(
        "FlowActionCall",
        ("versionSegment",),
        "a counter of the org's, meaningless since API 62 and gone from API 67",
    ),
    Rule("FlowActionCall", ("storeOutputAutomatically",), "off unless a flow says so", default=False),
    Rule("FlowConnector", ("isGoTo",), "how Flow Builder draws the connection", default=False),
    Rule("FlowRecordLookup", ("assignNullValuesIfNoRecordsFound",), "off unless a flow says so", default=False),
    Rule("FlowStart", ("doesRequireRecordChangedToMeetCriteria",), "off unless a flow says so", default=False),
    Rule("FlowTextTemplate", ("isViewedAsPlainText",), "off unless a flow says so", default=False),
    Rule("FlowVariable", ("isCollection", "isInput", "isOutput"), "off unless a flow says so", default=False),
    Rule("Flow", ("environments",), "Flow Builder's word for everywhere; other writers leave it out", ["Default"]),
    Rule("Flow", ("runInMode",), "the mode of a flow that names none", "DefaultMode"),
    Rule(
        "Flow",
        ("areMetricsLoggedToDataCloud", "isAdditionalPermissionRequiredToRun", "isOverridable", "isTemplate"),
        "switches that are off are written out from some API version on",
        default=False,
    ),
    Rule(
        "ExternalClientApplication",
        ("managedType", "orgScopedExternalApp"),
        "where an app comes from, which the org knows by itself",
    ),
    Rule("ExternalClientApplication", ("isProtected",), "off unless an app says so", default=False),
    Rule(
        "ExtlClntAppGlobalOauthSettings",
        ("consumerKey", "consumerSecret"),
        "made by the org, and never kept anywhere else",
    ),
    Rule(
        "ExtlClntAppGlobalOauthSettings",
        (
            "isClientCredentialsFlowEnabled",
            "isCodeCredFlowEnabled",
            "isCodeCredPostOnly",
            "isConsumerSecretOptional",
            "isDeviceFlowEnabled",
            "isIntrospectAllTokens",
            "isNamedUserJwtEnabled",
            "isRefreshTokenRotationEnabled",
            "isSecretRequiredForTokenExchange",
            "isTokenExchangeEnabled",
            "shouldRotateConsumerKey",
            "shouldRotateConsumerSecret",
        ),
        "switches that are off are written out or not, by API version",
        default=False,
    ),
    Rule(
        "ExtlClntAppOauthSettings",
        ("areAttributesIncludedInAssetToken", "areCustomPermsIncludedInAssetToken", "isFirstPartyAppEnabled"),
        "switches that are off are written out or not, by API version",
        default=False,
    ),
    Rule("ExtlClntAppOauthSettings", ("oauthLink",), "a link to the app's key in Setup"),
    Rule(
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
    Rule(
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
    Rule(
        "ExtlClntAppConfigurablePolicies",
        ("isMobilePluginEnabled", "isNotificationPluginEnabled", "isPushPluginEnabled", "isSamlPluginEnabled"),
        "switches that are off are written out or not, by API version",
        default=False,
    ),
    Rule("ExtlClntAppConfigurablePolicies", ("startPage",), "the page of an app that has none", "None"),
    Rule("PermissionSet", ("hasActivationRequired",), "always written out, false mostly", default=False),
    Rule("PermissionSetObjectPermissions", ("viewAllFields",), "written out from API 63 on", default=False),
)

BUILDER_NOTES = frozenset({"BuilderType", "CanvasMode", "OriginBuilderType"})
"""Entries of a flow's processMetadataValues which say how Flow Builder shows it."""

SIGNIFICANT_TEXT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "FlowElementReferenceOrValue": frozenset({"stringValue"}),
        "FlowTextTemplate": frozenset({"text"}),
        "StaticResource": frozenset({"content"}),
    }
)
"""Texts that are data, by type: blanks around them count, and the empty text differs from none."""

_BY_ELEMENT: Mapping[tuple[str, str], Rule] = MappingProxyType(
    {(rule.owner, element): rule for rule in RULES for element in rule.elements}
)


def rule_for(owner: str, element: str) -> Rule | None:
    """Find the rule for an element of a type, if there is one."""
    return _BY_ELEMENT.get((owner, element)) or _BY_ELEMENT.get(("*", element))
