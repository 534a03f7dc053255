"""
The source that this copy of sfcode was installed from, as a pip requirement.

The bare name `sfcode` is never a requirement: no package index has it, so the code of anyone who registers it would
run with the keys of an org. Installers record the source in `direct_url.json` (PEP 610).
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
import shlex
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

import sfcode
from sfcode.git import GitFailed, find_pushed_commit
from sfcode.lazy_dataclasses import dataclass

PACKAGE = Path(sfcode.__file__).parent
TEMPLATES = Path("templates/metadata")
"""The folder of the templates, which is beside the package in a source tree, and inside the package in a wheel."""


class SourceUnknown(Exception):
    """Raised if the source is unknown or not pinned; the message is a clause without a period."""


@dataclass(frozen=True, slots=True)
class InstallSource:
    """A source that pip can install this copy from, pinned by a commit or a hash."""

    url: str
    """The URL after `sfcode @ `."""
    archive: Path | None = None
    """The wheel or source archive, if `url` is a file of this machine."""


def find_install_source() -> InstallSource:
    """
    Find the pinned source of this copy.

    Raises:
        SourceUnknown: No source is recorded, or other machines could not install this copy from it.

    """
    _, record = _read_record()
    if record is None:
        raise SourceUnknown("the installer recorded no source, as after an installation from a package index")
    url = str(record.get("url", ""))
    if "dir_info" in record:
        return InstallSource(_folder_url(record))
    if "vcs_info" in record:
        return InstallSource(
            _commit_url(record["vcs_info"].get("vcs"), url, record["vcs_info"].get("commit_id"), record)
        )
    return _archive(url, record)


def install_command(extra: str) -> str:
    """Return the shell command that installs an extra from the source of this copy."""
    package, record = _read_record()
    if record is not None and "dir_info" in record:
        editable = ["--editable"] if record["dir_info"].get("editable") else []
        return shlex.join(["pip", "install", *editable, f"{_path(record['url'])}[{extra}]"])
    if package is None:
        return shlex.join(["pip", "install", "--editable", f"{PACKAGE.parent}[{extra}]"])
    try:
        return shlex.join(["pip", "install", f"sfcode[{extra}] @ {find_install_source().url}"])
    except SourceUnknown:
        return shlex.join(["pip", "install", *_requirements(package, extra)])


def _read_record() -> tuple[Distribution | None, dict[str, Any] | None]:
    """Read the installer's record (PEP 610); None if the running code is not the installed one."""
    try:
        package = distribution("sfcode")
    except PackageNotFoundError:
        return None, None
    text = package.read_text("direct_url.json")
    record: dict[str, Any] | None = json.loads(text) if text else None
    editable = record is not None and record.get("dir_info", {}).get("editable")
    installed = _path(record["url"]) / "sfcode" if record and editable else Path(str(package.locate_file("sfcode")))
    if not installed.is_dir() or not installed.samefile(PACKAGE):
        return package, None
    return package, record


def _folder_url(record: dict[str, Any]) -> str:
    folder = _path(record["url"])
    if not record["dir_info"].get("editable") and not _is_copy(folder):
        raise SourceUnknown(f"{folder}, from which it was installed, has changed since or does not exist any more")
    try:
        remote, commit, subdirectory = find_pushed_commit(folder)
    except GitFailed as error:
        raise SourceUnknown(error.message.rstrip(".")) from error
    return _commit_url("git", remote, commit, {"subdirectory": subdirectory})


def _is_copy(folder: Path) -> bool:
    """Return whether the installed files equal those of a source folder."""
    for path in PACKAGE.rglob("*"):
        name = path.relative_to(PACKAGE)
        if path.is_file() and path.suffix != ".pyc":
            source = folder / (name if name.is_relative_to(TEMPLATES) else Path("sfcode") / name)
            if not source.is_file() or not filecmp.cmp(path, source, shallow=False):
                return False
    return True


def _commit_url(vcs: str | None, url: str, commit: str | None, record: dict[str, Any]) -> str:
    if vcs != "git" or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit or ""):
        raise SourceUnknown(f"{url} was not recorded with a git commit")
    if short := re.fullmatch(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^/].*)", url):
        url = f"ssh://{short['user']}@{short['host']}/{short['path']}"
    parts = urlsplit(url)
    if parts.hostname == "github.com" and parts.scheme == "ssh":
        # A CI runner has no SSH key of the user, and reads public repositories by https.
        parts = parts._replace(scheme="https", netloc="github.com")
    fragment = f"#subdirectory={record['subdirectory']}" if record.get("subdirectory") else ""
    return f"git+{_public(parts.geturl(), 'https', 'ssh')}@{commit}{fragment}"


def _archive(url: str, record: dict[str, Any]) -> InstallSource:
    info = record.get("archive_info", {})
    sha256 = info.get("hashes", {}).get("sha256") or info.get("hash", "").removeprefix("sha256=")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise SourceUnknown(f"{url} was recorded without a SHA-256 hash")
    if urlsplit(url).scheme != "file":
        return InstallSource(f"{_public(url, 'https')}#sha256={sha256}")
    path = _path(url)
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SourceUnknown(f"{path}, from which it was installed, has changed since or does not exist any more")
    return InstallSource(f"{path.as_uri()}#sha256={sha256}", path)


def _public(url: str, *schemes: str) -> str:
    """Return a URL without credentials. Raises SourceUnknown for a URL that works only on this machine."""
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or re.search(r"[\s'\"${}\\]", url):
        raise SourceUnknown(
            f"{parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()} is not reached by {' or '.join(schemes)}"
        )
    user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    return urlunsplit((parts.scheme, user + parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _requirements(package: Distribution, extra: str) -> list[str]:
    """List the requirements of an extra, without platform conditions."""
    listed = package.requires or []
    pattern = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    return [requirement.partition(";")[0].strip() for requirement in listed if pattern.search(requirement)]
