"""
The templates of `templates/metadata/` as functions, each of which writes the XML of one value of `template_context`.

Made by `scripts/translate_templates.py`: change the template, then run `make docs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sfcode.metadata.xml import escape


def render_custom_field(field: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomField xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n"
    if field.kind == 'event_id':
        yield f"    <caseSensitive>true</caseSensitive>\n"
    elif field.kind == 'lookup':
        yield f"    <deleteConstraint>SetNull</deleteConstraint>\n"
    yield f"    <description>{escape(field.description)}</description>\n"
    if field.kind in ('user_id', 'text_formula', 'number_formula', ):
        yield f"    <externalId>false</externalId>\n    <formula>{escape(field.formula)}</formula>\n    <formulaTreatBlanksAs>BlankAsBlank</formulaTreatBlanksAs>\n    <label>{escape(field.label)}</label>\n"
        if field.kind == 'number_formula':
            yield f"    <precision>18</precision>\n    <required>false</required>\n    <scale>0</scale>\n    <type>Number</type>\n"
        else:
            yield f"    <required>false</required>\n    <type>Text</type>\n"
        yield f"    <unique>false</unique>\n"
    elif field.kind == 'nps_score':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <precision>2</precision>\n    <required>false</required>\n    <scale>0</scale>\n    <type>Number</type>\n    <unique>false</unique>\n"
    elif field.kind == 'nps_feedback':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <length>{escape(field.length)}</length>\n    <type>LongTextArea</type>\n    <visibleLines>5</visibleLines>\n"
    elif field.kind == 'event_id':
        yield f"    <externalId>true</externalId>\n    <label>{escape(field.label)}</label>\n    <length>{escape(field.length)}</length>\n    <required>false</required>\n    <type>Text</type>\n    <unique>true</unique>\n"
    elif field.kind == 'text':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <length>{escape(field.length)}</length>\n    <required>false</required>\n    <type>Text</type>\n    <unique>false</unique>\n"
    elif field.kind == 'long_text':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <length>{escape(field.length)}</length>\n    <type>LongTextArea</type>\n    <visibleLines>5</visibleLines>\n"
    elif field.kind == 'time':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <required>false</required>\n    <type>DateTime</type>\n"
    elif field.kind == 'lookup':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <referenceTo>{escape(field.reference_to)}</referenceTo>\n    <relationshipName>{escape(field.relationship)}</relationshipName>\n    <required>false</required>\n    <type>Lookup</type>\n"
    elif field.kind == 'master_detail':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <referenceTo>{escape(field.reference_to)}</referenceTo>\n    <relationshipName>{escape(field.relationship)}</relationshipName>\n    <relationshipOrder>0</relationshipOrder>\n    <reparentableMasterDetail>true</reparentableMasterDetail>\n    <type>MasterDetail</type>\n    <writeRequiresMasterRead>true</writeRequiresMasterRead>\n"
    elif field.kind == 'roll_up':
        yield f"    <externalId>false</externalId>\n    <label>{escape(field.label)}</label>\n    <summaryFilterItems>\n        <field>{escape(field.counted.field)}</field>\n        <operation>greaterOrEqual</operation>\n        <value>{escape(field.counted.lowest)}</value>\n    </summaryFilterItems>\n    <summaryFilterItems>\n        <field>{escape(field.counted.field)}</field>\n        <operation>lessOrEqual</operation>\n        <value>{escape(field.counted.highest)}</value>\n    </summaryFilterItems>\n    <summaryForeignKey>{escape(field.counted.foreign_key)}</summaryForeignKey>\n    <summaryOperation>count</summaryOperation>\n    <type>Summary</type>\n"
    yield f"</CustomField>\n"


def render_custom_object(object: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomObject xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <deploymentStatus>Deployed</deploymentStatus>\n    <description>{escape(object.description)}</description>\n    <enableBulkApi>true</enableBulkApi>\n    <enableReports>true</enableReports>\n    <enableSearch>true</enableSearch>\n    <enableSharing>true</enableSharing>\n    <enableStreamingApi>true</enableStreamingApi>\n    <label>{escape(object.label)}</label>\n    <nameField>\n"
    if object.name_format:
        yield f"        <displayFormat>{escape(object.name_format)}</displayFormat>\n"
    yield f"        <label>{escape(object.name_label)}</label>\n        <type>{escape('AutoNumber' if object.name_format else 'Text')}</type>\n    </nameField>\n    <pluralLabel>{escape(object.plural)}</pluralLabel>\n    <sharingModel>{escape(object.sharing)}</sharingModel>\n</CustomObject>\n"


def render_external_client_application(app: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExternalClientApplication xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <contactEmail>{escape(app.contact_email)}</contactEmail>\n    <description>{escape(app.description)}</description>\n    <distributionState>Local</distributionState>\n    <isProtected>false</isProtected>\n    <label>{escape(app.label)}</label>\n</ExternalClientApplication>\n"


def render_extl_clnt_app_configurable_policies(app: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExtlClntAppConfigurablePolicies xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <externalClientApplication>{escape(app.name)}</externalClientApplication>\n    <isEnabled>true</isEnabled>\n    <isOauthPluginEnabled>true</isOauthPluginEnabled>\n    <label>{escape(app.label)}</label>\n</ExtlClntAppConfigurablePolicies>\n"


def render_extl_clnt_app_global_oauth_settings(app: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExtlClntAppGlobalOauthSettings xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <callbackUrl>{escape(app.callback_url)}</callbackUrl>\n"
    if app.certificate:
        yield f"    <certificate>{escape(app.certificate)}</certificate>\n"
    yield f"    <externalClientApplication>{escape(app.name)}</externalClientApplication>\n"
    if app.flow == 'client_credentials':
        yield f"    <isClientCredentialsFlowEnabled>true</isClientCredentialsFlowEnabled>\n"
    yield f"    <isConsumerSecretOptional>false</isConsumerSecretOptional>\n    <isPkceRequired>true</isPkceRequired>\n    <isSecretRequiredForRefreshToken>true</isSecretRequiredForRefreshToken>\n    <label>{escape(app.label)}</label>\n    <shouldRotateConsumerKey>false</shouldRotateConsumerKey>\n    <shouldRotateConsumerSecret>false</shouldRotateConsumerSecret>\n</ExtlClntAppGlobalOauthSettings>\n"


def render_extl_clnt_app_oauth_configurable_policies(app: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExtlClntAppOauthConfigurablePolicies xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n"
    if app.flow == 'client_credentials':
        yield f"    <clientCredentialsFlowUser>{escape(app.username)}</clientCredentialsFlowUser>\n"
    yield f"    <commaSeparatedPermissionSet>{escape(app.permission_set)}</commaSeparatedPermissionSet>\n    <externalClientApplication>{escape(app.name)}</externalClientApplication>\n    <ipRelaxationPolicyType>Enforce</ipRelaxationPolicyType>\n"
    if app.flow == 'client_credentials':
        yield f"    <isClientCredentialsFlowEnabled>true</isClientCredentialsFlowEnabled>\n"
    yield f"    <label>{escape(app.label)}</label>\n    <permittedUsersPolicyType>AdminApprovedPreAuthorized</permittedUsersPolicyType>\n</ExtlClntAppOauthConfigurablePolicies>\n"


def render_extl_clnt_app_oauth_settings(app: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExtlClntAppOauthSettings xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <commaSeparatedOauthScopes>{escape(app.scopes)}</commaSeparatedOauthScopes>\n    <externalClientApplication>{escape(app.name)}</externalClientApplication>\n    <label>{escape(app.label)}</label>\n</ExtlClntAppOauthSettings>\n"


def render_flow(flow: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Flow xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <actionCalls>\n        <name>Send_Outbound_Message</name>\n        <label>Send Outbound Message</label>\n        <locationX>0</locationX>\n        <locationY>0</locationY>\n        <actionName>{escape(flow.message)}</actionName>\n        <actionType>outboundMessage</actionType>\n        <flowTransactionModel>CurrentTransaction</flowTransactionModel>\n        <nameSegment>{escape(flow.message)}</nameSegment>\n    </actionCalls>\n    <apiVersion>{escape(flow.api_version)}</apiVersion>\n    <description>{escape(flow.description)}</description>\n    <environments>Default</environments>\n    <interviewLabel>{escape(flow.label)} {{!$Flow.CurrentDateTime}}</interviewLabel>\n    <label>{escape(flow.label)}</label>\n    <processMetadataValues>\n        <name>BuilderType</name>\n        <value>\n            <stringValue>LightningFlowBuilder</stringValue>\n        </value>\n    </processMetadataValues>\n    <processMetadataValues>\n        <name>CanvasMode</name>\n        <value>\n            <stringValue>AUTO_LAYOUT_CANVAS</stringValue>\n        </value>\n    </processMetadataValues>\n    <processMetadataValues>\n        <name>OriginBuilderType</name>\n        <value>\n            <stringValue>LightningFlowBuilder</stringValue>\n        </value>\n    </processMetadataValues>\n    <processType>AutoLaunchedFlow</processType>\n    <start>\n        <locationX>0</locationX>\n        <locationY>0</locationY>\n        <connector>\n            <targetReference>Send_Outbound_Message</targetReference>\n        </connector>\n        <filterFormula>{escape(flow.condition)}</filterFormula>\n        <object>{escape(flow.object)}</object>\n        <recordTriggerType>{escape(flow.record_trigger_type)}</recordTriggerType>\n        <triggerType>RecordAfterSave</triggerType>\n    </start>\n    <status>Active</status>\n</Flow>\n"


def render_permission_set(permission_set: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PermissionSet xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <description>{escape(permission_set.description)}</description>\n"
    for permission in permission_set.fields:
        yield f"    <fieldPermissions>\n        <editable>{escape(str(permission.editable).lower())}</editable>\n        <field>{escape(permission.field)}</field>\n        <readable>true</readable>\n    </fieldPermissions>\n"
    yield f"    <hasActivationRequired>false</hasActivationRequired>\n    <label>{escape(permission_set.label)}</label>\n"
    for permission in permission_set.objects:
        yield f"    <objectPermissions>\n        <allowCreate>{escape(str(permission.create).lower())}</allowCreate>\n        <allowDelete>{escape(str(permission.delete).lower())}</allowDelete>\n        <allowEdit>{escape(str(permission.edit).lower())}</allowEdit>\n        <allowRead>{escape(str(permission.read).lower())}</allowRead>\n        <modifyAllRecords>{escape(str(permission.modify_all).lower())}</modifyAllRecords>\n        <object>{escape(permission.object)}</object>\n        <viewAllRecords>{escape(str(permission.view_all).lower())}</viewAllRecords>\n    </objectPermissions>\n"
    for name in permission_set.user_permissions:
        yield f"    <userPermissions>\n        <enabled>true</enabled>\n        <name>{escape(name)}</name>\n    </userPermissions>\n"
    yield f"</PermissionSet>\n"


def render_report(report: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Report xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n"
    for index, formula in enumerate(report.formulas, 1):
        last = index == len(report.formulas)
        yield f"    <aggregates>\n        <calculatedFormula>{escape(formula.formula)}</calculatedFormula>\n        <datatype>number</datatype>\n        <developerName>FORMULA{escape(index)}</developerName>\n        <isActive>true</isActive>\n        <isCrossBlock>false</isCrossBlock>\n        <masterLabel>{escape(formula.label)}</masterLabel>\n        <scale>0</scale>\n    </aggregates>\n"
    if report.chart:
        yield f"    <chart>\n        <backgroundColor1>#FFFFFF</backgroundColor1>\n        <backgroundColor2>#FFFFFF</backgroundColor2>\n        <backgroundFadeDir>Diagonal</backgroundFadeDir>\n        <chartSummaries>\n            <axisBinding>y</axisBinding>\n            <column>FORMULA1</column>\n        </chartSummaries>\n        <chartType>Line</chartType>\n        <enableHoverLabels>false</enableHoverLabels>\n        <expandOthers>true</expandOthers>\n        <groupingColumn>{escape(report.groupings[0].field)}</groupingColumn>\n        <location>CHART_TOP</location>\n        <showAxisLabels>true</showAxisLabels>\n        <showPercentage>false</showPercentage>\n        <showTotal>false</showTotal>\n        <showValues>true</showValues>\n        <size>Medium</size>\n        <summaryAxisRange>Auto</summaryAxisRange>\n        <textColor>#000000</textColor>\n        <textSize>12</textSize>\n        <titleColor>#000000</titleColor>\n        <titleSize>18</titleSize>\n    </chart>\n"
    for column in report.columns:
        yield f"    <columns>\n        <field>{escape(column)}</field>\n    </columns>\n"
    if report.without:
        yield f"    <crossFilters>\n"
        for item in report.without.filters:
            yield f"        <criteriaItems>\n            <column>{escape(item.column)}</column>\n            <columnToColumn>false</columnToColumn>\n            <isUnlocked>false</isUnlocked>\n            <operator>{escape(item.operator)}</operator>\n            <value>{escape(item.value)}</value>\n        </criteriaItems>\n"
        yield f"        <operation>without</operation>\n        <primaryTableColumn>{escape(report.without.column)}</primaryTableColumn>\n        <relatedTable>{escape(report.without.table)}</relatedTable>\n        <relatedTableJoinColumn>{escape(report.without.join_column)}</relatedTableJoinColumn>\n    </crossFilters>\n"
    yield f"    <description>{escape(report.description)}</description>\n"
    if report.filters:
        yield f"    <filter>\n"
        if report.any_filter:
            yield f"        <booleanFilter>"
            for index, item in enumerate(report.filters, 1):
                last = index == len(report.filters)
                yield f"{escape(index)}{escape('' if last else ' OR ')}"
            yield f"</booleanFilter>\n"
        for item in report.filters:
            yield f"        <criteriaItems>\n            <column>{escape(item.column)}</column>\n            <columnToColumn>false</columnToColumn>\n            <isUnlocked>false</isUnlocked>\n            <operator>{escape(item.operator)}</operator>\n            <value>{escape(item.value)}</value>\n        </criteriaItems>\n"
        yield f"    </filter>\n"
    yield f"    <format>{escape('Summary' if report.groupings else 'Tabular')}</format>\n"
    for grouping in report.groupings:
        yield f"    <groupingsDown>\n        <dateGranularity>{escape(grouping.granularity)}</dateGranularity>\n        <field>{escape(grouping.field)}</field>\n        <sortOrder>Asc</sortOrder>\n    </groupingsDown>\n"
    yield f"    <name>{escape(report.name)}</name>\n"
    if report.of_activities:
        yield f"    <params>\n        <name>closed</name>\n        <value>all</value>\n    </params>\n    <params>\n        <name>co</name>\n        <value>1</value>\n    </params>\n    <params>\n        <name>type</name>\n        <value>te</value>\n    </params>\n"
    else:
        yield f"    <params>\n        <name>co</name>\n        <value>1</value>\n    </params>\n"
    yield f"    <reportType>{escape(report.report_type)}</reportType>\n    <scope>organization</scope>\n    <showDetails>true</showDetails>\n    <showGrandTotal>true</showGrandTotal>\n    <showSubTotals>true</showSubTotals>\n"
    if report.date_column:
        yield f"    <timeFrameFilter>\n        <dateColumn>{escape(report.date_column)}</dateColumn>\n        <interval>INTERVAL_CUSTOM</interval>\n    </timeFrameFilter>\n"
    yield f"</Report>\n"


def render_report_folder(folder: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ReportFolder xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n"
    for share in folder.shares:
        yield f"    <folderShares>\n        <accessLevel>View</accessLevel>\n        <sharedTo>{escape(share.shared_to)}</sharedTo>\n        <sharedToType>{escape(share.type)}</sharedToType>\n    </folderShares>\n"
    yield f"    <name>{escape(folder.name)}</name>\n</ReportFolder>\n"


def render_workflow_outbound_message(message: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<WorkflowOutboundMessage xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <apiVersion>{escape(message.api_version)}</apiVersion>\n    <description>{escape(message.description)}</description>\n    <endpointUrl>{escape(message.endpoint_url)}</endpointUrl>\n"
    for name in message.fields:
        yield f"    <fields>{escape(name)}</fields>\n"
    yield f"    <includeSessionId>false</includeSessionId>\n    <integrationUser>{escape(message.integration_user)}</integrationUser>\n    <name>{escape(message.label)}</name>\n    <protected>false</protected>\n    <useDeadLetterQueue>false</useDeadLetterQueue>\n</WorkflowOutboundMessage>\n"


def render_workflow_rule(rule: Any) -> Iterator[str]:
    yield f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<WorkflowRule xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <actions>\n        <name>{escape(rule.message)}</name>\n        <type>OutboundMessage</type>\n    </actions>\n    <active>true</active>\n    <description>{escape(rule.description)}</description>\n    <formula>{escape(rule.condition)}</formula>\n    <triggerType>{escape(rule.trigger_type)}</triggerType>\n</WorkflowRule>\n"


RENDERERS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "CustomField": render_custom_field,
    "CustomObject": render_custom_object,
    "ExternalClientApplication": render_external_client_application,
    "ExtlClntAppConfigurablePolicies": render_extl_clnt_app_configurable_policies,
    "ExtlClntAppGlobalOauthSettings": render_extl_clnt_app_global_oauth_settings,
    "ExtlClntAppOauthConfigurablePolicies": render_extl_clnt_app_oauth_configurable_policies,
    "ExtlClntAppOauthSettings": render_extl_clnt_app_oauth_settings,
    "Flow": render_flow,
    "PermissionSet": render_permission_set,
    "Report": render_report,
    "ReportFolder": render_report_folder,
    "WorkflowOutboundMessage": render_workflow_outbound_message,
    "WorkflowRule": render_workflow_rule,
}
"""The functions that write XML, by metadata type."""
