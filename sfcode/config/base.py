"""
The base of all models of the mapping language: frozen values, declared field by field like those of pydantic.

Importing pydantic and building its validators took longer than everything else that `validate` does. The language needs
few types, so `checker` checks them; `sfcode schema` turns the models into pydantic's for their JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, ClassVar, Self, dataclass_transform, get_type_hints

from sfcode.config.checker import INVALID, Check, Errors, Path, check_of, limits_of, refuse
from sfcode.config.fields import REQUIRED, ConfigValueError, Field, FieldInfo

Exclude = Mapping[str, Any] | set[str] | bool
"""Keys to leave out of a dump: a set of keys, or a dictionary with the keys to leave out of each value; `__all__`
stands for every item of a list."""


class ValidationError(ValueError):
    """Raised for data that does not match a model; `errors` are all errors."""

    def __init__(self, model: type[Model], errors: Errors) -> None:
        self.errors = errors
        texts = [f"{'.'.join(map(str, error['loc']))}: {error['type']}" for error in errors]
        super().__init__(f"{model.__name__}: {'; '.join(texts)}")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class Model:
    """A frozen value of the mapping language that refuses unknown keys."""

    model_fields: ClassVar[dict[str, FieldInfo]] = {}
    """The fields by the names of their attributes, those of the bases first."""

    def __init_subclass__(cls) -> None:
        own = {name: info for name, info in vars(cls).items() if isinstance(info, FieldInfo)}
        cls.model_fields = {**cls.model_fields, **own}
        for name in own:  # a class attribute would hide a missing value
            delattr(cls, name)

    def __init__(self, **data: Any) -> None:
        vars(self).update(vars(type(self).model_validate(data)) if data else _defaults(type(self)))

    @classmethod
    def spell_out(cls, value: object) -> object:
        """Return the full form of a value in short form. Raises ConfigValueError."""
        return value

    @classmethod
    def model_annotations(cls) -> dict[str, Any]:
        """Return the types of the fields."""
        if cls not in _ANNOTATIONS:
            # The modules of the models do not postpone annotations: evaluating each of them as a text takes longer.
            hints = {name: hint for base in reversed(cls.__mro__[:-1]) for name, hint in base.__annotations__.items()}
            if any(isinstance(hints[name], str) for name in cls.model_fields):
                hints = get_type_hints(cls, include_extras=True)
            _ANNOTATIONS[cls] = {name: hints[name] for name in cls.model_fields}
        return _ANNOTATIONS[cls]

    @classmethod
    def check_value(cls, value: Any, path: Path, errors: Errors) -> Any:
        """Return the value of a dictionary, or INVALID after adding errors about its keys and their values."""
        if isinstance(value, cls):
            return value
        try:
            data = cls.spell_out(value)
        except ConfigValueError as error:
            return refuse(errors, error.type, path, value, error.context)
        if not isinstance(data, dict):
            return refuse(errors, "model_type", path, data)
        count = len(errors)
        values: dict[str, Any] = {}
        checks = _checks(cls)
        for key, (name, default, check) in checks.items():
            if key in data:
                values[name] = check(data[key], (*path, key), errors)
            elif default is REQUIRED:
                refuse(errors, "missing", (*path, key), data)
            else:
                values[name] = default
        if not data.keys() <= checks.keys():
            for key in data:
                if key not in checks:
                    refuse(errors, "extra_forbidden", (*path, key), data[key])
        if len(errors) > count:
            return INVALID
        checked = cls.__new__(cls)
        vars(checked).update(values)
        return checked

    @classmethod
    def model_validate(cls, data: object) -> Self:
        """Check data and return the value. Raises ValidationError with all errors."""
        errors: Errors = []
        value: Self = cls.check_value(data, (), errors)
        if errors:
            raise ValidationError(cls, errors)
        return value

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """Create a value from unchecked data by attribute names; missing attributes have their defaults."""
        value = cls.__new__(cls)
        defaults = {name: info.default for name, info in cls.model_fields.items() if not info.is_required()}
        vars(value).update({**defaults, **values})
        return value

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return a copy with other values, which are not checked."""
        return self.model_construct(**{**dict(self), **update})

    def model_dump(
        self, *, mode: str = "python", by_alias: bool = False, exclude: Exclude = False, exclude_defaults: bool = False
    ) -> dict[str, Any]:
        """Return the value as dictionaries; with `mode="json"`, tuples become lists."""
        dump: dict[str, Any] = {}
        for name, value in self:
            info = self.model_fields[name]
            if exclude_defaults and value == info.default:
                continue
            left_out = exclude and _below(exclude, name)
            if left_out is not True:
                key = info.alias or name if by_alias else name
                dump[key] = (
                    value
                    if isinstance(value, _SCALARS)
                    else _dump(value, left_out, mode, by_alias=by_alias, exclude_defaults=exclude_defaults)
                )
        return dump

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        values = vars(self)
        return ((name, values[name]) for name in self.model_fields)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((type(self), *self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name}")


def _checks(model: type[Model]) -> dict[str, tuple[str, Any, Check]]:
    """Return the attribute, the default and the check of each key."""
    if model not in _CHECKS:
        annotations = model.model_annotations()
        _CHECKS[model] = {
            info.alias or name: (name, info.default, check_of(annotations[name], limits_of(info)))
            for name, info in model.model_fields.items()
        }
    return _CHECKS[model]


_CHECKS: dict[type[Model], dict[str, tuple[str, Any, Check]]] = {}
"""Cache of the checks of models."""
_ANNOTATIONS: dict[type[Model], dict[str, Any]] = {}
"""Cache of the field types of models."""


def _defaults(model: type[Model]) -> dict[str, Any]:
    if any(info.is_required() for info in model.model_fields.values()):
        return vars(model.model_validate({}))  # which raises the error
    return {name: info.default for name, info in model.model_fields.items()}


_SCALARS = (str, int, float, NoneType)


def _below(exclude: Exclude, key: str) -> Exclude:
    """Return the keys to leave out below a key; True for the key itself."""
    if isinstance(exclude, Mapping):
        below: Exclude = exclude.get(key, False)
        return below
    return isinstance(exclude, set) and key in exclude


def _dump(value: Any, exclude: Exclude, mode: str, *, by_alias: bool, exclude_defaults: bool) -> Any:
    if isinstance(value, Model):
        return value.model_dump(mode=mode, by_alias=by_alias, exclude=exclude, exclude_defaults=exclude_defaults)
    if isinstance(value, tuple):
        items = [
            _dump(item, _below(exclude, "__all__"), mode, by_alias=by_alias, exclude_defaults=exclude_defaults)
            for item in value
        ]
        return items if mode == "json" else tuple(items)
    if isinstance(value, dict):
        return {
            key: _dump(item, _below(exclude, key), mode, by_alias=by_alias, exclude_defaults=exclude_defaults)
            for key, item in value.items()
            if _below(exclude, key) is not True
        }
    return value
