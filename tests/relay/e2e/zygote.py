"""
A process that has everything imported which a relay needs, and forks relays: `python -m tests.relay.e2e.zygote`.

Each line of standard input is a JSON object with `argv`, `cwd`, `environ` and `log`; the answer is a
line with the process id. What is forked is the `sfcode` command as anybody runs it; only the second
of imports is saved, which matters when fifty of them are killed in a minute.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module

IMPORTS = (
    "httpx2",
    "jinja2",
    "lxml.etree",
    "psycopg",
    "requests",
    "sfcode.cli.main",
    "sfcode.cli.relay.serve",
    "sfcode.config",
    "sfcode.org.connection",
    "sfcode.org.rest",
    "sfcode.relay.appcues",
    "sfcode.relay.log",
    "sfcode.relay.salesforce",
    "sfcode.relay.main",
    "simple_salesforce.api",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvloop",
)


def main() -> None:
    for name in IMPORTS:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("ready")
    for line in sys.stdin:
        spec = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(spec)
        say(str(child))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _become(spec: dict) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.chdir(spec["cwd"])
    os.environ.update(spec["environ"])
    from sfcode.cli.main import main as sfcode

    sfcode(spec["argv"])


if __name__ == "__main__":
    main()
