"""
Dataclasses as in the standard library, which are eight times quicker to define.

The standard library writes the source of up to eight methods of each class and compiles them one by one: for the 68 classes of
`sfcode validate` that took a fifth of its time. Here a method is compiled when it is called first. Fields, `replace`, `asdict`,
`copy` and `pickle` are those of the standard library.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, asdict, field, fields, replace
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]

_ORDER = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}


def _define(
    cls: type[Any] | None = None,
    /,
    *,
    eq: bool = True,
    order: bool = False,
    frozen: bool = False,
    kw_only: bool = False,
    slots: bool = False,
) -> Any:
    """Turn a class into a dataclass; the options mean what they mean in the standard library."""
    if cls is None:
        return lambda decorated: _define(decorated, eq=eq, order=order, frozen=frozen, kw_only=kw_only, slots=slots)
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # the standard library would ask `inspect` for the signature
    defined: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only, slots=slots)(cls)
    own = vars(defined)
    methods: dict[str, Any] = {"__init__": _when_called(defined, "__init__", _init_source, frozen), "__repr__": _repr}
    if eq:
        methods["__eq__"] = _when_called(defined, "__eq__", _comparison_source, "==")
        methods["__hash__"] = _when_called(defined, "__hash__", _hash_source) if frozen else None
        if own.get("__hash__") is None and "__eq__" in own:  # Python itself sets None for a class that has an `__eq__`
            defined.__hash__ = methods["__hash__"]
    if order:
        methods |= {name: _when_called(defined, name, _comparison_source, sign) for name, sign in _ORDER.items()}
    if frozen:
        methods |= _refusals(defined)
    if frozen and slots:
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    for name, method in methods.items():
        if name not in own:
            setattr(defined, name, method)
    return defined


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _define


def _when_called(cls: type[Any], name: str, write: Callable[..., str], *options: object) -> Callable[..., Any]:
    """
    Return a method that, when it is first called, compiles the real method and replaces itself by it.

    `write` returns the source of the real method.
    """

    def compile_and_call(self: Any, /, *args: Any, **values: Any) -> Any:
        names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
        source = write(cls, names, *options)
        exec(compile(source, f"<{cls.__qualname__}.{name}>", "exec"), names)  # noqa: S102  (made of the names of fields)
        method = names[name]
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
        return method(self, *args, **values)

    return compile_and_call


def _init_source(cls: type[Any], names: dict[str, Any], frozen: object) -> str:
    """Return the source of `__init__`, and add to `names` the global variables that the source uses."""
    parameters: dict[bool, list[str]] = {False: [], True: []}
    lines: list[str] = []
    for item in fields(cls):
        name, default, value = item.name, "", item.name
        if item.default_factory is not MISSING:
            names[f"_make_{name}"] = item.default_factory
            default = "=_MISSING"
            value = f"_make_{name}() if {name} is _MISSING else {name}" if item.init else f"_make_{name}()"
        elif item.default is not MISSING:
            names[f"_default_{name}"] = item.default
            default = f"=_default_{name}"
            value = name if item.init else f"_default_{name}"
        elif not item.init:
            continue  # `__post_init__` sets it
        if item.init:
            parameters[bool(item.kw_only)].append(name + default)
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    positional, by_name = parameters[False], parameters[True]
    signature = ", ".join(["self", *positional, *(["*", *by_name] if by_name else [])])
    return "\n    ".join([f"def __init__({signature}):", *(lines or ["pass"])])


def _comparison_source(cls: type[Any], _names: object, sign: str) -> str:
    name = next((name for name, its_sign in _ORDER.items() if its_sign == sign), "__eq__")
    values = f"{_values_of('self', cls)} {sign} {_values_of('other', cls)}"
    return f"def {name}(self, other):\n    return {values} if other.__class__ is self.__class__ else NotImplemented"


def _hash_source(cls: type[Any], _names: object) -> str:
    return f"def __hash__(self):\n    return hash({_values_of('self', cls)})"


def _values_of(variable: str, cls: type[Any]) -> str:
    """Return the source of a tuple of the compared fields of `variable`."""
    return f"({''.join(f'{variable}.{item.name}, ' for item in fields(cls) if item.compare)})"


def _refusals(cls: type[Any]) -> dict[str, Any]:
    """Return the methods of a frozen class that refuse to set or delete a field."""
    names = {item.name for item in fields(cls)}

    def refuse_to_set(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def refuse_to_delete(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return {"__setattr__": refuse_to_set, "__delattr__": refuse_to_delete}


@recursive_repr()
def _repr(self: Any) -> str:
    values = (f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for item, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)
