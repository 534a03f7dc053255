"""The project's dataclasses behave like those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from sfcode import lazy_dataclasses
from sfcode.diagnostics import Position

Decorator = Callable[..., Any]
COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


def define(dataclass: Decorator, **options: bool) -> type[Any]:
    """Return a class with every kind of field."""

    @dataclass(**options)
    class Sample:
        """A sample."""

        first: int
        second: str = "two"
        listed: list[int] = dataclasses.field(default_factory=list)
        ignored: int = dataclasses.field(default=0, compare=False, repr=False)
        made: list[int] = dataclasses.field(init=False, default_factory=list)
        fixed: int = dataclasses.field(init=False, default=7)
        by_name: int = dataclasses.field(default=8, kw_only=True)

    return Sample


def define_with_own_methods(dataclass: Decorator, **options: bool) -> type[Any]:
    """Return a class that defines methods which are generated for other classes."""

    @dataclass(**options)
    class Own:  # noqa: PLW1641  (the decorator decides about __hash__)
        first: str
        doubled: str = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "doubled", self.first * 2)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.first.lower() == other.first.lower()

        def __repr__(self) -> str:
            return f"<{self.first}>"

    return Own


def define_child(dataclass: Decorator, **options: bool) -> type[Any]:
    """Return a class that inherits fields."""

    @dataclass(**options)
    class Base:
        first: int
        second: int = 2

    @dataclass(**options)
    class Child(Base):
        third: int = 3
        second: int = 22

    return Child


def describe(attempt: Callable[[], object]) -> str:
    """Return the result of a call or its error, in a form that is equal for two definitions of a class."""
    try:
        return repr(attempt())
    except Exception as error:  # noqa: BLE001  (compared, whatever it is)
        return f"{type(error).__name__}: {error}"


def behavior(kind: type[Any]) -> list[str]:
    """Describe everything that callers may do with a class that has one positional argument."""
    values = [kind("a"), kind("a"), kind("b"), kind("A")]
    value = values[0]
    attempts: list[Callable[[], object]] = [
        lambda: values,
        kind,
        lambda: kind(1, 2, [3], 4, 5, 6, 7, 8),
        lambda: kind("a", unknown=1),
        lambda: kind(1, by_name=3),
        lambda: kind(1, 2),
        lambda: [name for name, item in kind.__dict__.items() if callable(item) and name == "__post_init__"],
        lambda: kind.__match_args__,
        lambda: [item.name for item in dataclasses.fields(kind)],
        lambda: dataclasses.asdict(value),
        lambda: dataclasses.replace(value, second=9),
        lambda: copy.copy(value),
        lambda: copy.deepcopy(value) == value,
        lambda: len({*values}),
        lambda: hasattr(value, "__dict__"),
        lambda: value == 1,
        lambda: setattr(value, "first", 5),
        lambda: delattr(value, "first"),
        lambda: value,
        *(lambda compare=compare: compare(values[0], values[1]) for compare in COMPARISONS),
        *(lambda compare=compare: compare(values[-2], values[-1]) for compare in COMPARISONS),
    ]
    return [describe(attempt) for attempt in attempts]


@pytest.mark.parametrize(
    "define_class", [define, define_with_own_methods, define_child], ids=lambda function: function.__name__
)
@pytest.mark.parametrize("kw_only", [False, True])
@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(("eq", "order"), [(False, False), (True, False), (True, True)])
def test_behaves_as_the_standard_library(
    define_class: Callable[..., type[Any]], *, kw_only: bool, slots: bool, frozen: bool, eq: bool, order: bool
) -> None:
    options = {"kw_only": kw_only, "slots": slots, "frozen": frozen, "eq": eq, "order": order}
    classes = [define_class(module.dataclass, **options) for module in (dataclasses, lazy_dataclasses)]
    if kw_only:
        assert {describe(lambda kind=kind: kind(1)) for kind in classes} == {describe(lambda: classes[0](1))}
        classes = [positional(kind) for kind in classes]
    assert behavior(classes[1]) == behavior(classes[0])


def positional(kind: type[Any]) -> type[Any]:
    """Return a subclass that takes its first field by position, and is not a dataclass itself."""
    first = dataclasses.fields(kind)[0].name
    return type(kind.__name__, (kind,), {"__init__": lambda self, value: kind.__init__(self, **{first: value})})


@pytest.mark.parametrize("slots", [False, True])
def test_a_frozen_object_takes_no_other_attribute(*, slots: bool) -> None:
    """In Python 3.11, the standard library's dataclasses with slots raise a TypeError here."""
    sample = define(lazy_dataclasses.dataclass, frozen=True, slots=slots)(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'unknown'"):
        sample.unknown = 5


def test_an_object_that_contains_itself_has_a_representation() -> None:
    sample = define(lazy_dataclasses.dataclass)(1)
    sample.listed.append(sample)
    assert (
        repr(sample) == f"{type(sample).__qualname__}(first=1, second='two', listed=[...], made=[], fixed=7, by_name=8)"
    )


def test_a_frozen_value_with_slots_is_pickled() -> None:
    position = Position("config/sfcode.yaml", 1, 2)
    assert pickle.loads(pickle.dumps(position)) == position


def test_a_method_is_compiled_once() -> None:
    kind = define(lazy_dataclasses.dataclass, frozen=True)
    before = kind.__init__
    kind(1)
    compiled = kind.__init__
    kind(2)
    assert before is not compiled
    assert compiled is kind.__init__
    assert compiled.__code__.co_varnames[:3] == ("self", "first", "second")
