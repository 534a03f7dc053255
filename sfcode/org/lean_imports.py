"""
Import packages without the parts of them that are not used here.

urllib3 imports the metadata of installed packages, requests the detection of encodings, and simple-salesforce its clients of the
Metadata and Bulk APIs (zeep, more-itertools) and its sign-in (jwt, cryptography), all unconditionally. They take longer to import
than the rest of a command. While a package is imported, stand-ins take their place, which load the real modules on first use.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

    from sfcode.org.connection import Connection

PACKAGE = "simple_salesforce"
HTTP_PARTS = {"charset_normalizer": "detect", "idna": "encode", "importlib.metadata": "version"}
"""Modules that urllib3 and requests do not need here, and the function that they import of each."""
SALESFORCE_PARTS = {
    f"{PACKAGE}.metadata": "SfdcMetadataApi",
    f"{PACKAGE}.bulk": "SFBulkHandler",
    f"{PACKAGE}.bulk2": "SFBulk2Handler",
    f"{PACKAGE}.login": "SalesforceLogin",
}
"""Modules of simple-salesforce that are not used here, and the class or function that its other modules import of each."""

_IMPORTING = threading.RLock()
_VERSION = re.compile(r"__version__ = ['\"](.+)['\"]")


class _StandIn(ModuleType):
    """A module that imports the real one when an attribute is used, or the function that others import is called."""

    def __init__(self, module: str, function: str) -> None:
        super().__init__(module)
        vars(self)[function] = _call_later(module, function)

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":  # requests looks whether it is one that it knows
            return _read_version(self.__name__)
        if name.startswith("__"):  # attributes that the import system reads
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


def load_connection_class() -> type[Connection]:
    """Return the class of connections, which needs requests."""
    if "requests" not in sys.modules:
        with _replace(HTTP_PARTS):
            import_module("requests")
    from sfcode.org.connection import Connection

    return Connection


def load_client_class() -> type[Salesforce]:
    """Return the class `simple_salesforce.Salesforce`."""
    if f"{PACKAGE}.api" not in sys.modules:
        with _replace(SALESFORCE_PARTS) as replaced:
            import_module(f"{PACKAGE}.api")
        _give_real_parts(vars(sys.modules[PACKAGE]), replaced)
    client_class: type[Salesforce] = import_module(f"{PACKAGE}.api").Salesforce
    return client_class


@contextmanager
def _replace(parts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Replace the modules that are not loaded yet by stand-ins; later imports get the real modules."""
    with _IMPORTING:
        replaced = {module: function for module, function in parts.items() if module not in sys.modules}
        sys.modules.update({module: _StandIn(module, function) for module, function in replaced.items()})
        try:
            yield replaced
        finally:
            for module in replaced:
                del sys.modules[module]


def _call_later(module: str, function: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(module), function)(*arguments, **options)

    return call


def _read_version(package: str) -> str:
    """Return the version of a package by the file that holds it."""
    spec = PathFinder.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        found = _VERSION.search(Path(folder, "version.py").read_text(encoding="utf-8"))
        if found:
            return found[1]
    raise AttributeError("__version__")


def _give_real_parts(package: dict[str, Any], replaced: Mapping[str, str]) -> None:
    """Let a package give the real modules and classes instead of the stand-ins that it imported."""
    modules: dict[str, str] = {}
    for module, function in replaced.items():
        name = module.rpartition(".")[2]
        modules |= {name: module, function: module}
        package.pop(name, None)
        package.pop(function, None)

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}")
        module = import_module(modules[name])
        return module if name == modules[name].rpartition(".")[2] else getattr(module, name)

    package["__getattr__"] = get
