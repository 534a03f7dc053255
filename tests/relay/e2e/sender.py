"""Senders like Salesforce and Appcues: they repeat a request until it is accepted, and sometimes afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.relay.e2e.traffic import Post

ACK = b"<Ack>true</Ack>"
ANSWER_SECONDS = 10.0


@dataclass
class Tally:
    """The counts of the senders' requests and responses."""

    posts: int = 0
    messages: int = 0
    refused: int = 0
    """The number of answers without a status of success."""
    broken: int = 0
    """The number of connections that broke before an answer."""
    again: int = 0
    """The number of requests that were repeated although they had been answered."""


class Sender:
    """Sends requests over several connections, at a limited rate."""

    def __init__(self, ports: Sequence[int], rng: random.Random, *, twice: float = 0.1) -> None:
        self._ports = ports
        self._rng = rng
        self._twice = twice
        self.tally = Tally()

    async def send(self, posts: Sequence[Post], *, lanes: int, per_second: float) -> None:
        """Send all requests over `lanes` connections, with at most `per_second` messages per second."""
        waiting = list(reversed(posts))
        started = asyncio.get_running_loop().time()

        async def lane() -> None:
            connection = Connection(self._rng.choice(self._ports))
            while waiting:
                post = waiting.pop()
                self.tally.messages += post.messages
                due = started + self.tally.messages / per_second
                await asyncio.sleep(due - asyncio.get_running_loop().time())
                await self._until_answered(connection, post)
                self.tally.posts += 1
                if self._rng.random() < self._twice:
                    self.tally.again += 1
                    await self._until_answered(connection, post)
            await connection.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())

    async def _until_answered(self, connection: Connection, post: Post) -> None:
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    status, body = await connection.post(post.path, post.body, soap=post.soap)
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
                self.tally.broken += 1
            else:
                if status == 200 and (not post.soap or ACK in body):
                    return
                assert status in (500, 503), (status, body[:300])
                self.tally.refused += 1
            await connection.close()
            connection.port = self._rng.choice(self._ports)
            await asyncio.sleep(self._rng.uniform(0.02, 0.1))


def send_all(ports: Sequence[int], *lanes: list[Post]) -> None:
    """Send each list in its order, and all lists at the same time."""

    async def all_of_them() -> None:
        rng = random.Random(1)
        await asyncio.gather(
            *(Sender(ports, rng, twice=0.0).send(posts, lanes=1, per_second=10_000) for posts in lanes)
        )

    asyncio.run(all_of_them())


class Connection:
    """A persistent HTTP/1.1 connection to one port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes, *, soap: bool) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        kind = "text/xml; charset=utf-8" if soap else "application/json"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: {kind}\r\n"
            f'SOAPAction: ""\r\nContent-Length: {len(body)}\r\n\r\n'
        )
        writer.write(head.encode() + body)
        await writer.drain()
        status, length = 0, 0
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status = int(lines[0].split()[1])
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        answer = await reader.readexactly(length)
        if b"connection: close" in (line.lower() for line in lines):
            await self.close()
        return status, answer

    async def close(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
