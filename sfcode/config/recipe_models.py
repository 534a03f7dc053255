"""The models of `recipes.yaml`: reports, and what they need."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.mapping_models import ItemNames
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


class Recipes(Model):
    """`recipes.yaml`: use cases that come with their own fields, objects and reports. All are off unless written."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    reports: ReportSettings = Field(default=ReportSettings(), description="Where the reports lie, and who sees them.")
    completed_flows: CompletedFlows | None = Field(default=None, description="Who completed which flow, by month.")
    nps_history: NpsHistory | None = Field(default=None, description="Every NPS answer as a record, and NPS over time.")
    nps_by_account: NpsByAccount | None = Field(default=None, description="NPS by account.")

    @model_validator(mode="before")
    @classmethod
    def _turn_on(cls, value: object) -> object:
        """Turn on a recipe of which only the key is written."""
        if not isinstance(value, dict):
            return value
        return {key: {} if given is None and key in RECIPES else given for key, given in value.items()}


RECIPES = ("completed_flows", "nps_history", "nps_by_account")
"""The keys that are recipes."""

NO_RECIPES = Recipes(version=1)
"""A project without `recipes.yaml`."""
