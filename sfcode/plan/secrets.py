"""
Handle secrets in bodies: placeholders everywhere, values only in the deployed package.

Responses of the org contain secret values. They are replaced before anything is compared, printed or saved: a value
of the project's secrets by its placeholder, any other value of a SENSITIVE attribute by a keyed fingerprint.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body, Component, Value

PLACEHOLDER = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")

_PREVIOUS = re.compile(rf"\(previous ({PLACEHOLDER.pattern})\)")
"""A placeholder of a secret that has another value since the last apply."""

HIDDEN = re.compile(r"\(hidden [0-9a-f]{12}\)")
"""The replacement of an unknown secret value."""

SENSITIVE = {("WorkflowOutboundMessage", "endpointUrl")}
"""Attributes that always contain a secret, also one of another tool."""


NEVER_KEPT = {"ExtlClntAppGlobalOauthSettings": frozenset({"consumerKey", "consumerSecret"})}
"""Secret attributes that an org generates. They are removed from plans, states and reports."""


def names_in(value: Value) -> frozenset[str]:
    """Return the names of all placeholders in a body or value."""
    if isinstance(value, str):
        return frozenset(PLACEHOLDER.findall(value))
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return frozenset().union(*(names_in(part) for part in parts))


# The key derivation is slow on purpose, and an apply needs the same fingerprints as its plan.
@functools.lru_cache(maxsize=256)
def fingerprint(value: str, key: str) -> str:
    """Return twelve hex digits that distinguish two secrets and are too expensive to reverse."""
    return hashlib.pbkdf2_hmac("sha256", value.encode(), f"sfcode:{key}".encode(), 100_000)[:6].hex()


def take_fingerprints(secrets: Mapping[str, str], key: str) -> dict[str, str]:
    """Return the fingerprint of each secret by its name; other threads run meanwhile."""
    return {name: fingerprint(value, key) for name, value in sorted(secrets.items())}


def reveal(value: Value, secrets: Mapping[str, str]) -> Value:
    """Replace placeholders by values. Raises KeyError for an unknown name."""
    return _replace_texts(value, functools.partial(_reveal_text, secrets=secrets))


def reveal_component(component: Component, secrets: Mapping[str, str]) -> Component:
    """Return a component with secret values, for deployment."""
    return _replace_in_body(component, functools.partial(_reveal_text, secrets=secrets))


def _reveal_text(text: str, secrets: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: secrets[match[1]], text)


@dataclass(frozen=True)
class Mask:
    """Masks secrets in components from an org, by the secrets' values and their fingerprints at the last apply."""

    secrets: Mapping[str, str]
    applied: Mapping[str, str]
    key: str
    applied_key: str = ""
    """The key of the last apply if it is another one: in a new sandbox, that of the copied org."""

    def mask(self, component: Component, *likes: Body | None) -> Component:
        """
        Return a component with placeholders instead of secret values.

        A known value becomes its placeholder, a value of the last apply a marked placeholder, and any other value a
        fingerprint. Secrets are expected in the SENSITIVE attributes, and at each place where one of `likes` (the
        desired and the applied body) has a placeholder.
        """
        never = NEVER_KEPT.get(component.type, frozenset())
        body = {
            name: self._value(value, [(like or {}).get(name) for like in likes], (component.type, name) in SENSITIVE)
            for name, value in component.body.items()
            if name not in never
        }
        return component if _is_same(body, component.body) else Component(component.type, component.full_name, body)

    def _value(self, value: Value, likes: list[Value], sensitive: bool) -> Value:
        if isinstance(value, str):
            return self._text(value, likes, sensitive=sensitive or any(names_in(like) for like in likes))
        if isinstance(value, Mapping):
            mappings = [like if isinstance(like, Mapping) else {} for like in likes]
            masked = {
                key: self._value(part, [mapping.get(key) for mapping in mappings], sensitive)
                for key, part in value.items()
            }
            return value if _is_same(masked, value) else masked
        if isinstance(value, list | tuple):
            return [self._value(part, likes, sensitive) for part in value]
        return value

    def _text(self, text: str, likes: list[Value], *, sensitive: bool) -> str:
        # A placeholder in the org was deployed by another tool: it is not the secret.
        if PLACEHOLDER.search(text):
            return _hide(text, self.key)
        for like in likes:
            if isinstance(like, str) and names_in(like) <= self.secrets.keys() and reveal(like, self.secrets) == text:
                return like
        masked_text = text
        for name, secret in self.secrets.items():
            masked_text = masked_text.replace(secret, f"${{secret:{name}}}")
        if not sensitive or masked_text != text:
            return masked_text
        return next((previous_text for like in likes if (previous_text := self._previous(text, like))), "") or _hide(
            text, self.key
        )

    def _previous(self, text: str, like: Value) -> str:
        """Return the desired text if it is a text of the last apply, with the placeholders of changed secrets marked; else ""."""
        if not isinstance(like, str):
            return ""
        parts = PLACEHOLDER.split(like)  # text, name, text, name, ..., text
        pattern = "(.+?)".join(re.escape(part) for part in parts[::2])
        match = re.fullmatch(pattern, text)
        names = parts[1::2]
        if not match or any(
            fingerprint(value, self.applied_key or self.key) != self.applied.get(name)
            for name, value in zip(names, match.groups(), strict=True)
        ):
            return ""
        return _as_previous(like, self.secrets.keys() & set(names))


def _is_same(new: Body, old: Body) -> bool:
    """Return whether nothing was replaced, so that the old body is kept instead of an equal copy."""
    return len(new) == len(old) and all(part is old[key] for key, part in new.items())


def _as_previous(text: str, names: Collection[str]) -> str:
    """Mark the placeholders of some secrets as previous values."""
    return PLACEHOLDER.sub(lambda match: f"(previous {match[0]})" if match[1] in names else match[0], text)


def mark_previous(component: Component, names: Collection[str]) -> Component:
    """Return the applied body, with placeholders of changed secrets marked as previous."""
    if not names:
        return component
    return _replace_in_body(component, lambda text: _as_previous(text, names))


def unmark_previous(component: Component) -> Component:
    """Return a component with plain placeholders instead of marked ones, for the present values of the secrets."""
    return _replace_in_body(component, lambda text: _PREVIOUS.sub(r"\1", text))


def rename_secrets(component: Component, names: Mapping[str, str]) -> Component:
    """Return the applied body with the new names of renamed secrets."""
    if not names:
        return component

    def rename(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: f"${{secret:{names.get(match[1], match[1])}}}", text)

    return _replace_in_body(component, rename)


def _replace_in_body(component: Component, replace: Callable[[str], str]) -> Component:
    body = {key: _replace_texts(part, replace) for key, part in component.body.items()}
    return Component(component.type, component.full_name, body)


def _replace_texts(value: Value, replace: Callable[[str], str]) -> Value:
    """Return a value with each of its texts replaced."""
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, Mapping):
        return {key: _replace_texts(part, replace) for key, part in value.items()}
    return [_replace_texts(part, replace) for part in value] if isinstance(value, list | tuple) else value


def _hide(text: str, key: str) -> str:
    """Replace a text by its fingerprint, since it may be secret. The host of a URL is kept."""
    mark = f"(hidden {fingerprint(text, key)})"
    parts = urlsplit(text)
    if not (parts.scheme and parts.netloc):
        return mark
    host = parts.netloc.rpartition("@")[2]
    if parts.path in ("", "/") and not parts.query and not parts.fragment and host == parts.netloc:
        return text
    return f"{parts.scheme}://{host}/{mark}"
