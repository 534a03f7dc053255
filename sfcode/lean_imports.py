"""
Import packages without the parts of them that are not used here.

Some packages always import modules that take longer to import than the rest of a command: urllib3 imports the metadata of
installed packages, requests the detection of encodings, simple-salesforce its clients of the Metadata and Bulk APIs, and uvicorn
its command line. While a package is imported, stand-ins replace such modules; a stand-in imports the real module on first use.
"""

from __future__ import annotations

import gc
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

Parts = Mapping[str, tuple[str, ...]]
"""Modules that are not needed, and the functions and classes that other modules import of each."""

_IMPORTING = threading.RLock()
_VERSION = r"__version__ = ['\"](.+)['\"]"


class _StandIn(ModuleType):
    """A stand-in for a module. It imports the real module when an attribute is read or one of `functions` is called."""

    def __init__(self, module: str, functions: tuple[str, ...]) -> None:
        super().__init__(module)
        vars(self).update({function: _call_later(module, function) for function in functions})

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":  # requests checks that it supports the version
            return _read_version(self.__name__)
        if name.startswith("__"):  # attributes that the import system reads
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def import_without(package: str, parts: Parts) -> Iterator[None]:
    """
    Replace modules by stand-ins while a package is imported, unless they or the package are loaded already.

    Later imports get the real modules. If a replaced module belongs to the package, the package's attributes are set to the real
    one as well.
    """
    if package in sys.modules:
        yield
        return
    with _IMPORTING:
        replaced = {module: functions for module, functions in parts.items() if module not in sys.modules}
        sys.modules.update({module: _StandIn(module, functions) for module, functions in replaced.items()})
        try:
            yield
        finally:
            for module in replaced:
                _set_attribute(module, sys.modules.pop(module))
        own = {module: functions for module, functions in replaced.items() if module.startswith(f"{package}.")}
        if own:
            _replace_stand_ins(sys.modules[package], own)


@contextmanager
def freeze_imports() -> Iterator[None]:
    """Exclude the modules that the block imports from garbage collection, since they stay until the process ends."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _set_attribute(module: str, stand_in: ModuleType) -> None:
    """Keep the stand-in for `a.b` as the attribute `b` of the package `a`, where an import puts the real module."""
    parent, _, name = module.rpartition(".")
    if parent in sys.modules:
        vars(sys.modules[parent]).setdefault(name, stand_in)


def _call_later(module: str, function: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(module), function)(*arguments, **options)

    return call


def _read_version(package: str) -> str:
    """Return the version of a package, read from its `version.py` without importing the package."""
    spec = PathFinder.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        match = re.search(_VERSION, Path(folder, "version.py").read_text(encoding="utf-8"))
        if match:
            return match[1]
    raise AttributeError("__version__")


def _replace_stand_ins(package: ModuleType, replaced: Parts) -> None:
    """Replace the stand-ins that a package has imported, so that its attributes import the real modules and classes."""
    modules = {module.rpartition(".")[2]: module for module in replaced}
    modules |= {function: module for module, functions in replaced.items() for function in functions}
    for name in modules:
        vars(package).pop(name, None)

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package.__name__!r} has no attribute {name!r}")
        module = import_module(modules[name])
        # A function may have the same name as its module; then the attribute of the package is the function.
        functions = {function: getattr(module, function) for function in replaced[modules[name]]}
        vars(package).update({modules[name].rpartition(".")[2]: module, **functions})
        return vars(package)[name]

    vars(package)["__getattr__"] = get
