"""The models of `events.yaml`."""

from typing import TYPE_CHECKING, Annotated, Literal

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import Field
from sfcode.config.models import Text, Version
from sfcode.mapping.events import HANDLED_EVENTS, PROPERTY_EVENTS, TEXT_EVENTS, NpsKind
from sfcode.mapping.limits import TEXT_LENGTH

if TYPE_CHECKING:  # type checkers cannot follow a Literal that is made from a table
    PropertyEvent = str
    TextEvent = str
    HandledEvent = str
else:
    PropertyEvent = Literal[PROPERTY_EVENTS]
    TextEvent = Literal[TEXT_EVENTS]
    HandledEvent = Literal[HANDLED_EVENTS]
OtherEvent = Annotated[
    str, Field(pattern=names.EVENT, max_length=127, json_schema_extra={"not": {"pattern": "^appcues:"}})
]


class EventText(Model):
    """The texts (Jinja2) of the Salesforce activity for an Appcues event."""

    subject: Text = Field(
        description=f"Subject of the activity; Salesforce keeps {TEXT_LENGTH} characters.",
        examples=["Appcues Flow Completed - {{ flowName }}"],
    )
    comment: str = Field(
        description="Comment (description) of the activity.", examples=["User completed {{ flowName }}."]
    )


class Alias(Model):
    """An Appcues event that is handled as another one, with the names of its attributes."""

    as_: HandledEvent = Field(
        alias="as",
        description="The event as which it is handled, which determines its texts, its properties, and its name in "
        "mappings.",
        examples=["flow_completed"],
    )
    attributes: dict[Text, Text] = Field(
        default={},
        description="Names of attributes in texts and properties, with their names in the event. Other attributes "
        "keep their names.",
        examples=[{"flowName": "experienceName"}],
    )


class Events(Model):
    """`events.yaml`: what the relay writes to Salesforce for each Appcues event."""

    version: Version = Field(description="Version of the mapping language: 1.", examples=[1])
    properties: dict[PropertyEvent, dict[NpsKind, Text]] = Field(
        default={},
        description="Events that update NPS fields, each with the event's attribute for the score or the feedback. "
        "Omitted events keep the default.",
    )
    activities: dict[TextEvent, EventText] = Field(
        default={},
        description="Texts of the activities. {{ }} inserts an attribute of the event. Omitted events keep the "
        "default texts.",
    )
    aliases: dict[OtherEvent, Alias] = Field(
        default={},
        description="Other events of Appcues, by name without appcues:, that are handled as one of the events "
        "above, such as events of newer experiences. An event that is listed as itself is also recognized without "
        "the prefix appcues:.",
        examples=[{"v2:experience_completed": {"as": "flow_completed", "attributes": {"flowName": "experienceName"}}}],
    )
