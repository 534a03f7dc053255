"""An org that another process serves, and requests to it without sfcode."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import SFCODE, process


@dataclass(frozen=True)
class Org:
    """An org that another process serves, with its URLs and the credentials of its administrator."""

    url: str
    access_token: str
    state: Path
    org_id: str
    username: str
    tls_url: str = ""
    certificate: str = ""

    def reset(self) -> None:
        """Reset the org to its initial state."""
        process([SFCODE, "local", "reset", "--state", str(self.state)], self.state.parent)


@contextlib.contextmanager
def served(folder: Path, name: str = "org", *words: str) -> Iterator[Org]:
    """Serve an org in another process until the block ends."""
    state = folder / name
    command = [SFCODE, "local", "serve", "--port", "0", "--state", str(state), "--no-deliveries", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder, text=True) as server:
        try:
            ready = json.loads(server.stdout.readline()) if server.stdout else {}
            yield Org(
                ready["url"],
                ready["access_token"],
                state,
                ready["org_id"],
                ready["username"],
                ready.get("tls_url", ""),
                ready.get("certificate", ""),
            )
        finally:
            server.terminate()
