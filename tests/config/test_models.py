"""The base of the models: immutable values that are validated as a whole, copied and dumped."""

from __future__ import annotations

import copy
import pickle

import pytest

from sfcode.config import names
from sfcode.config.base import Model, ValidationError
from sfcode.config.fields import Field
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Appcues, Environment, FieldName, IntegrationUser, Salesforce, Settings
from sfcode.config.recipe_models import ProgressEvent
from sfcode.config.safety_models import Safety
from sfcode.config.yaml import parse
from tests.config.projects import CONTACT, SETTINGS

MAPPING = Mapping.model_validate(
    {"object": "Contact", "user_id": "Key__c", "to_appcues": {"attributes": {"role": "Title"}}}
)


class Item(Model):
    id: str = Field(default="a")
    note: str = Field(default="")


class Items(Model):
    items: tuple[Item, ...] = Field(default=())


def errors(model: type[Model], data: object) -> list[tuple[str, tuple[object, ...]]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return [(error["type"], error["loc"]) for error in caught.value.errors]


def test_all_errors_are_collected_with_those_of_unknown_keys_last() -> None:
    data = {"object": "x y", "match": "owner", "to_appcues": {"on": "create", "attributes": {}}, "fields": []}
    assert errors(Mapping, data) == [
        ("string_pattern_mismatch", ("object",)),
        ("literal_error", ("match",)),
        ("missing", ("user_id",)),
        ("tuple_type", ("to_appcues", "on")),
        ("too_short", ("to_appcues", "attributes")),
        ("extra_forbidden", ("fields",)),
    ]


def test_types_are_not_converted() -> None:
    """A boolean is not accepted as a number, a number is not accepted as a text, and 1 is not accepted as true."""
    assert errors(Environment, {"protected": 1, "org": 3}) == [("string_type", ("org",)), ("bool_type", ("protected",))]
    retention = {
        "retention": {"delivered_days": True, "parked_days": 2.0, "given_up_days": 1},
        "url": "https://a.example",
    }
    relay = Settings.model_annotations()["relay"]
    assert errors(relay, retention) == [
        ("int_type", ("retention", "delivered_days")),
        ("int_type", ("retention", "parked_days")),
        ("greater_than_equal", ("retention", "given_up_days")),
    ]


def test_a_wrong_key_is_distinguished_from_a_wrong_value() -> None:
    data = {"variables": {"a b": 1}}
    assert errors(Environment, data) == [
        ("string_pattern_mismatch", ("variables", "a b", "[key]")),
        ("string_type", ("variables", "a b")),
    ]


def test_a_pattern_ends_where_the_text_ends() -> None:
    """Python's `$` would accept a line break after the end of the text, which JSON Schema does not."""
    assert errors(Salesforce, {"api_version": "63.0\n"}) == [("string_pattern_mismatch", ("api_version",))]


def test_limits_of_a_field_are_added_to_those_of_its_type() -> None:
    class Label(Model):
        name: FieldName | None = Field(default=None, max_length=5)

    assert Label(name=None).name is None
    assert errors(Label, {"name": "Abcdef"}) == [("string_too_long", ("name",))]
    assert errors(Label, {"name": "A b"}) == [("string_pattern_mismatch", ("name",))]
    assert names.NAME_LIMIT > 5


def test_a_model_accepts_mappings_and_models() -> None:
    assert Safety(max_destroy=3) == Safety.model_validate({"max_destroy": "3"})
    assert Environment(safety=Safety(max_change="5%")).safety.max_change == "5%"
    with pytest.raises(ValidationError, match="account_id: missing"):
        Appcues()


def test_a_value_is_frozen_compared_and_copied() -> None:
    with pytest.raises(AttributeError, match="Mapping is frozen: cannot set object"):
        MAPPING.object = "Lead"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del MAPPING.object
    other = MAPPING.model_copy(update={"object": "Lead"})
    assert (other.object, MAPPING.object) == ("Lead", "Contact")
    assert other != MAPPING
    assert pickle.loads(pickle.dumps(MAPPING)) == copy.deepcopy(MAPPING) == MAPPING
    assert hash(Safety(max_change="1")) == hash(Safety(max_change="1"))
    assert repr(Safety(max_change="1")) == "Safety(max_destroy=None, max_change='1')"


def test_an_unchecked_model_has_its_defaults() -> None:
    item = Item.model_construct(id=3)
    assert (item.id, item.note) == (3, "")


def test_a_subclass_has_the_fields_of_its_base_first() -> None:
    assert [*ProgressEvent.model_fields] == ["flow", "survey", "checklist", "goal", "event"]
    assert not hasattr(IntegrationUser, "username")


def test_a_dump_omits_excluded_keys() -> None:
    dump = MAPPING.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert dump == {
        "object": "Contact",
        "user_id": {"field": "Key__c"},
        "to_appcues": {"attributes": {"role": {"field": "Title"}}},
    }
    exclude = {"user_id": {"from"}, "to_appcues": {"on": True, "attributes": True}, "match": True}
    dump = MAPPING.model_dump(exclude=exclude)
    assert dump["user_id"] == {"field": "Key__c", "from_": None}
    assert dump["to_appcues"] == {"trigger": "flow"}
    assert "match" not in dump
    assert (dump["replaces"], MAPPING.model_dump(mode="json")["replaces"]) == ((), [])


def test_a_dump_omits_excluded_keys_of_every_list_item() -> None:
    assert Items(items=[{"id": "b", "note": "n"}]).model_dump(exclude={"items": {"__all__": {"note"}}}) == {
        "items": ({"id": "b"},)
    }


def test_an_unknown_limit_of_a_field_is_refused_at_import() -> None:
    with pytest.raises(TypeError, match="maximum"):
        Field(maximum=3)


def test_loading_what_was_dumped_returns_the_same_value() -> None:
    for model, data in ((Mapping, CONTACT), (Settings, SETTINGS)):
        value = model.model_validate(parse(data.encode(), "x.yaml").data)
        assert model.model_validate(value.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == value
