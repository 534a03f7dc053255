"""
Keep every Python process of a test run on this machine and out of the user's home folder.

`tests/conftest.py` loads this file in the test process, and adds its folder to PYTHONPATH. Python imports a module of
this name at its start, so the same rules apply to child processes. The module uses an audit hook and does not patch
functions: the hook is called for every socket and every file that Python code opens, including DNS lookups and
datagrams, in all threads, and it cannot be removed.
"""

from __future__ import annotations

import ipaddress
import os
import sys

OPEN_NETWORK = "TESTS_OPEN_NETWORK"
REAL_HOME = "TESTS_REAL_HOME"
ALLOWED_FOLDERS = "TESTS_ALLOWED_FOLDERS"

_NETWORK_EVENTS = {
    "socket.bind": 1,
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}
_FILE_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "sqlite3.connect"})


class Forbidden(RuntimeError):
    """Raised when a test uses a resource that tests must not use."""


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in ("localhost", None):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%", 1)[0]).is_loopback
    except ValueError:
        return False


def _host(target: object) -> object:
    return target[0] if isinstance(target, tuple) else target


def _is_inside(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)


def _install() -> None:
    home = os.environ.get(REAL_HOME, "")
    allowed = [folder for folder in os.environ.get(ALLOWED_FOLDERS, "").split(os.pathsep) if folder]

    def guard(event: str, args: tuple[object, ...]) -> None:
        if event in _NETWORK_EVENTS:
            target = args[_NETWORK_EVENTS[event]]
            # A text or bytes as the address of bind or connect is the path of a Unix socket, which is on this machine.
            local = event in ("socket.bind", "socket.connect") and isinstance(target, str | bytes)
            if not local and not _is_loopback(_host(target)) and not os.environ.get(OPEN_NETWORK):
                message = f"tests may use the loopback network only, not {_host(target)!r}"
                raise Forbidden(message)
        elif home and event in _FILE_EVENTS and isinstance(args[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100 - pathlib would come back here
            if _is_inside(path, [home]) and not _is_inside(path, allowed) and not os.environ.get(OPEN_NETWORK):
                message = f"tests leave the home folder alone: {path}"
                raise Forbidden(message)

    sys.addaudithook(guard)


_install()
