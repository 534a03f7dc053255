"""The models of `recipes.yaml`: reports, and what they need."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.mapping_models import ActivityEvent, AttributeName, EventFilter, ItemNames, Scalar
from sfcode.config.models import DeveloperName, Version

ShareName = Annotated[str, Field(pattern=names.SHARE)]


class ReportSettings(Model):
    """The folder of the reports, and the people who see it."""

    folder: DeveloperName = Field(default="Appcues", description="Developer name of the report folder, and its label.")
    share_with: Annotated[tuple[ShareName, ...], Field(strict=False)] = Field(
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


class RoleOnboarding(Model):
    """The roles that segments in Appcues choose people by. A mapping makes them of a free field, by `map:`."""

    attribute: AttributeName = Field(description="Attribute of users that holds the role.", examples=["role"])
    values: Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1)] = Field(
        description="The roles that segments use. Every mapping that sends the attribute sends these values and no others.",
        examples=[["sales", "success", "admin", "other"]],
    )


class ProgressEvent(EventFilter):
    """The event of a user by which the group gets on, and the items that it has to be about; any when left out."""

    event: ActivityEvent = Field(
        description="Name of the event, as under `to_salesforce.activities`.", examples=["checklist_completed"]
    )

    def overlaps(self, other: ProgressEvent) -> bool:
        """Tell whether one event may be both, by the names and ids of items as they are written."""
        mine, theirs = ({name for names in each.items().values() for name in names} for each in (self, other))
        return self.event == other.event and (not mine or not theirs or not mine.isdisjoint(theirs))


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
    role_onboarding: RoleOnboarding | None = Field(default=None, description="Onboarding by the role of a person.")
    group_progress: Annotated[tuple[ProgressRule, ...], Field(strict=False)] = Field(
        default=(), description="What an event of one user sets in the profile of the user's group."
    )

    @model_validator(mode="before")
    @classmethod
    def _turn_on(cls, value: object) -> object:
        """Turn on a recipe of which only the key is written."""
        if not isinstance(value, dict):
            return value
        return {key: {} if given is None and key in _NEED_NO_KEYS else given for key, given in value.items()}


_NEED_NO_KEYS = ("completed_flows", "nps_history", "nps_by_account")
RECIPES = (*_NEED_NO_KEYS, "role_onboarding", "group_progress")
"""The keys that are recipes."""

NO_RECIPES = Recipes(version=1)
"""A project without `recipes.yaml`."""
