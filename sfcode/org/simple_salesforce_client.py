"""
Import the REST client of simple-salesforce without the parts of the package that are not used here.

`simple_salesforce.api` imports its Metadata API client (zeep), its Bulk API clients (more-itertools) and its sign-in (jwt,
cryptography) unconditionally, and no other module has its REST client. They take longer to import than the rest of a
command. During the import, stand-ins replace them, and load the real modules on first use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

PACKAGE = "simple_salesforce"
UNUSED = {"metadata": "SfdcMetadataApi", "bulk": "SFBulkHandler", "bulk2": "SFBulk2Handler"}
"""Modules of the package that are not used here, and the class that `simple_salesforce.api` makes objects of."""


class _LazyModule(ModuleType):
    """A module that imports the real one when an attribute is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # attributes that the import system reads
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


def load_client_class() -> type[Salesforce]:
    """Return the class `simple_salesforce.Salesforce`."""
    if f"{PACKAGE}.api" not in sys.modules:
        made = {f"{PACKAGE}.{module}": _make_stand_in(module, name) for module, name in UNUSED.items()}
        made["jwt"] = _LazyModule("jwt")
        stand_ins = {name: module for name, module in made.items() if name not in sys.modules}
        sys.modules.update(stand_ins)
        try:
            import_module(f"{PACKAGE}.api")
        finally:
            # Later imports get the real modules.
            for name in stand_ins:
                del sys.modules[name]
        _remove_stand_ins(vars(sys.modules[PACKAGE]), stand_ins)
    client_class: type[Salesforce] = import_module(f"{PACKAGE}.api").Salesforce
    return client_class


def _make_stand_in(module: str, name: str) -> ModuleType:
    """Return a module with a function in the place of its class, which makes an object of the real one."""

    def make(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(f"{PACKAGE}.{module}"), name)(*arguments, **options)

    stand_in = ModuleType(f"{PACKAGE}.{module}")
    vars(stand_in)[name] = make
    return stand_in


def _remove_stand_ins(package: dict[str, Any], stand_ins: dict[str, ModuleType]) -> None:
    """Let the package give the real modules and classes instead of the stand-ins that it imported."""
    modules: dict[str, str] = {}
    for module, name in UNUSED.items():
        if f"{PACKAGE}.{module}" in stand_ins:
            modules |= {module: module, name: module}
            package.pop(module, None)
            package.pop(name, None)

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}")
        module = import_module(f"{PACKAGE}.{modules[name]}")
        return module if name in UNUSED else getattr(module, name)

    package["__getattr__"] = get
