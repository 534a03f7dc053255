"""
The models of `sfcode.yaml` and of a mapping.

`relay_models.py` has what `sfcode.yaml` says of the relay, `event_models.py` has `events.yaml`. These
are the only pydantic models of the project. Field descriptions become the JSON Schema that
editors show and the reference in the documentation, so they are written for the person who fills in
the file. What takes more than one value to judge is in `rules/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, PlainValidator, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.relay_models import Relay
from sfcode.config.safety_models import Safety
from sfcode.config.webhook_models import WebhookPaths
from sfcode.mapping.events import ACTIVITY_EVENTS, ItemKind
from sfcode.mapping.permissions import API_ONLY_LICENSES, API_ONLY_PROFILES
from sfcode.mapping.value_map import AttributeValue

DEFAULT_API_VERSION = "63.0"
"""The version whose WSDL the schema check uses: what is verified is what is sent."""

if TYPE_CHECKING:  # type checkers cannot follow a Literal that is made from a table
    ActivityEvent = str
else:
    ActivityEvent = Literal[ACTIVITY_EVENTS]

DeveloperName = Annotated[str, Field(pattern=names.DEVELOPER, max_length=names.PREFIX_LIMIT)]
FieldName = Annotated[str, Field(pattern=names.FIELD, max_length=names.NAME_LIMIT)]
MovedField = Annotated[str, Field(pattern=names.MOVED_FIELD, max_length=2 * names.NAME_LIMIT)]
QualifiedField = Annotated[str, Field(pattern=names.QUALIFIED_FIELD, max_length=2 * names.NAME_LIMIT)]
AttributeName = Annotated[str, Field(pattern=names.ATTRIBUTE)]
VariableName = Annotated[str, Field(pattern=names.VARIABLE)]
EnvironmentName = Annotated[str, Field(pattern=names.ENVIRONMENT)]
CustomEvent = Annotated[
    str, Field(pattern=names.CUSTOM_EVENT, max_length=127, json_schema_extra={"not": {"pattern": "^appcues:"}})
]
Text = Annotated[str, Field(pattern=names.TEXT)]
ItemNames = Annotated[tuple[Text, ...], Field(strict=False)]
Takeable = Annotated[str, Field(pattern=names.TAKEABLE)]
Acceptable = Annotated[str, Field(pattern=names.ACCEPTABLE)]
Replaceable = Annotated[str, Field(pattern=names.REPLACEABLE)]
Email = Annotated[str, Field(pattern=names.USERNAME, max_length=80)]


def _version(value: object) -> object:
    if type(value) is not int or value != 1:
        raise PydanticCustomError("version", "is not a version of the mapping language that this sfcode knows")
    return value


Version = Annotated[Literal[1], BeforeValidator(_version)]


def _scalar(value: object) -> AttributeValue:
    if not isinstance(value, str | int | float) or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("scalar", "is not a single value")
    return value


Scalar = Annotated[
    AttributeValue,
    PlainValidator(_scalar),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": names.TEXT}, {"type": ["number", "boolean"]}]}),
]


class Shorthand(Model):
    """A model that may be written as its `field` alone: `role: Title` for `role: {field: Title}`."""

    field: FieldName = Field(description="API name of the Salesforce field.", examples=["Title"])

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        return {"field": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full: dict[str, Any] = handler(core)
        resolved = handler.resolve_ref_schema(full)
        short = dict(resolved["properties"]["field"])
        long = dict(resolved)
        resolved.clear()
        resolved.update(title=long["title"], description=long.pop("description", ""), anyOf=[short, long])
        return full


class Salesforce(Model):
    """The connection to Salesforce."""

    api_version: str = Field(
        default=DEFAULT_API_VERSION,
        pattern=names.API_VERSION,
        description="Version of the Metadata API, in quotes. At least 55.0, which brought the entry formula of flows.",
    )


class IntegrationUser(Model):
    """The user that the integration signs in as, and its access."""

    username: Email = Field(
        description="Username in Salesforce: has the form of an e-mail address and is unique in all of Salesforce.",
        examples=["appcues.integration@example.com"],
    )
    last_name: Text = Field(default="Appcues Integration", max_length=80, description="Its last name.")
    email: Email = Field(
        description="Where Salesforce sends mail about this user: a person or a list that reads it.",
        examples=["crm-admins@example.com"],
    )
    license: Text = Field(
        default="Salesforce Integration",
        description="User license. Salesforce Integration allows API access only; most editions include five.",
    )
    profile: Text = Field(
        default="Minimum Access - API Only Integrations",
        description="Profile, which should grant nothing: all rights come from the permission set.",
    )
    permission_set_license: str = Field(
        default="SalesforceAPIIntegrationPsl",
        pattern=names.LICENSE_NAME,
        description="Developer name of the permission set license which lets the user license read and write records. "
        "It is assigned first: without it the permission set cannot be.",
    )
    permission_set: str | None = Field(
        default=None,
        pattern=names.DEVELOPER,
        max_length=names.NAME_LIMIT,
        description="Developer name of an existing permission set to adopt; without it, the "
        "project's name and `_Integration`.",
        examples=["Appcues_Access"],
    )
    access: Literal["least_privilege", "documented"] = Field(
        default="least_privilege",
        description="least_privilege grants the fields of the mappings and nothing more; documented grants what "
        "Appcues' help page tells people to click, Modify All included.",
    )
    record_access: Literal["sharing", "view_all", "modify_all"] = Field(
        default="sharing",
        description="Which records the user reaches where sharing is private: those shared with it, all for reading, "
        "or all for reading and writing.",
    )
    accepted_rights: Annotated[tuple[Acceptable, ...], Field(strict=False)] = Field(
        default=(),
        description="What else may give rights to this user: permission sets and groups of others, a profile that grants "
        "something by itself, or a license that is not for the API alone. The linter refuses such a profile or license, "
        "and plan and doctor report what the user has from elsewhere, until it is listed here.",
        examples=[["PermissionSet:Knowledge_Reader", "Profile:Standard User"]],
    )

    def list_wide_rights(self) -> tuple[tuple[str, str], ...]:
        """Return the key and the address of a license or profile that is not for the API alone and not accepted."""
        named = (
            ("license", f"UserLicense:{self.license}", self.license in API_ONLY_LICENSES),
            ("profile", f"Profile:{self.profile}", self.profile in API_ONLY_PROFILES),
        )
        return tuple(
            (key, address) for key, address, narrow in named if not narrow and address not in self.accepted_rights
        )


class Appcues(Model):
    """The Appcues account."""

    account_id: str = Field(
        pattern=names.ACCOUNT,
        description="Account id, from the account page of Appcues Studio, in quotes.",
        examples=["${appcues_account}"],
    )
    region: Literal["us", "eu"] = Field(default="us", description="Where Appcues keeps the account's data.")
    webhook: WebhookPaths = Field(
        default=WebhookPaths(),
        description="Where Appcues' webhooks hold what, since Appcues does not publish their form.",
    )


class Environment(Model):
    """A named target: its org and the values of variables."""

    org: str | None = Field(
        default=None,
        pattern=names.ORG,
        description="The org: local, alias:NAME (signed in with the sf CLI), env:PREFIX (environment variables), or "
        "an instance URL. --org overrides it.",
    )
    protected: bool = Field(
        default=False, description="Whether apply wants a saved plan here, and destroy wants the org's name typed."
    )
    safety: Safety = Field(
        default=Safety(),
        description="How much one plan may change here; a missing key has the value for all environments.",
    )
    variables: dict[VariableName, str] = Field(
        default={}, description="Values that ${name} stands for in all files. Text only: put numbers in quotes."
    )


class PersonalData(Model):
    """The fields that a review treats as personal data."""

    fields: Annotated[tuple[QualifiedField, ...], Field(strict=False)] = Field(
        default=(),
        description="Fields that are personal data besides the standard ones that sfcode knows (names, e-mail "
        "addresses, phone numbers, birth dates, addresses): Contact.Passport__c, or Passport__c of every object.",
        examples=[["Contact.Passport__c"]],
    )
    accepted: Annotated[tuple[QualifiedField, ...], Field(strict=False)] = Field(
        default=(),
        description="Fields that may leave Salesforce although they are personal data: the linter is silent about "
        "them. A review still says when one is sent for the first time.",
        examples=[["Contact.Email"]],
    )


class ReviewSettings(Model):
    """Settings of `sfcode review`; they do not change what is deployed."""

    personal_data: PersonalData = Field(
        default=PersonalData(), description="Which fields count as personal data, and which of them may be sent."
    )


class Moved(Model):
    """What has another name than at the last apply, so that it is found again. Take a line away after the apply in every org."""

    name: DeveloperName | None = Field(
        default=None,
        description="The former `name` of the project: its state is found by it. Fields and permission sets with the former "
        "prefix are renamed in place, and keep their values and assignments; messages, flows and rules are replaced.",
        examples=["Appcues"],
    )
    mappings: dict[DeveloperName, DeveloperName] = Field(
        default={},
        description="Former name of a mapping: its present name. The relay goes on to accept messages under the former name.",
        examples=[{"contact": "person"}],
    )
    fields: dict[MovedField, MovedField] = Field(
        default={},
        description="Former name of a generated field: its present name, both with their object. The field is renamed in "
        "place and keeps its values.",
        examples=[{"Contact.Score__c": "Contact.NPS_Score__c"}],
    )
    user: Email | None = Field(
        default=None,
        description="The former username of the integration user, which is renamed in place and keeps its license, its "
        "permission sets and its sign-ins.",
        examples=["appcues.old@example.com"],
    )


class Settings(Model):
    """`sfcode.yaml`: the project, its integration user, its relay and its environments."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    name: DeveloperName = Field(
        default="Appcues", description="Prefix of every developer name that is generated in Salesforce."
    )
    id: DeveloperName | None = Field(
        default=None,
        description="Identity of the project, which a new name does not change: its state and its lock in an org are found by "
        "it. `sfcode init` makes one up; every project in an org needs its own. Without it, the name is the identity.",
        examples=["appcues_3f9c2a71"],
    )
    salesforce: Salesforce = Field(default=Salesforce(), description="How sfcode talks to Salesforce.")
    integration_user: IntegrationUser = Field(
        description="The user that the integration signs in as, and what it may do."
    )
    appcues: Appcues = Field(description="Which Appcues account takes part.")
    relay: Relay = Field(description="Where the companion relay is reached, and how it writes.")
    environments: dict[EnvironmentName, Environment] = Field(
        default={}, description="The targets by name; --env or SFCODE_ENV chooses one."
    )
    as_is: Annotated[tuple[Takeable, ...], Field(strict=False)] = Field(
        default=(),
        description="Fields and permission sets that existed in the org before sfcode and are adopted unchanged: "
        "sfcode watches them and changes nothing in them until their line is taken out.",
        examples=[["PermissionSet:Appcues_Access"]],
    )
    moved: Moved = Field(default=Moved(), description="What was renamed since the last apply.")
    review: ReviewSettings = Field(
        default=ReviewSettings(), description="What `sfcode review` should know about this project."
    )
    safety: Safety = Field(
        default=Safety(), description="How much one plan may change before somebody has to say that it is meant."
    )


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


Scalars = Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1), BeforeValidator(_as_list)]


class FieldCondition(Model):
    """What the value of a field has to be for a record to take part."""

    is_: Scalars | None = Field(
        default=None,
        alias="is",
        description="The value, or a list of values of which one has to be there. It may be written alone: "
        "`Status__c: [Trial, Customer]`.",
        examples=[["Trial", "Customer"]],
    )
    not_: Scalars | None = Field(
        default=None, alias="not", description="A value, or a list of values, none of which may be there."
    )
    blank: bool | None = Field(default=None, description="true: the field has to be blank; false: it has to be filled.")

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        condition = value if isinstance(value, dict) else {"is": value}
        if len(condition) != 1 or None in condition.values():
            raise PydanticCustomError("condition", "is not one condition")
        return condition

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full: dict[str, Any] = handler(core)
        resolved = handler.resolve_ref_schema(full)
        long = {**resolved, "minProperties": 1, "maxProperties": 1}
        one = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": ["number", "boolean"]}]}).json_schema
        resolved.clear()
        resolved.update(
            title=long.pop("title"),
            description=long.pop("description"),
            anyOf=[one, {"type": "array", "items": one, "minItems": 1}, long],
        )
        return full


class UserId(Shorthand):
    """The user id match: the Salesforce field that equals the Appcues user id."""

    field: FieldName = Field(
        description="Text field that holds the Appcues user id. Generated as a formula when `from` is given; else it "
        "exists already.",
        examples=["Appcues_User_Id__c"],
    )
    from_: FieldName | None = Field(
        default=None,
        alias="from",
        description="Number field with the user id, from which the text formula `field` is made.",
        examples=["Product_User_Id__c"],
    )


class Attribute(Shorthand):
    """A Salesforce field that is sent as an Appcues attribute, and its type."""

    type: Literal["string", "number", "boolean", "date"] | None = Field(
        default=None,
        description="Type of the attribute in Appcues; when left out, what fits the field: the relay asks the org what custom "
        "fields are.",
    )
    map_: Annotated[dict[str, Scalar], Field(min_length=1)] | None = Field(
        default=None,
        alias="map",
        description="Value of the field: value of the attribute. Case and spaces around a value do not matter. Other values "
        "are sent as `default`, and a blank field clears the attribute.",
        examples=[{"VP Sales": "sales", "Account Executive": "sales"}],
    )
    default: Scalar | None = Field(
        default=None,
        description="What is sent for values that `map` does not list; when left out, they clear the attribute.",
        examples=["other"],
    )


class ToAppcues(Model):
    """The data from Salesforce to Appcues, and when it is sent."""

    trigger: Literal["flow", "workflow_rule"] = Field(
        default="flow",
        description="What fires the outbound message: a record-triggered flow, or a workflow rule, which Salesforce "
        "no longer supports since 2025-12-31.",
    )
    on: Annotated[tuple[Literal["create", "update"], ...], Field(strict=False, min_length=1)] = Field(
        default=("create", "update"), description="Which changes of a record are sent."
    )
    attributes: dict[AttributeName, Attribute] = Field(
        min_length=1,
        description="Appcues attribute: Salesforce field.",
        examples=[{"role": "Title"}],
    )


class TargetField(Shorthand):
    """A Salesforce field that the relay writes; with `create`, sfcode generates and manages it."""

    create: bool = Field(
        default=False, description="true: sfcode makes the field and owns it. false: the field exists already."
    )


class Nps(Model):
    """The fields of the latest NPS answer."""

    score: TargetField | None = Field(default=None, description="Field for the latest NPS score, a number.")
    feedback: TargetField | None = Field(default=None, description="Field for the latest NPS feedback, a text.")


class EventFilter(Model):
    """The items of Appcues that an event has to be about, each by its name or its id; any when left out."""

    flow: ItemNames = Field(default=(), description="Flows, for flow_completed.", examples=[["Webinar sign-up"]])
    survey: ItemNames = Field(default=(), description="NPS surveys, for nps_score and nps_feedback.")
    checklist: ItemNames = Field(
        default=(), description="Checklists, for checklist_item_completed and checklist_completed."
    )
    goal: ItemNames = Field(default=(), description="Goals, for goal_reached.")

    def items(self) -> dict[ItemKind, tuple[str, ...]]:
        """Return the names and ids by kind of item, without the kinds that are left out."""
        kinds: dict[ItemKind, tuple[str, ...]] = {
            "flow": self.flow,
            "survey": self.survey,
            "checklist": self.checklist,
            "goal": self.goal,
        }
        return {kind: names for kind, names in kinds.items() if names}


def _spell_out_activity(value: object) -> object:
    if isinstance(value, dict):
        if len(value) != 1:
            raise PydanticCustomError("activity", "holds {count} events", {"count": len(value)})
        return value
    return value if isinstance(value, list) else {value: {}}


class _ActivitySchema:
    """The JSON Schema of an activity: an event alone, or an event with its filter."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = {**handler(core), "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"enum": [*ACTIVITY_EVENTS], "type": "string"}, full]}


Activity = Annotated[dict[ActivityEvent, EventFilter], BeforeValidator(_spell_out_activity), _ActivitySchema]


class ToSalesforce(Model):
    """The data from Appcues to Salesforce."""

    nps: Nps = Field(default=Nps(), description="Where the latest NPS answers go.")
    activities: Annotated[tuple[Activity, ...], Field(strict=False)] = Field(
        default=(),
        description="Appcues events that become activities of the record: by name, or by name with the flows, surveys, "
        "checklists or goals that count.",
        examples=[["nps_score", {"flow_completed": {"flow": ["Onboarding"]}}]],
    )
    click_to_track: Annotated[tuple[CustomEvent, ...], Field(strict=False)] = Field(
        default=(),
        description="Click-to-track events that become activities, by the names they have in Appcues. Appcues sends "
        "them only with its Events Broadcaster.",
        examples=[["Clicked Upgrade"]],
    )

    @property
    def activity_events(self) -> tuple[str, ...]:
        """The names of the events that become activities."""
        return tuple(name for activity in self.activities for name in activity)


class Mapping(Model):
    """`mappings/NAME.yaml`: one Salesforce object and the data it exchanges with Appcues."""

    object: FieldName = Field(
        description="API name of the object: Contact, Lead, Account or a custom object.", examples=["Contact"]
    )
    match: Literal["user", "group"] = Field(
        default="user", description="What a record is in Appcues: a user's profile, or a group's (an account)."
    )
    direction: Literal["both", "to_appcues", "to_salesforce"] = Field(
        default="both", description="Which way data flows: each way has the section of its name."
    )
    delivery: Literal["relay", "connector"] = Field(
        default="relay",
        description="Who carries the data: the relay of this project, or Appcues' own connector, for which sfcode "
        "prepares the org and generates no message or flow.",
    )
    user_id: UserId = Field(
        description="The UUID match: the field that equals the Appcues user id (with match: group, the group id).",
        examples=["Appcues_User_Id__c"],
    )
    where: dict[FieldName, FieldCondition] = Field(
        default={},
        description="Which records take part, both ways; all when left out. Field of the object, or `RecordType` for the "
        "developer name of the record type: value, list of values, `{not: ...}` or `{blank: true}`. All lines have to fit.",
        examples=[{"RecordType": ["Customer"], "Status__c": {"not": ["Closed"]}}],
    )
    replaces: Annotated[tuple[Replaceable, ...], Field(strict=False)] = Field(
        default=(),
        description="Messages, and the rules and flows that fire them, which this mapping takes the place of. With "
        "`delivery: relay` an apply deletes them, in the same transaction that brings its own; before, they stay.",
        examples=[["WorkflowRule:Contact.Send_To_Appcues", "WorkflowOutboundMessage:Contact.Send_To_Appcues"]],
    )
    to_appcues: ToAppcues | None = Field(default=None, description="What goes from Salesforce to Appcues, and when.")
    to_salesforce: ToSalesforce | None = Field(default=None, description="What goes from Appcues to Salesforce.")
