"""
The models of `sfcode.yaml`.

`mapping_models.py` has the models of a mapping, `relay_models.py` those of the relay, `event_models.py` those of `events.yaml`.
Field descriptions become the JSON Schema that
editors show and the reference in the documentation, so they are written for the person who fills in
the file. Checks of more than one value are in `rules/`.
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
from sfcode.metadata.component import Address

DEFAULT_API_VERSION = "63.0"
"""The default API version: that of the WSDL for the schema check, so that packages are checked against the version that
is sent."""

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
Region = Literal["us", "eu"]


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
        description="Version of the Metadata API, in quotes. At least 55.0, which introduced entry formulas of flows.",
    )


class IntegrationUser(Model):
    """The user that the integration signs in as, and its access."""

    username: Email = Field(
        description="Username in Salesforce: has the form of an e-mail address and is unique in all of Salesforce.",
        examples=["appcues.integration@example.com"],
    )
    last_name: VisibleText = Field(default="Appcues Integration", max_length=80, description="Last name of the user.")
    email: Email = Field(
        description="E-mail address for Salesforce's mails about this user: a person, or a mailing list that somebody reads.",
        examples=["crm-admins@example.com"],
    )
    license: VisibleText = Field(
        default="Salesforce Integration",
        description="User license. Salesforce Integration allows API access only; most editions include five.",
    )
    profile: VisibleText = Field(
        default="Minimum Access - API Only Integrations",
        description="Profile. It should grant nothing, since all rights come from the permission set.",
    )
    permission_set_license: str = Field(
        default="SalesforceAPIIntegrationPsl",
        pattern=names.LICENSE_NAME,
        description="Developer name of the permission set license that the user license needs to read and write "
        "records. It is assigned before the permission set, which requires it.",
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
        description="least_privilege grants only the fields of the mappings; documented grants all permissions of "
        "Appcues' help page, including Modify All.",
    )
    record_access: Literal["sharing", "view_all", "modify_all"] = Field(
        default="sharing",
        description="The records that the user can access with private sharing: those shared with the user, all for "
        "reading, or all for reading and writing.",
    )
    accepted_rights: tuple[Acceptable, ...] = Field(
        default=(),
        description="Accepted sources of further rights of this user: other permission sets and groups, a profile "
        "that grants rights, or a license that allows more than the API. Until they are listed here, the linter "
        "refuses such a profile or license, and plan and doctor report further rights.",
        examples=[["PermissionSet:Knowledge_Reader", "Profile:Standard User"]],
    )

    def list_wide_rights(self) -> tuple[tuple[str, str], ...]:
        """Return the key and the address of each license or profile that allows more than the API and is not accepted."""
        rights = (
            ("license", f"UserLicense:{self.license}", self.license in API_ONLY_LICENSES),
            ("profile", f"Profile:{self.profile}", self.profile in API_ONLY_PROFILES),
        )
        return tuple(
            (key, address)
            for key, address, narrow in rights
            if not narrow and Address.parse(address) not in set(map(Address.parse, self.accepted_rights))
        )


class Appcues(Model):
    """The Appcues account."""

    account_id: str = Field(
        pattern=names.ACCOUNT,
        description="Account ID, from the account page of Appcues Studio, in quotes.",
        examples=["${appcues_account}"],
    )
    region: Region = Field(default="us", description="The region in which Appcues stores the account's data.")
    webhook: WebhookPaths = Field(
        default=WebhookPaths(),
        description="The paths of values in Appcues' webhooks, whose format Appcues does not publish.",
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
        default=False,
        description="Whether apply requires a saved plan here, and destroy requires the org's name to be typed.",
    )
    safety: Safety = Field(
        default=Safety(),
        description="Limits on the changes of one plan here; missing keys have the values for all environments.",
    )
    variables: dict[VariableName, str] = Field(
        default={}, description="Values of ${name} in all files. Text only: put numbers in quotes."
    )
    overrides: dict[str, dict[str, JsonValue]] = Field(
        default={},
        description="Values that differ in this environment, by file. Keys are merged, any other value is replaced "
        "as a whole, and null removes a key.",
        examples=[{"mappings/contact.yaml": {"to_appcues": {"attributes": {"plan": "Tier__c"}}}}],
    )


class PersonalData(Model):
    """The fields that a review treats as personal data."""

    fields: tuple[QualifiedField, ...] = Field(
        default=(),
        description="Fields with personal data, in addition to the standard ones that sfcode knows (names, e-mail "
        "addresses, phone numbers, birth dates, addresses): Contact.Passport__c, or Passport__c for every object.",
        examples=[["Contact.Passport__c"]],
    )
    accepted: tuple[QualifiedField, ...] = Field(
        default=(),
        description="Fields with personal data that may be sent from Salesforce without a warning of the linter. A "
        "review still reports when one is sent for the first time.",
        examples=[["Contact.Email"]],
    )


class ReviewSettings(Model):
    """Settings of `sfcode review`; they do not change any component."""

    personal_data: PersonalData = Field(
        default=PersonalData(), description="The fields with personal data, and those of them that may be sent."
    )


class Moved(Model):
    """Former names, for renames since the last apply. Remove a line once it is applied to every org."""

    name: DeveloperName | None = Field(
        default=None,
        description="The former `name` of the project, by which its state is found. Fields and permission sets with "
        "the former prefix are renamed in place, and keep their values and assignments; messages, flows and rules "
        "are replaced.",
        examples=["Appcues"],
    )
    mappings: dict[DeveloperName, DeveloperName] = Field(
        default={},
        description="Former names of mappings, each with the present name. The relay also accepts messages with the former "
        "name, and activities keep the external IDs of that name: keep the line until older messages are delivered.",
        examples=[{"contact": "person"}],
    )
    fields: dict[MovedField, MovedField] = Field(
        default={},
        description="Former names of generated fields, each with the present name, both with their object. A field "
        "is renamed in place and keeps its values.",
        examples=[{"Contact.Score__c": "Contact.NPS_Score__c"}],
    )
    user: Email | None = Field(
        default=None,
        description="The former username of the integration user. The user is renamed in place, and keeps license, "
        "permission sets and sign-ins.",
        examples=["appcues.old@example.com"],
    )


class Settings(Model):
    """`sfcode.yaml`: the project, its integration user, its relay and its environments."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    name: DeveloperName = Field(default="Appcues", description="Prefix of all generated developer names in Salesforce.")
    id: DeveloperName | None = Field(
        default=None,
        description="Identity of the project, by which its state and lock in an org are found, also after a change "
        "of the name. `sfcode init` generates one; every project in an org needs its own. Without it, the name is "
        "the identity.",
        examples=["appcues_3f9c2a71"],
    )
    salesforce: Salesforce = Field(default=Salesforce(), description="The connection to Salesforce.")
    integration_user: IntegrationUser = Field(description="The user that the integration signs in as, and its access.")
    viewers: tuple[Email, ...] = Field(
        default=(),
        description="Usernames of people who see the fields that sfcode creates, which nobody else sees. They get "
        "the viewers' permission set, and lose it when they are removed from the list.",
        examples=[["${admin}", "sam.seller@example.com"]],
    )
    appcues: Appcues = Field(description="The Appcues account.")
    relay: Relay = Field(description="The URL of the relay, and its settings.")
    environments: dict[EnvironmentName, Environment] = Field(
        default={}, description="Orgs by name; --env or SFCODE_ENV selects one."
    )
    as_is: tuple[Takeable, ...] = Field(
        default=(),
        description="Fields and permission sets that existed in the org before sfcode and are adopted unchanged: "
        "sfcode reports their changes, and does not change them until their line is removed.",
        examples=[["PermissionSet:Appcues_Access"]],
    )
    moved: Moved = Field(default=Moved(), description="Renames since the last apply.")
    review: ReviewSettings = Field(default=ReviewSettings(), description="Settings of `sfcode review`.")
    safety: Safety = Field(
        default=Safety(), description="Limits on the changes of one plan, which can be exceeded only with an option."
    )
