"""
The models of `sfcode.yaml`.

`mapping_models.py` has those of a mapping, `relay_models.py` what `sfcode.yaml` says of the relay, `event_models.py` `events.yaml`.
Field descriptions become the JSON Schema that
editors show and the reference in the documentation, so they are written for the person who fills in
the file. What takes more than one value to judge is in `rules/`.
"""

from typing import Annotated, Literal

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import ConfigValueError, Convert, Field, JsonValue
from sfcode.config.notify_models import VariableName
from sfcode.config.relay_models import Relay
from sfcode.config.safety_models import Safety
from sfcode.config.webhook_models import WebhookPaths
from sfcode.mapping.permissions import API_ONLY_LICENSES, API_ONLY_PROFILES

DEFAULT_API_VERSION = "63.0"
"""The version of the WSDL that the schema check uses, so that the verified version is the one that is sent."""

DeveloperName = Annotated[str, Field(pattern=names.DEVELOPER, max_length=names.PREFIX_LIMIT)]
FieldName = Annotated[str, Field(pattern=names.FIELD, max_length=names.NAME_LIMIT)]
MovedField = Annotated[str, Field(pattern=names.MOVED_FIELD, max_length=2 * names.NAME_LIMIT)]
QualifiedField = Annotated[str, Field(pattern=names.QUALIFIED_FIELD, max_length=2 * names.NAME_LIMIT)]
EnvironmentName = Annotated[str, Field(pattern=names.ENVIRONMENT)]
Text = Annotated[str, Field(pattern=names.TEXT)]
VisibleText = Annotated[str, Field(pattern=names.VISIBLE)]
Takeable = Annotated[str, Field(pattern=names.TAKEABLE)]
Acceptable = Annotated[str, Field(pattern=names.ACCEPTABLE)]
Replaceable = Annotated[str, Field(pattern=names.REPLACEABLE)]
Email = Annotated[str, Field(pattern=names.USERNAME, max_length=80)]


def _version(value: object) -> object:
    if type(value) is not int or value != 1:
        raise ConfigValueError("version")
    return value


Version = Annotated[Literal[1], Convert(_version)]


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
    last_name: VisibleText = Field(default="Appcues Integration", max_length=80, description="Its last name.")
    email: Email = Field(
        description="Where Salesforce sends mail about this user: a person or a list that reads it.",
        examples=["crm-admins@example.com"],
    )
    license: VisibleText = Field(
        default="Salesforce Integration",
        description="User license. Salesforce Integration allows API access only; most editions include five.",
    )
    profile: VisibleText = Field(
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
    accepted_rights: tuple[Acceptable, ...] = Field(
        default=(),
        description="What else may give rights to this user: permission sets and groups of others, a profile that grants "
        "something by itself, or a license that is not for the API alone. The linter refuses such a profile or license, "
        "and plan and doctor report what the user has from elsewhere, until it is listed here.",
        examples=[["PermissionSet:Knowledge_Reader", "Profile:Standard User"]],
    )

    def list_wide_rights(self) -> tuple[tuple[str, str], ...]:
        """Return the key and the address of a license or profile that is not for the API alone and not accepted."""
        rights = (
            ("license", f"UserLicense:{self.license}", self.license in API_ONLY_LICENSES),
            ("profile", f"Profile:{self.profile}", self.profile in API_ONLY_PROFILES),
        )
        return tuple(
            (key, address) for key, address, narrow in rights if not narrow and address not in self.accepted_rights
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
    overrides: dict[str, dict[str, JsonValue]] = Field(
        default={},
        description="Keys that have another value here than the file says, by file: keys are merged, any other value is "
        "replaced as a whole, and null removes a key.",
        examples=[{"mappings/contact.yaml": {"to_appcues": {"attributes": {"plan": "Tier__c"}}}}],
    )


class PersonalData(Model):
    """The fields that a review treats as personal data."""

    fields: tuple[QualifiedField, ...] = Field(
        default=(),
        description="Fields that are personal data besides the standard ones that sfcode knows (names, e-mail "
        "addresses, phone numbers, birth dates, addresses): Contact.Passport__c, or Passport__c of every object.",
        examples=[["Contact.Passport__c"]],
    )
    accepted: tuple[QualifiedField, ...] = Field(
        default=(),
        description="Fields that may leave Salesforce although they are personal data: the linter is silent about "
        "them. A review still says when one is sent for the first time.",
        examples=[["Contact.Email"]],
    )


class ReviewSettings(Model):
    """Settings of `sfcode review`; they do not change any component."""

    personal_data: PersonalData = Field(
        default=PersonalData(), description="Which fields count as personal data, and which of them may be sent."
    )


class Moved(Model):
    """Former names of what was renamed since the last apply. Remove a line after the apply to every org."""

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
    viewers: tuple[Email, ...] = Field(
        default=(),
        description="Usernames of people who see what Appcues writes: they get the viewers' permission set, and lose it when "
        "they are taken from the list. Without it, fields that sfcode creates are visible to nobody.",
        examples=[["${admin}", "sam.seller@example.com"]],
    )
    appcues: Appcues = Field(description="Which Appcues account takes part.")
    relay: Relay = Field(description="Where the companion relay is reached, and how it writes.")
    environments: dict[EnvironmentName, Environment] = Field(
        default={}, description="The targets by name; --env or SFCODE_ENV chooses one."
    )
    as_is: tuple[Takeable, ...] = Field(
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
