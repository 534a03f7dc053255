"""Limits of Salesforce, each with its source. Lengths are in characters, sizes in bytes."""

from __future__ import annotations

TEXT_LENGTH = 255
"""The maximum length of a Text field, and so of a Subject and of an external ID (Metadata API, CustomField,
`length`)."""

LONG_TEXT_LENGTH = 32_768
"""The length of the Long Text Area fields that sfcode creates: Salesforce's default, of at most 131,072."""

ACTIVITY_COMMENT_LENGTH = 32_000
"""The maximum length of the Description of an Event or a Task (Object Reference, Event)."""

FORMULA_LENGTH = 3_900
"""The maximum length of one formula (https://help.salesforce.com/s/articleView?id=000385791)."""

FORMULA_TEXT_LENGTH = 1_300
"""The maximum length of the value of a text formula."""

DESCRIPTION_LENGTH = 255
"""The maximum length of the description of a static resource."""

CAMPAIGN_NAME_LENGTH = 80
"""The maximum length of the name of a campaign (Object Reference, Campaign)."""

MEMBER_STATUS_LENGTH = 40
"""The maximum length of the status of a campaign member. The label of a CampaignMemberStatus may be longer (Object
Reference)."""

REPORT_NAME_LENGTH = 40
"""The maximum length of the name of a report; sfcode also uses it for the developer name."""

STATIC_RESOURCE_SIZE = 5_242_880
"""The maximum size of the file of a static resource: 5 MB
(https://help.salesforce.com/s/articleView?id=platform.pages_static_resources.htm)."""

PACKAGE_FILES = 10_000
"""The maximum number of files of one package
(https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy.htm)."""

PACKAGE_SIZE = 39_000_000
"""The maximum size of the zip of one package in bytes: about 50 MB in base64, the limit of a request (source as
PACKAGE_FILES)."""

FLOW_VERSIONS = 50
"""The maximum number of versions of one flow
(https://help.salesforce.com/s/articleView?id=platform.flow_considerations_limit.htm)."""

NAMES_PER_QUERY = 100
"""The maximum number of names in one query, which is part of a URL of at most 16,384 characters (REST API, query)."""
