"""
Import simple-salesforce without zeep and cryptography, which it imports for parts that are not used here.

`simple_salesforce.api` imports its Metadata API client (zeep) and its sign-in (jwt, cryptography) unconditionally, and
no other module has its REST client. They take longer to import than the rest of a command. During the import, lazy
modules replace them, and load the real modules on first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

PACKAGE = "simple_salesforce"
METADATA = f"{PACKAGE}.metadata"


class _LazyModule(ModuleType):
    """A module that imports the real one when an attribute is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the machinery of imports asks
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _metadata_api(*arguments: Any, **options: Any) -> Any:
    return importlib.import_module(METADATA).SfdcMetadataApi(*arguments, **options)


def load_client_class() -> type[Salesforce]:
    """Return the class `simple_salesforce.Salesforce`."""
    if f"{PACKAGE}.api" not in sys.modules:
        metadata = ModuleType(METADATA)
        metadata.SfdcMetadataApi = _metadata_api  # type: ignore[attr-defined]
        stand_ins = {
            name: module
            for name, module in ((METADATA, metadata), ("jwt", _LazyModule("jwt")))
            if name not in sys.modules
        }
        sys.modules.update(stand_ins)
        try:
            importlib.import_module(f"{PACKAGE}.api")
        finally:
            # A later import returns the real ones.
            for name in stand_ins:
                del sys.modules[name]
            vars(sys.modules.get(PACKAGE, metadata)).pop("metadata", None)
    api = importlib.import_module(f"{PACKAGE}.api")
    client_class: type[Salesforce] = api.Salesforce
    return client_class
