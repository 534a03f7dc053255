"""The model of `appcues.webhook` in `sfcode.yaml`: where a webhook of Appcues holds what."""

from typing import Annotated, Any

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import Convert, Field


class OneOrSeveral:
    """An annotation that has the JSON Schema of a list accept one of its items alone."""

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
    Where a webhook holds what: keys with dots between them, the first path that leads to a value wins.

    Paths begin at the event; where it has no value, they begin at what encloses the event. `sfcode relay learn` proposes
    them from a webhook that was received.
    """

    events: EventPaths | None = Field(
        default=None,
        description="Where a body holds its events; lists on the way are gone through. When left out: `events`, `data`, "
        "`event` or `payload`, else the body itself.",
        examples=["batch.items"],
    )
    name: EventPaths = Field(default=("name", "event"), description="The event's name.", examples=["event_type"])
    user_id: EventPaths = Field(
        default=("user_id", "userId"),
        description="The id of the event's user. A path of one key is looked for among the attributes too.",
        examples=["profile.external_id"],
    )
    group_id: EventPaths = Field(
        default=("group_id", "groupId"),
        description="The id of the user's group. A path of one key is looked for among the attributes too.",
        examples=["company.id"],
    )
    timestamp: EventPaths = Field(
        default=("timestamp",),
        description="When it happened. A path of one key is looked for among the attributes too.",
        examples=["occurred_at"],
    )
    id: EventPaths | None = Field(
        default=None,
        description="The event's own id, by which one that comes again is known; see `relay.message_id`.",
        examples=["event_id"],
    )
    attributes: EventPaths = Field(
        default=("attributes", "attributes._identity", "identity", "context", "attributes.user", "user"),
        description="Objects with the event's attributes; of an attribute that several have, the first one counts. The "
        "event itself is looked through last.",
        examples=["properties"],
    )
