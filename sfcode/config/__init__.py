"""The mapping language: from YAML with positions to typed models. `load` loads a project."""

from __future__ import annotations

from sfcode.config.load import load
from sfcode.config.project import NamedMapping, Project, SecretRef
from sfcode.config.secrets import resolve_secrets

__all__ = ["NamedMapping", "Project", "SecretRef", "load", "resolve_secrets"]
