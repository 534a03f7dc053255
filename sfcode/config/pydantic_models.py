"""Convert the models of the mapping language to pydantic models, to generate their JSON Schema."""

from __future__ import annotations

import dataclasses
import functools
import types
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic

from sfcode.config.base import Model
from sfcode.config.fields import Convert, FieldInfo, JsonSchema, JsonValue

_SETTINGS = tuple(field.name for field in dataclasses.fields(FieldInfo))
_HOOK = "__get_pydantic_json_schema__"


def pydantic_model(model: type[Model]) -> type[pydantic.BaseModel]:
    """Return the pydantic model with the same fields, texts and JSON Schema as a model of the mapping language."""
    if model in _MODELS:
        return _MODELS[model]
    namespace: dict[str, Any] = {
        "__module__": model.__module__,
        "__doc__": model.__doc__,
        "__annotations__": {name: _type(annotation) for name, annotation in model.model_annotations().items()},
        "model_config": pydantic.ConfigDict(extra="forbid"),
        **{name: _field(info) for name, info in model.model_fields.items()},
    }
    hook = getattr(model, _HOOK, None)
    if hook:
        namespace[_HOOK] = classmethod(hook.__func__)
    pydantic_class: type[pydantic.BaseModel] = types.new_class(
        model.__name__, (pydantic.BaseModel,), exec_body=lambda body: body.update(namespace)
    )
    _MODELS[model] = pydantic_class
    return pydantic_class


_MODELS: dict[type[Model], type[pydantic.BaseModel]] = {}


def _field(info: FieldInfo) -> Any:
    settings = {name: value for name in _SETTINGS if (value := getattr(info, name)) is not None}
    if info.is_required():
        del settings["default"]
    else:
        settings["default"] = (
            info.default.model_dump(by_alias=True) if isinstance(info.default, Model) else info.default
        )
    return pydantic.Field(**settings)


def _type(annotation: Any) -> Any:
    """Return the type with the language's models and annotations replaced by those of pydantic."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        metadata = [_metadata(item) for item in arguments[1:] if not isinstance(item, Convert)]
        return functools.reduce(lambda inner, item: Annotated[inner, item], metadata, _type(arguments[0]))
    if origin in (Union, UnionType):
        return Union[tuple(map(_type, arguments))]  # noqa: UP007  (of a tuple that is known only now)
    if origin is tuple:
        return types.GenericAlias(tuple, (_type(arguments[0]), ...))
    if origin is dict:
        return types.GenericAlias(dict, tuple(map(_type, arguments)))
    if annotation is JsonValue:
        return pydantic.JsonValue
    if origin is Literal or annotation is NoneType or not issubclass(annotation, Model):
        return annotation
    return pydantic_model(annotation)


def _metadata(item: Any) -> Any:
    if isinstance(item, FieldInfo):
        return _field(item)
    return pydantic.WithJsonSchema(item.schema) if isinstance(item, JsonSchema) else item
