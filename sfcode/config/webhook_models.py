"""The model of `appcues.webhook` in `sfcode.yaml`: the paths of values in a webhook of Appcues."""

from typing import Annotated, Any

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import Convert, Field


class OneOrSeveral:
    """An annotation with which the JSON Schema of a list also accepts one of its items."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        """Return the schema of one item, or of the list."""
        several: dict[str, Any] = handler(core)
        return {"anyOf": [several["items"], several]}


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


EventPath = Annotated[str, Field(pattern=names.EVENT_PATH)]
EventPaths = Annotated[tuple[EventPath, ...], Field(min_length=1), Convert(_as_list), OneOrSeveral]


class WebhookPaths(Model):
    """
    The paths of values in a webhook: keys separated by dots. Of several paths, the first one with a value is used.

    Paths begin at the event or, if it has no value, at its enclosing objects. `sfcode relay learn` proposes
    paths for a received webhook.
    """

    events: EventPaths | None = Field(
        default=None,
        description="The path of the events in a body, also through lists. By default `events`, `data`, `event` or "
        "`payload`, else the body itself.",
        examples=["batch.items"],
    )
    name: EventPaths = Field(default=("name", "event"), description="The event's name.", examples=["event_type"])
    user_id: EventPaths = Field(
        default=("user_id", "userId"),
        description="The ID of the event's user. A path of one key is also searched among the attributes.",
        examples=["profile.external_id"],
    )
    group_id: EventPaths = Field(
        default=("group_id", "groupId"),
        description="The ID of the user's group. A path of one key is also searched among the attributes.",
        examples=["company.id"],
    )
    timestamp: EventPaths = Field(
        default=("timestamp",),
        description="The time of the event. A path of one key is also searched among the attributes.",
        examples=["occurred_at"],
    )
    id: EventPaths | None = Field(
        default=None,
        description="The event's own ID, by which a repetition is detected; see `relay.message_id`.",
        examples=["event_id"],
    )
    attributes: EventPaths = Field(
        default=("attributes", "attributes._identity", "identity", "context", "attributes.user", "user"),
        description="Objects with the event's attributes. If several have an attribute, the first one is used. The "
        "event itself is searched last.",
        examples=["properties"],
    )
