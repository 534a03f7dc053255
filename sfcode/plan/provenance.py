"""The provenance of a plan: when and from which commit it was made, and the YAML lines behind its addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sfcode.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sfcode.mapping.desired import Desired
    from sfcode.plan.change import Change

DIRTY = "-dirty"
"""The suffix of the commit of a config with uncommitted changes."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The time and the source of a plan, for information only."""

    made_at: str
    """The time at which the plan was made: UTC, ISO 8601."""
    commit: str = ""
    """The commit of the config, with the suffix DIRTY if the config differs from it; empty outside git."""
    repository: str = ""
    """The web address of the repository; empty unless the commit was pushed there."""
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lines such as `config/mappings/contact.yaml:12` by address; in git, paths are relative to the repository."""

    @property
    def commit_link(self) -> str:
        """The web address of the commit; empty if it is not known."""
        commit = self.commit.removesuffix(DIRTY)
        if not (self.repository and commit):
            return ""
        word = "commits" if _host(self.repository) == "bitbucket.org" else "commit"
        return f"{self.repository}/{_separator(self.repository)}{word}/{commit}"

    def line_link(self, place: str) -> str:
        """Return the web address of a line; empty if it is not known, or if the file may differ."""
        if not self.repository or not self.commit or self.commit.endswith(DIRTY):
            return ""
        path, _, line = place.rpartition(":")
        word, mark = ("src", "#lines-") if _host(self.repository) == "bitbucket.org" else ("blob", "#L")
        return f"{self.repository}/{_separator(self.repository)}{word}/{self.commit}/{quote(path)}{mark}{line}"


def list_lines(
    changes: Iterable[Change], desired: Desired, rename: Callable[[str], str] = str
) -> dict[str, tuple[str, ...]]:
    """Return the YAML lines behind each of some changes, `file:line`; `rename` converts paths of files."""
    lines: dict[str, tuple[str, ...]] = {}
    for change in changes:
        origins = desired.find_origins(change.address)
        names = _list_changed_names(change)
        behind = [origin for origin in origins if origin.token in names] or [
            origin for origin in origins if not origin.token
        ]
        places = sorted({(origin.position.file, origin.position.line) for origin in behind})
        if places:
            lines[str(change.address)] = tuple(f"{rename(file)}:{line}" for file, line in places)
    return lines


def web_address(remote: str) -> str:
    """Return the web address of a git remote, without a user or password; empty for a folder or an unknown form."""
    if "://" not in remote and ":" in remote:  # git@host:path
        host, _, path = remote.rpartition("@")[2].partition(":")
    else:
        parts = urlsplit(remote)
        if parts.scheme not in {"http", "https", "ssh", "git"}:
            return ""
        host, path = parts.hostname or "", parts.path
        if parts.scheme in {"http", "https"} and parts.port:
            host = f"{host}:{parts.port}"
    path = path.strip("/").removesuffix(".git")
    return f"https://{host}/{quote(path)}" if "." in host and path else ""


def _list_changed_names(change: Change) -> set[str]:
    """Return the names in the paths and values that an update changes; none for a creation or deletion."""
    if change.before is None or change.after is None:
        return set()
    names: set[str] = set()
    for attribute in change.attributes:
        names.update(map(str, attribute.path))
        names.update(value for value in (attribute.before, attribute.after) if isinstance(value, str))
    return names


def _host(repository: str) -> str:
    return urlsplit(repository).hostname or ""


def _separator(repository: str) -> str:
    return "-/" if "gitlab" in _host(repository) else ""
