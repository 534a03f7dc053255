"""
simple-salesforce without the parts that are not used here: its SOAP client and its signing of tokens.

Both are imported with it, and bring zeep and cryptography along, which take longer than all the rest. They come when
somebody asks for them: `mdapi` of a client, or a sign-in of its own.
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


class _Later(ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the machinery of imports asks
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _metadata_api(*arguments: Any, **named: Any) -> Any:
    return importlib.import_module(METADATA).SfdcMetadataApi(*arguments, **named)


def client_class() -> type[Salesforce]:
    """Give simple-salesforce's client."""
    if f"{PACKAGE}.api" not in sys.modules:
        metadata = ModuleType(METADATA)
        metadata.SfdcMetadataApi = _metadata_api  # type: ignore[attr-defined]
        stand_ins = {
            name: module for name, module in ((METADATA, metadata), ("jwt", _Later("jwt"))) if name not in sys.modules
        }
        sys.modules.update(stand_ins)
        try:
            importlib.import_module(f"{PACKAGE}.api")
        finally:
            # Whoever imports them now gets the real ones.
            for name in stand_ins:
                del sys.modules[name]
            vars(sys.modules.get(PACKAGE, metadata)).pop("metadata", None)
    api = importlib.import_module(f"{PACKAGE}.api")
    found: type[Salesforce] = api.Salesforce
    return found
