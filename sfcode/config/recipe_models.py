"""The models of `recipes.yaml`: reports, and what they need."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import Field
from sfcode.config.mapping_models import ActivityEvent, AttributeName, CustomEvent, EventFilter, ItemNames, Scalar
from sfcode.config.models import DeveloperName, Version
from sfcode.mapping.events import NPS_EVENTS, REGISTRATION_EVENTS, events_filling
from sfcode.mapping.limits import CAMPAIGN_NAME_LENGTH, MEMBER_STATUS_LENGTH

if TYPE_CHECKING:  # type checkers cannot follow a Literal that is made from a table
    RegistrationEvent = str
else:
    RegistrationEvent = Literal[REGISTRATION_EVENTS]
ShareName = Annotated[str, Field(pattern=names.SHARE)]
CampaignId = Annotated[str, Field(pattern=names.CAMPAIGN_ID)]


class ReportSettings(Model):
    """The folder of the reports, and the people who see it."""

    folder: DeveloperName = Field(default="Appcues", description="Developer name of the report folder, and its label.")
    share_with: tuple[ShareName, ...] = Field(
        default=("all_internal_users",),
        description="Who may view the reports: all_internal_users, or role:NAME, role_and_subordinates:NAME, group:NAME, "
        "user:USERNAME. A folder cannot be shared with a permission set. An empty list leaves it to the person who applies "
        "and to administrators.",
    )


class CompletedFlows(Model):
    """Reports of the people who completed a flow, by flow and month, and of those who did not."""

    not_completed: ItemNames = Field(
        default=(),
        description="Flows, by name, each with a report of the contacts who have not completed it. Needs `activities_as: "
        "custom_object`: in activities, the column for this depends on a setting of the org.",
        examples=[["Onboarding"]],
    )


class NpsHistory(Model):
    """A record for each NPS answer, and a report of NPS over time."""

    account: Literal["lookup", "detail"] = Field(
        default="lookup",
        description="lookup: answers are private, and kept for people without an account too. detail: answers are details "
        "of their account, as visible as it is and deleted with it; answers of people without an account are not kept.",
    )


class NpsByAccount(Model):
    """A report of NPS by account. It needs `nps_history`."""

    account_fields: bool = Field(
        default=False,
        description="Whether accounts also get fields for NPS and the number of answers, promoters and detractors, kept by "
        "roll-ups. Needs `nps_history.account: detail`.",
    )


class RegistrationTrigger(Model):
    """The events that register a person: an event of Appcues, and the flows, forms or click-to-track events that count."""

    event: RegistrationEvent = Field(description="A completed flow, a submitted form, or a click-to-track event.")
    flow: ItemNames = Field(
        default=(), description="Flows by name or id, for flow_completed; any when left out.", examples=[["Webinar"]]
    )
    form: ItemNames = Field(
        default=(),
        description="Forms, for form_submitted: by their id, or by name or id of the flow that they are in; any when left out.",
    )
    name: tuple[CustomEvent, ...] = Field(
        default=(), description="Click-to-track events by name, for click_to_track.", examples=[["Clicked Register"]]
    )

    @property
    def items(self) -> tuple[str, ...]:
        """The names and ids of what counts; of none, anything."""
        return (*self.flow, *self.form, *self.name)


class CampaignReference(Model):
    """A campaign, by its id or its name. An id may be written alone: `campaign: 701...`."""

    id: CampaignId | None = Field(
        default=None,
        description="Id of an existing campaign, one for each environment: a variable.",
        examples=["701Hs000001LnYRIA0"],
    )
    name: Annotated[str, Field(pattern=names.VISIBLE, max_length=CAMPAIGN_NAME_LENGTH)] | None = Field(
        default=None, description="Name of a campaign, which no other campaign may have.", examples=["Spring webinar"]
    )
    create: bool = Field(
        default=False, description="true: an apply makes the campaign where there is none of this name."
    )

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Take a text alone for the id."""
        return {"id": value} if isinstance(value, str) else value

    @property
    def key(self) -> str:
        """The id or the name, as it is written."""
        return self.id or self.name or ""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        full: dict[str, Any] = handler(core)
        resolved = handler.resolve_ref_schema(full)
        long = dict(resolved)
        resolved.clear()
        resolved.update(
            title=long["title"],
            description=long.pop("description", ""),
            anyOf=[long["properties"]["id"]["anyOf"][0], long],
        )
        return full


class EventRegistration(Model):
    """What registers people for an event: they become members of a campaign, with a status."""

    when: RegistrationTrigger = Field(
        description="The events that register.", examples=[{"event": "flow_completed", "flow": ["Webinar sign-up"]}]
    )
    campaign: CampaignReference = Field(
        description="The campaign that people become members of.", examples=["${webinar_campaign}"]
    )
    status: Annotated[str, Field(pattern=names.VISIBLE, max_length=MEMBER_STATUS_LENGTH)] = Field(
        description="The status that members get. An apply makes those that the campaign does not have, after its others.",
        examples=["Registered"],
    )


class RoleOnboarding(Model):
    """The roles that segments in Appcues choose people by. A mapping makes them of a free field, by `map:`."""

    attribute: AttributeName = Field(description="Attribute of users that holds the role.", examples=["role"])
    values: Annotated[tuple[Scalar, ...], Field(min_length=1)] = Field(
        description="The roles that segments use. Every mapping that sends the attribute sends these values and no others.",
        examples=[["sales", "success", "admin", "other"]],
    )


class ProgressEvent(EventFilter):
    """The event of a user by which the group gets on, and the items that it has to be about; any when left out."""

    event: ActivityEvent = Field(
        description="Name of the event, as under `to_salesforce.activities`.", examples=["checklist_completed"]
    )

    def overlaps(self, other: Self) -> bool:
        """Tell whether one event may be both, by the names and ids of items as they are written."""
        own_items, other_items = (
            {name for names in event.items().values() for name in names} for event in (self, other)
        )
        return self.event == other.event and (not own_items or not other_items or not own_items.isdisjoint(other_items))


class ProgressRule(Model):
    """What an event of one user sets in the profile of the user's group."""

    when: ProgressEvent = Field(description="The event, and the items that count.")
    set_: Annotated[dict[AttributeName, Scalar], Field(min_length=1)] = Field(
        alias="set",
        description="Attributes of the group in Appcues, and their values.",
        examples=[{"onboarding_done": True}],
    )


class Recipes(Model):
    """`recipes.yaml`: use cases that come with their own fields, objects and reports. All are off unless written."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    reports: ReportSettings = Field(default=ReportSettings(), description="Where the reports lie, and who sees them.")
    completed_flows: CompletedFlows | None = Field(default=None, description="Who completed which flow, by month.")
    nps_history: NpsHistory | None = Field(default=None, description="Every NPS answer as a record, and NPS over time.")
    nps_by_account: NpsByAccount | None = Field(default=None, description="NPS by account.")
    event_registration: tuple[EventRegistration, ...] = Field(
        default=(),
        description="People who register for an event in Appcues become members of a campaign. The entries of one campaign "
        "stand in the order of their statuses: Registered before Attended.",
    )
    role_onboarding: RoleOnboarding | None = Field(default=None, description="Onboarding by the role of a person.")
    group_progress: tuple[ProgressRule, ...] = Field(
        default=(), description="What an event of one user sets in the profile of the user's group."
    )

    @property
    def webhook_events(self) -> frozenset[str]:
        """The events of Appcues that recipes work with, whatever the mappings list."""
        registering = {
            registration.when.event for registration in self.event_registration if not registration.when.name
        }
        progress = {rule.when.event for rule in self.group_progress}
        # What classic surveys send in two events, newer ones send in one.
        kinds = [kind for kind, name in NPS_EVENTS.items() if self.nps_history or name in progress]
        return frozenset({*registering, *progress, *events_filling(kinds)})

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Turn on a recipe of which only the key is written."""
        if not isinstance(value, dict):
            return value
        return {key: {} if recipe is None and key in _NEED_NO_KEYS else recipe for key, recipe in value.items()}


_NEED_NO_KEYS = ("completed_flows", "nps_history", "nps_by_account")
RECIPES = (*_NEED_NO_KEYS, "event_registration", "role_onboarding", "group_progress")
"""The keys that are recipes."""

NO_RECIPES = Recipes(version=1)
"""A project without `recipes.yaml`."""
