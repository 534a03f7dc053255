"""
Run `sfcode` in separate processes without the second that Python needs to import it.

A server is started on first use, imports everything, and forks for each command. The forked process runs the usual
command, with its own arguments, environment, folder, streams and process ID. `python -m tests.programs PATH` is the
server; scripts find it as `sfcode` on `search_path()`.

These processes cannot show how Python starts, or what is imported and when: test_startup.py and test_wheel.py start
their own.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
READY = b"ready\n"

USED_LATER = (
    "git",
    "h11",
    "httpcore2",
    "httpx2",
    "jinja2",
    "lxml.etree",
    "psycopg",
    "requests",
    "simple_salesforce.api",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "truststore",
    "uvloop",
    "yaml",
)
"""Modules that the package imports inside functions."""


class Program:
    """
    A running `sfcode`, with the interface of subprocess.Popen.

    With `at_terminal`, the terminal on its standard input becomes its controlling terminal.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        at_terminal: bool = False,
    ) -> None:
        self.args = list(words)
        self.returncode: int | None = None
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None
        request = {
            "words": self.args,
            "cwd": str(cwd or Path.cwd()),
            "environ": dict(os.environ if env is None else env),
            "at_terminal": at_terminal,
        }
        with contextlib.ExitStack() as passed:
            streams = [self._open(number, stream, passed) for number, stream in enumerate((stdin, stdout, stderr))]
            self._link = connect(_server(), request, streams)
        self._answers = self._link.makefile("r")
        self.pid = int(self._answers.readline())

    def _open(self, number: int, stream: int | IO[Any] | None, passed: contextlib.ExitStack) -> int:
        """Return the descriptor for one standard stream of the program, and keep the other end of a pipe."""
        if stream is None:
            return number
        if not isinstance(stream, int):
            return stream.fileno()
        if stream == subprocess.DEVNULL:
            null_device = os.open(os.devnull, os.O_RDWR)
            passed.callback(os.close, null_device)
            return null_device
        if stream != subprocess.PIPE:
            return stream
        reading, writing = os.pipe()
        if number == 0:
            self.stdin = open(writing, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            passed.callback(os.close, reading)
            return reading
        setattr(self, ("", "stdout", "stderr")[number], open(reading, encoding="utf-8"))  # noqa: PTH123, SIM115
        passed.callback(os.close, writing)
        return writing

    def poll(self) -> int | None:
        """Return the exit code (negative for a signal), or None while the program runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait at most `timeout` seconds for the end of the program, and return its exit code."""
        if self.returncode is None:
            if not select.select([self._link], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._link.close()
        return self.returncode

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        """Send the input, read both outputs to their ends, and wait."""
        texts = {"stdout": "", "stderr": ""}

        def read(name: str, stream: IO[str]) -> None:
            texts[name] = stream.read()
            stream.close()

        end = None if timeout is None else time.monotonic() + timeout
        readers = [
            threading.Thread(target=read, args=(name, stream), daemon=True)
            for name in texts
            if (stream := getattr(self, name)) is not None and not stream.closed
        ]
        for reader in readers:
            reader.start()
        if self.stdin is not None and not self.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(input or "")
                self.stdin.close()
        for reader in readers:
            reader.join(None if end is None else max(0, end - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if end is None else max(0, end - time.monotonic()))
        return texts["stdout"], texts["stderr"]

    def send_signal(self, number: int) -> None:
        """Send a signal, if the program still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self.wait()


def run(
    *words: str,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    input: str | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and return its output as text, like subprocess.run."""
    pipe = subprocess.PIPE
    stdin = None if input is None else pipe
    with Program(words, cwd=cwd, env=env, stdin=stdin, stdout=pipe, stderr=pipe) as program:
        try:
            out, err = program.communicate(input, timeout)
        except BaseException:
            program.kill()
            raise
        return subprocess.CompletedProcess(program.args, program.wait(), out, err)


def search_path() -> str:
    """Return a PATH for scripts, with `sfcode` as a program of the server first, and then this Python's folder."""
    launcher = Path(_server()).parent / "sfcode"
    if not launcher.exists():
        launcher.write_text(LAUNCHER.format(python=sys.executable, server=_server()), encoding="utf-8")
        launcher.chmod(0o700)
    return os.pathsep.join((str(launcher.parent), str(Path(sys.executable).parent), os.environ["PATH"]))


LAUNCHER = """\
#!{python} -IS
import json, os, signal, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({server!r})
socket.send_fds(link, [b"+"], [0, 1, 2])
request = dict(words=sys.argv[1:], cwd=os.getcwd(), environ=dict(os.environ))
link.sendall(json.dumps(request).encode() + b"\\n")
answers = link.makefile()
pid = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def connect(server: str, request: Mapping[str, Any], streams: Sequence[int]) -> socket.socket:
    """Request a program from the server, which sends a line with the process ID and later one with the exit code."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(server)
    socket.send_fds(link, [b"+"], streams)
    link.sendall(json.dumps(request).encode() + b"\n")
    return link


@functools.cache
def _server() -> str:
    """Start the server once for this process of the test run; the server ends with the process."""
    folder = tempfile.mkdtemp(prefix="sfcode-programs-")
    path = str(Path(folder) / "socket")
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.programs", path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> None:
        process.communicate(timeout=PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    assert process.stdout is not None
    assert process.stdout.readline() == READY
    return path


def serve(path: str) -> None:
    """Import everything once, then fork a process for each program, until standard input ends."""
    import sfcode
    from sfcode.cli.main import main

    for module in pkgutil.walk_packages(sfcode.__path__, "sfcode."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in USED_LATER:
        importlib.import_module(name)
    _warm(main)
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        os.write(1, READY)
        while listener in select.select([listener, 0], [], [])[0]:
            link, _ = listener.accept()
            if not os.fork():
                listener.close()
                _keep(link)
            link.close()
            _reap(os.WNOHANG)
    _reap(0)


def _warm(main: Callable[[Sequence[str]], None]) -> None:
    """Plan once against a local org, so that its imports are loaded in every program."""
    os.environ["SFCODE_RELAY_OUTBOUND_SECRET"] = "made-up-for-nobody-0123456789"
    quiet = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        contextlib.suppress(SystemExit),
    ):
        shutil.copytree(ROOT / "config", Path(folder, "config"))
        main(["--config", str(Path(folder, "config")), "--env", "local", "plan"])
    assert "Plan: " in quiet.getvalue(), quiet.getvalue()
    assert threading.active_count() == 1, "a thread would be missing in the programs that are forked"


def _reap(options: int) -> None:
    """Wait for ended processes of `_keep`, so that their CPU time counts for the server and the test run."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _keep(link: socket.socket) -> NoReturn:
    """Fork one program, send its process ID and exit code, and kill it when the connection closes."""
    _, streams, _, _ = socket.recv_fds(link, 1, 3)
    request = json.loads(link.makefile("rb").readline())
    pid = os.fork()
    if not pid:
        link.close()
        _become(request, streams)
    for stream in (0, 1, 2, *streams):
        os.close(stream)

    def watch() -> None:
        with contextlib.suppress(OSError):
            link.recv(1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    with contextlib.suppress(OSError):
        link.sendall(f"{pid}\n".encode())
    threading.Thread(target=watch, daemon=True).start()
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):
        link.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request: Mapping[str, Any], streams: Sequence[int]) -> NoReturn:
    """Become the program, and keep nothing of the server except its imported modules."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        if stream > 2:
            os.close(stream)
    if request.get("at_terminal"):
        # The first terminal that a new session opens becomes its controlling terminal, whose Ctrl-C interrupts the
        # program.
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _output(1, "strict"), _output(2, "backslashreplace")
    sys.argv = ["sfcode", *request["words"]]
    code = 1
    try:
        from sfcode.cli.main import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _output(number: int, errors: str) -> io.TextIOWrapper:
    """Open a standard stream as an interpreter does when it starts."""
    immediate = bool(os.environ.get("PYTHONUNBUFFERED"))
    lines = number == 2 or os.isatty(number)
    buffer = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    return io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=lines, write_through=immediate)


if __name__ == "__main__":
    serve(sys.argv[1])
