"""The model of a mapping and its parts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import ConfigValueError, Convert, Field, JsonSchema
from sfcode.config.models import FieldName, Replaceable, Text
from sfcode.mapping.events import ACTIVITY_EVENTS, ItemKind
from sfcode.mapping.targets import TARGET_VALUES, TargetValue
from sfcode.mapping.value_map import AttributeValue

if TYPE_CHECKING:  # type checkers cannot follow a Literal that is made from a table
    ActivityEvent = str
else:
    ActivityEvent = Literal[ACTIVITY_EVENTS]

AttributeName = Annotated[str, Field(pattern=names.ATTRIBUTE)]
CustomEvent = Annotated[
    str, Field(pattern=names.CUSTOM_EVENT, max_length=127, json_schema_extra={"not": {"pattern": "^appcues:"}})
]
Direction = Literal["both", "to_appcues", "to_salesforce"]
ItemNames = tuple[Text, ...]


def _scalar(value: object) -> AttributeValue:
    if not isinstance(value, str | int | float) or (isinstance(value, str) and not value.strip()):
        raise ConfigValueError("scalar")
    return value


Scalar = Annotated[
    AttributeValue,
    Convert(_scalar),
    JsonSchema({"anyOf": [{"type": "string", "pattern": names.TEXT}, {"type": ["number", "boolean"]}]}),
]


class Shorthand(Model):
    """A model with a short form, its `field`: `role: Title` for `role: {field: Title}`."""

    field: FieldName = Field(description="API name of the Salesforce field.", examples=["Title"])

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Convert a text to the field."""
        return {"field": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        full: dict[str, Any] = handler(core)
        resolved = handler.resolve_ref_schema(full)
        short = dict(resolved["properties"]["field"])
        long = dict(resolved)
        resolved.clear()
        resolved.update(title=long["title"], description=long.pop("description", ""), anyOf=[short, long])
        return full


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


Scalars = Annotated[tuple[Scalar, ...], Field(min_length=1), Convert(_as_list)]


class FieldCondition(Model):
    """The condition on one field of the records."""

    is_: Scalars | None = Field(
        default=None,
        alias="is",
        description="The value, or a list of possible values. Short form: `Status__c: [Trial, Customer]`.",
        examples=[["Trial", "Customer"]],
    )
    not_: Scalars | None = Field(
        default=None, alias="not", description="A value, or a list of values, that the field must not have."
    )
    blank: bool | None = Field(default=None, description="true: the field must be blank; false: it must not be blank.")

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Convert a value or a list to the condition on equality."""
        condition = value if isinstance(value, dict) else {"is": value}
        if len(condition) != 1 or None in condition.values():
            raise ConfigValueError("condition")
        return condition

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        full: dict[str, Any] = handler(core)
        resolved = handler.resolve_ref_schema(full)
        long = {**resolved, "minProperties": 1, "maxProperties": 1}
        scalar = {"anyOf": [{"type": "string"}, {"type": ["number", "boolean"]}]}
        resolved.clear()
        resolved.update(
            title=long.pop("title"),
            description=long.pop("description"),
            anyOf=[scalar, {"type": "array", "items": scalar, "minItems": 1}, long],
        )
        return full


class UserId(Shorthand):
    """The user ID match: the Salesforce field that equals the Appcues user ID."""

    field: FieldName = Field(
        description="Text field with the Appcues user ID. It is generated as a formula if `from` is set; otherwise "
        "it must exist.",
        examples=["Appcues_User_Id__c"],
    )
    from_: FieldName | None = Field(
        default=None,
        alias="from",
        description="Number field with the user ID, from which the text formula `field` is generated.",
        examples=["Product_User_Id__c"],
    )


class Attribute(Shorthand):
    """A Salesforce field that is sent as an Appcues attribute, and its type."""

    type: Literal["string", "number", "boolean", "date"] | None = Field(
        default=None,
        description="Type of the attribute in Appcues. By default it depends on the type of the field, which the "
        "relay reads from the org for custom fields.",
    )
    map_: Annotated[dict[str, Scalar], Field(min_length=1)] | None = Field(
        default=None,
        alias="map",
        description="Values of the attribute by values of the field. Case and surrounding spaces are ignored. Other "
        "values are sent as `default`, and a blank field clears the attribute.",
        examples=[{"VP Sales": "sales", "Account Executive": "sales"}],
    )
    default: Scalar | None = Field(
        default=None,
        description="The value for values that `map` does not list; without it, they clear the attribute.",
        examples=["other"],
    )


class ToAppcues(Model):
    """The data from Salesforce to Appcues, and the changes that send it."""

    trigger: Literal["flow", "workflow_rule"] = Field(
        default="flow",
        description="What sends the outbound message: a record-triggered flow, or a workflow rule, which Salesforce "
        "no longer supports since 2025-12-31.",
    )
    on: Annotated[tuple[Literal["create", "update"], ...], Field(min_length=1)] = Field(
        default=("create", "update"), description="The changes of a record that are sent."
    )
    attributes: dict[AttributeName, Attribute] = Field(
        min_length=1,
        description="Appcues attributes, each with its Salesforce field.",
        examples=[{"role": "Title"}],
    )


class TargetField(Shorthand):
    """A Salesforce field that the relay writes; with `create`, sfcode generates and manages it."""

    create: bool = Field(
        default=False, description="true: sfcode creates and manages the field. false: the field exists already."
    )
    write: Literal["always", "if_blank"] = Field(
        default="always",
        description="always: the newest answer is written. if_blank: an existing value is kept, also if a person wrote it.",
    )


class Nps(Model):
    """The fields of the latest NPS answer."""

    score: TargetField | None = Field(default=None, description="Field for the latest NPS score, a number.")
    feedback: TargetField | None = Field(default=None, description="Field for the latest NPS feedback, a text.")


class EventFilter(Model):
    """The items of Appcues whose events count, each by name or ID; all items by default."""

    flow: ItemNames = Field(default=(), description="Flows, for flow_completed.", examples=[["Webinar sign-up"]])
    survey: ItemNames = Field(default=(), description="NPS surveys, for nps_score and nps_feedback.")
    checklist: ItemNames = Field(
        default=(), description="Checklists, for checklist_item_completed and checklist_completed."
    )
    goal: ItemNames = Field(default=(), description="Goals, for goal_reached.")

    def items(self) -> dict[ItemKind, tuple[str, ...]]:
        """Return the names and IDs by kind of item, without kinds that are not set."""
        kinds: dict[ItemKind, tuple[str, ...]] = {
            "flow": self.flow,
            "survey": self.survey,
            "checklist": self.checklist,
            "goal": self.goal,
        }
        return {kind: names for kind, names in kinds.items() if names}


def _spell_out_activity(value: object) -> object:
    if isinstance(value, dict):
        if len(value) != 1:
            raise ConfigValueError("activity")
        return value
    return value if isinstance(value, list) else {value: {}}


class _ActivitySchema:
    """The JSON Schema of an activity: an event alone, or an event with its filter."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        full = {**handler(core), "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"enum": [*ACTIVITY_EVENTS], "type": "string"}, full]}


Activity = Annotated[dict[ActivityEvent, EventFilter], Convert(_spell_out_activity), _ActivitySchema]


class ToSalesforce(Model):
    """The data from Appcues to Salesforce."""

    nps: Nps = Field(default=Nps(), description="The fields for the latest NPS answer.")
    activities: tuple[Activity, ...] = Field(
        default=(),
        description="Appcues events that become activities of the record: a name, or a name with the flows, "
        "surveys, checklists or goals that count.",
        examples=[["nps_score", {"flow_completed": {"flow": ["Onboarding"]}}]],
    )
    click_to_track: tuple[CustomEvent, ...] = Field(
        default=(),
        description="Click-to-track events that become activities, by their names in Appcues. Appcues sends them "
        "only with its Events Broadcaster.",
        examples=[["Clicked Upgrade"]],
    )

    @property
    def targets(self) -> Iterator[tuple[TargetValue, TargetField]]:
        """The fields of the record that events write, each with its value."""
        for value in TARGET_VALUES:
            target: Any = self
            for key in value.path:
                target = getattr(target, key)
            if target is not None:
                yield value, target

    @property
    def activity_events(self) -> tuple[str, ...]:
        """The names of the events that become activities."""
        return tuple(name for activity in self.activities for name in activity)


class Mapping(Model):
    """`mappings/NAME.yaml`: one Salesforce object and the data it exchanges with Appcues."""

    object: FieldName = Field(
        description="API name of the object: Contact, Lead, Account or a custom object.", examples=["Contact"]
    )
    match: Literal["user", "group"] = Field(
        default="user",
        description="The kind of profile in Appcues that a record belongs to: user, or group (an account).",
    )
    direction: Direction = Field(
        default="both", description="The direction of the data. Each direction has its own section."
    )
    delivery: Literal["relay", "connector"] = Field(
        default="relay",
        description="What delivers the data: the relay of this project, or Appcues' own connector, for which sfcode "
        "prepares the org without a message or flow.",
    )
    user_id: UserId = Field(
        description="The UUID match: the field that equals the Appcues user ID (with match: group, the group ID).",
        examples=["Appcues_User_Id__c"],
    )
    where: dict[FieldName, FieldCondition] = Field(
        default={},
        description="The records that take part, in both directions; by default all. Each line has a field of the "
        "object, or `RecordType` for the developer name of the record type, with a value, a list of values, `{not: "
        "...}` or `{blank: true}`. A record must match all lines.",
        examples=[{"RecordType": ["Customer"], "Status__c": {"not": ["Closed"]}}],
    )
    several: Literal["park", "newest"] = Field(
        default="park",
        description="How an event is handled if several records have its user ID: park it, or write to the record "
        "that was modified last.",
    )
    converted: Literal["follow", "park"] = Field(
        default="follow",
        description="For leads: whether an event of a converted lead is written to its contact, by the mapping of "
        "contacts, or parked.",
    )
    replaces: tuple[Replaceable, ...] = Field(
        default=(),
        description="Messages, and their rules and flows, that this mapping replaces. With `delivery: relay` an "
        "apply deletes them in the transaction that deploys the new ones; before, they are kept.",
        examples=[["WorkflowRule:Contact.Send_To_Appcues", "WorkflowOutboundMessage:Contact.Send_To_Appcues"]],
    )
    to_appcues: ToAppcues | None = Field(
        default=None, description="The data from Salesforce to Appcues, and the changes that send it."
    )
    to_salesforce: ToSalesforce | None = Field(default=None, description="The data from Appcues to Salesforce.")
