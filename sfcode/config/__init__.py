"""The mapping language: YAML with places -> typed models. `load` is the way in."""

from __future__ import annotations

from sfcode.config.load import load
from sfcode.config.project import NamedMapping, Project, SecretRef
from sfcode.config.secrets import resolve_secrets

__all__ = ["NamedMapping", "Project", "SecretRef", "load", "resolve_secrets"]
