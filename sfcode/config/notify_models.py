"""The models of `relay.notify` in `sfcode.yaml`: the receivers of the relay's alarms."""

from typing import Annotated, Literal

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import Field

AlarmName = Literal[
    "organization_changed",
    "other_organization",
    "salesforce_sign_in",
    "salesforce_quota",
    "salesforce_access",
    "salesforce_locked",
    "salesforce_storage",
    "salesforce_crowded",
    "salesforce_refused",
    "appcues_sign_in",
    "appcues_refuses_all",
    "appcues_address",
    "bad_value",
    "field_type_unknown",
    "config_refused",
    "clock_jumped",
    "schedule_failed",
    "clearing_stopped",
    "paused",
    "notify_failed",
    "api_budget_low",
    "api_budget_used",
]
"""The names of the relay's alarms; `sfcode.relay.reasons` explains them."""

VariableName = Annotated[str, Field(pattern=names.VARIABLE)]


class NotifyReceiver(Model):
    """A receiver of the relay's alarms. Its URL and secret are environment variables of the relay, and never in a file."""

    form: Literal["standard_webhooks", "slack"] = Field(
        description="standard_webhooks: JSON, signed as standardwebhooks.com specifies; slack: a text for Slack's "
        "incoming webhooks.",
        examples=["slack"],
    )
    url_variable: VariableName = Field(
        description="Name of the environment variable with the URL.", examples=["SFCODE_NOTIFY_URL"]
    )
    secret_variable: VariableName | None = Field(
        default=None,
        description="For standard_webhooks: name of the environment variable with the signing secret, in base64 "
        "with or without the prefix whsec_.",
        examples=["SFCODE_NOTIFY_SECRET"],
    )
    alarms: tuple[AlarmName, ...] = Field(
        default=(), description="The alarms to send; by default all.", examples=[["salesforce_quota"]]
    )
    repeat_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours after which an unacknowledged alarm is sent again.",
    )
