"""
The mapping language, typed: what `sfcode.yaml`, a mapping and `events.yaml` may hold.

These are the only pydantic models of the project. Field descriptions become the JSON Schema that
editors show, so they are written for the person who fills in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_API_VERSION = "63.0"
"""The version whose WSDL the schema check uses: what is verified is what is sent."""

DeveloperName = Annotated[str, Field(pattern=r"^[A-Za-z](_?[A-Za-z0-9])*$", max_length=40)]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z](_{0,2}[A-Za-z0-9])*$", max_length=80)]
ActivityEvent = Literal[
    "nps_score",
    "nps_feedback",
    "flow_completed",
    "checklist_item_completed",
    "checklist_completed",
    "goal_reached",
]


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Salesforce(Model):
    """How sfcode talks to Salesforce."""

    api_version: str = Field(DEFAULT_API_VERSION, pattern=r"^\d{2,3}\.0$")


class IntegrationUser(Model):
    """The user that the integration signs in as, and what it may do."""

    username: str
    last_name: str = "Appcues Integration"
    email: str
    license: str = "Salesforce Integration"
    profile: str = "Minimum Access - API Only Integrations"
    permission_set_license: str = "SalesforceAPIIntegrationPsl"
    access: Literal["least_privilege", "documented"] = "least_privilege"
    record_access: Literal["sharing", "view_all", "modify_all"] = "sharing"


class Appcues(Model):
    """Which Appcues account takes part."""

    account_id: str
    region: Literal["us", "eu"] = "us"


class WebhookAuth(Model):
    """How the relay knows that a webhook comes from Appcues."""

    scheme: Literal["path", "header", "bearer", "basic", "hmac"] = "path"
    header: str | None = None
    algorithm: Literal["sha1", "sha256", "sha512"] | None = None
    encoding: Literal["hex", "base64"] | None = None


class Relay(Model):
    """Where the companion relay is reached, and how it writes."""

    url: str
    webhook_auth: WebhookAuth = WebhookAuth()
    outbound_secret: str = "${secret:SFCODE_RELAY_OUTBOUND_SECRET}"
    activities_as: Literal["event", "task", "custom_object"] = "event"


class Environment(Model):
    """A named target: which org it is and its values for variables."""

    org: str | None = None
    protected: bool = False
    variables: dict[str, str] = {}


class Settings(Model):
    """`config/sfcode.yaml`."""

    version: Literal[1]
    name: DeveloperName = "Appcues"
    salesforce: Salesforce = Salesforce()
    integration_user: IntegrationUser
    appcues: Appcues
    relay: Relay
    environments: dict[str, Environment] = {}


class UserId(Model):
    """The UUID match: the Salesforce field that equals the Appcues user id."""

    field: FieldName
    from_: FieldName | None = Field(None, alias="from")


class Attribute(Model):
    """A Salesforce field sent as an Appcues attribute, and the type it is sent as."""

    field: FieldName
    type: Literal["string", "number", "boolean", "date"] | None = None


class ToAppcues(Model):
    """What goes from Salesforce to Appcues, and when."""

    trigger: Literal["flow", "workflow_rule"] = "flow"
    on: tuple[Literal["create", "update"], ...] = ("create", "update")
    attributes: dict[str, Attribute]


class TargetField(Model):
    """A Salesforce field that is written; with `create`, it is generated and owned."""

    field: FieldName
    create: bool = False


class Nps(Model):
    """Where the latest NPS answers go."""

    score: TargetField | None = None
    feedback: TargetField | None = None


class ToSalesforce(Model):
    """What goes from Appcues to Salesforce."""

    nps: Nps = Nps()
    activities: tuple[ActivityEvent, ...] = ()
    click_to_track: tuple[str, ...] = ()


class Mapping(Model):
    """`config/mappings/NAME.yaml`: one Salesforce object and what it exchanges with Appcues."""

    object: FieldName
    match: Literal["user", "group"] = "user"
    direction: Literal["both", "to_appcues", "to_salesforce"] = "both"
    delivery: Literal["relay", "connector"] = "relay"
    user_id: UserId
    to_appcues: ToAppcues | None = None
    to_salesforce: ToSalesforce | None = None


class EventText(Model):
    """The texts of the Salesforce activity that an Appcues event becomes (Jinja2)."""

    subject: str
    comment: str


class Events(Model):
    """`config/events.yaml`: per Appcues event, what is written."""

    version: Literal[1]
    properties: dict[str, dict[str, str]] = {}
    activities: dict[str, EventText]
