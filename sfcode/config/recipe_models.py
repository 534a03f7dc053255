"""The models of `recipes.yaml`."""

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
        "user:USERNAME. A folder cannot be shared with a permission set. With an empty list, only the person who "
        "applies and administrators see it.",
    )


class CompletedFlows(Model):
    """Reports of the people who completed a flow, by flow and month, and of those who did not."""

    not_completed: ItemNames = Field(
        default=(),
        description="Flows, by name, each with a report of the contacts who have not completed it. Needs "
        "`activities_as: custom_object`, since the report column for standard activities depends on a setting of "
        "the org.",
        examples=[["Onboarding"]],
    )


class NpsHistory(Model):
    """A record for each NPS answer, and a report of NPS over time."""

    account: Literal["lookup", "detail"] = Field(
        default="lookup",
        description="lookup: answers are private, and also kept for people without an account. detail: answers are "
        "detail records of their account, with its visibility and deleted with it; answers of people without an "
        "account are not kept.",
    )


class NpsByAccount(Model):
    """A report of NPS by account. It needs `nps_history`."""

    account_fields: bool = Field(
        default=False,
        description="Whether accounts also get fields for NPS and the number of answers, promoters and detractors, kept by "
        "roll-ups. Needs `nps_history.account: detail`.",
    )


class RegistrationTrigger(Model):
    """The events that register a person: an event of Appcues, and optionally its flows, forms or click-to-track events."""

    event: RegistrationEvent = Field(description="A completed flow, a submitted form, or a click-to-track event.")
    flow: ItemNames = Field(
        default=(), description="Flows by name or ID, for flow_completed; by default all.", examples=[["Webinar"]]
    )
    form: ItemNames = Field(
        default=(),
        description="Forms, for form_submitted: by ID, or by name or ID of their flow; by default all.",
    )
    name: tuple[CustomEvent, ...] = Field(
        default=(), description="Click-to-track events by name, for click_to_track.", examples=[["Clicked Register"]]
    )

    @property
    def items(self) -> tuple[str, ...]:
        """The names and IDs of items that count; all items if empty."""
        return (*self.flow, *self.form, *self.name)


class CampaignReference(Model):
    """A campaign, by ID or name. Short form for an ID: `campaign: 701...`."""

    id: CampaignId | None = Field(
        default=None,
        description="ID of an existing campaign. Use a variable, since it differs by environment.",
        examples=["701Hs000001LnYRIA0"],
    )
    name: Annotated[str, Field(pattern=names.VISIBLE, max_length=CAMPAIGN_NAME_LENGTH)] | None = Field(
        default=None, description="Name of a campaign, which must be unique.", examples=["Spring webinar"]
    )
    create: bool = Field(default=False, description="true: an apply creates the campaign if none has this name.")

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Convert a text to the ID."""
        return {"id": value} if isinstance(value, str) else value

    @property
    def key(self) -> str:
        """The ID or the name, as in the file."""
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
    """Registers people for an event: adds them to a campaign, with a status."""

    when: RegistrationTrigger = Field(
        description="The events that register.", examples=[{"event": "flow_completed", "flow": ["Webinar sign-up"]}]
    )
    campaign: CampaignReference = Field(
        description="The campaign that people become members of.", examples=["${webinar_campaign}"]
    )
    status: Annotated[str, Field(pattern=names.VISIBLE, max_length=MEMBER_STATUS_LENGTH)] = Field(
        description="The status of the members. An apply creates it after the existing ones if the campaign does not have it.",
        examples=["Registered"],
    )


class RoleOnboarding(Model):
    """The roles by which segments in Appcues select people. A mapping derives them from a field by `map:`."""

    attribute: AttributeName = Field(description="Attribute of users with the role.", examples=["role"])
    values: Annotated[tuple[Scalar, ...], Field(min_length=1)] = Field(
        description="The roles that segments use. Every mapping that sends the attribute sends these values and no others.",
        examples=[["sales", "success", "admin", "other"]],
    )


class ProgressEvent(EventFilter):
    """The event of a user that changes the group, and the items that count; by default all."""

    event: ActivityEvent = Field(
        description="Name of the event, as under `to_salesforce.activities`.", examples=["checklist_completed"]
    )

    def overlaps(self, other: Self) -> bool:
        """Return whether one event may match both rules; items are compared by names and IDs as written in the file."""
        own_items, other_items = (
            {name for names in event.items().values() for name in names} for event in (self, other)
        )
        return self.event == other.event and (not own_items or not other_items or not own_items.isdisjoint(other_items))


class ProgressRule(Model):
    """Attributes that an event of a user sets in the profile of the user's group."""

    when: ProgressEvent = Field(description="The event, and the items that count.")
    set_: Annotated[dict[AttributeName, Scalar], Field(min_length=1)] = Field(
        alias="set",
        description="Attributes of the group in Appcues, with their values.",
        examples=[{"onboarding_done": True}],
    )


class Recipes(Model):
    """`recipes.yaml`: use cases with their own fields, objects and reports. Each is off unless its key is present."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    reports: ReportSettings = Field(
        default=ReportSettings(), description="The folder of the reports, and the people who see it."
    )
    completed_flows: CompletedFlows | None = Field(default=None, description="Who completed which flow, by month.")
    nps_history: NpsHistory | None = Field(default=None, description="Every NPS answer as a record, and NPS over time.")
    nps_by_account: NpsByAccount | None = Field(default=None, description="NPS by account.")
    event_registration: tuple[EventRegistration, ...] = Field(
        default=(),
        description="Adds people who register for an event in Appcues to a campaign. The entries of one campaign "
        "are in the order of their statuses: Registered before Attended.",
    )
    role_onboarding: RoleOnboarding | None = Field(default=None, description="Onboarding by the role of a person.")
    group_progress: tuple[ProgressRule, ...] = Field(
        default=(), description="Attributes that an event of a user sets in the profile of the user's group."
    )

    @property
    def webhook_events(self) -> frozenset[str]:
        """The events of Appcues that recipes need, in addition to those of mappings."""
        registering = {
            registration.when.event for registration in self.event_registration if not registration.when.name
        }
        progress = {rule.when.event for rule in self.group_progress}
        # Classic surveys send score and feedback as two events, newer ones as one.
        kinds = [kind for kind, name in NPS_EVENTS.items() if self.nps_history or name in progress]
        return frozenset({*registering, *progress, *events_filling(kinds)})

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Turn on a recipe whose key has no value."""
        if not isinstance(value, dict):
            return value
        return {key: {} if recipe is None and key in _NEED_NO_KEYS else recipe for key, recipe in value.items()}


_NEED_NO_KEYS = ("completed_flows", "nps_history", "nps_by_account")
RECIPES = (*_NEED_NO_KEYS, "event_registration", "role_onboarding", "group_progress")
"""The keys that are recipes."""

NO_RECIPES = Recipes(version=1)
"""A project without `recipes.yaml`."""
