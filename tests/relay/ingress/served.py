"""The routes on a socket in another process, as the relay serves them, and a client that sends raw bytes."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sfcode.config import load
from sfcode.relay.ingress import IngressLimits, build_router
from sfcode.relay.message import InboxMessage
from sfcode.relay.server import listen
from tests.relay.ingress.asking import ORG, AlarmRecorder, secrets
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Serving:
    """A server process."""

    process: subprocess.Popen[str]
    port: int

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """Connect from an address of this machine."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))

    def memory(self, key: str = "VmRSS") -> int:
        """Return the process memory in bytes: VmRSS now, VmHWM at its peak."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(key)) * 1024

    def stored(self) -> list[dict[str, Any]]:
        """Return the accepted messages."""
        with self.connect() as connection:
            connection.sendall(b"GET /stored HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return json.loads(answer(connection)[2])


def head(path: str, *headers: str, method: str = "POST", kind: str = "application/json") -> bytes:
    """Return the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(connection: socket.socket) -> tuple[int, str, bytes]:
    """Read one response: its status, head and body."""
    with connection.makefile("rb") as stream:
        lines = []
        while (line := stream.readline()) not in (b"\r\n", b""):
            lines.append(line.decode())
        if not lines:
            return 0, "", b""
        text = "".join(lines).lower()
        length = int(text.partition("content-length:")[2].partition("\r")[0] or 0)
        return int(lines[0].split()[1]), text, stream.read(length)


@contextmanager
def serving(config: Path, *, organization: str = ORG, **limits: float) -> Iterator[Serving]:
    """
    Serve a project's routes in another process.

    `limits` are limits of the routes, or constants such as `LINGER_SECONDS`.
    """
    command = [sys.executable, "-m", "tests.relay.ingress.served", str(config), organization, json.dumps(limits)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Serving(process, int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(PATIENCE)


@dataclass
class MemoryInbox:
    """An inbox that accepts all messages."""

    messages: list[InboxMessage] = field(default_factory=list)

    async def accept(self, messages: Sequence[InboxMessage]) -> int:
        self.messages += messages
        return len(messages)


def main(config: Path, organization: str, settings: dict[str, float]) -> None:
    """Serve until standard input ends."""
    import uvicorn
    import uvloop
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route

    from sfcode.relay import http_protocol
    from sfcode.relay.connections import ConnectionLimits, ConnectionTable
    from sfcode.relay.server import configure_server

    for name in [name for name in settings if name.isupper()]:
        setattr(http_protocol, name, settings.pop(name))
    inbox = MemoryInbox()

    async def stored(_request: Request) -> JSONResponse:
        return JSONResponse([{"key": m.key, "kind": m.kind, "id": m.message_id, **m.payload} for m in inbox.messages])

    limits = IngressLimits(**settings)  # type: ignore[arg-type]
    now = lambda: datetime.now(UTC)  # noqa: E731
    router = build_router(
        load(config), inbox.accept, secrets(), lambda: organization, AlarmRecorder(), clock=now, limits=limits
    )
    app = Starlette(routes=[Route("/stored", stored), Mount("", router)])
    app.router.redirect_slashes = False

    async def serve() -> None:
        server = uvicorn.Server(configure_server(app, ConnectionTable(ConnectionLimits())))
        with listen("127.0.0.1", 0) as listener:
            loop = asyncio.get_running_loop()
            loop.add_reader(sys.stdin, lambda: setattr(server, "should_exit", True))
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
