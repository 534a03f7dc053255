"""The modules that a command must not import, and the maximum number that it may, since imports take time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfcode.local import serve
from sfcode.local.running import announce

SERVING = {"starlette", "uvicorn", "lark", "anyio", "httptools"}
NEVER = {"git", "sqlalchemy", "zeep", "cryptography", "jwt", "more_itertools", "pydantic", "charset_normalizer"}
HEAVY = {"requests", "rich", "simple_salesforce", "asyncio", *NEVER, *SERVING}
OF_CONFIG = {"yaml", "jinja2", "lxml"}
LIMITS = {
    ("--help",): (1, 3, {"click", "dataclasses", "pathlib", "re", *HEAVY, *OF_CONFIG}),
    ("plan", "--help"): (24, 25, HEAVY | OF_CONFIG),
    ("apply", "--help"): (24, 25, HEAVY | OF_CONFIG),
    ("--env", "local", "validate"): (112, 42, HEAVY | {"jinja2"}),
}
"""For each command, the maximum numbers of modules of sfcode and of other packages, and the packages that must not be
imported."""

SERVED_ELSEWHERE = {"plan": (170, 105, NEVER | SERVING), "apply": (190, 105, NEVER | SERVING)}
"""The same limits for verbs with an org that another process serves."""

IMPORT_TIME_LINE = re.compile(r"^import time:[^|]*\|[^|]*\|\s*(\S+)$", re.MULTILINE)


def imported_by(root: Path, *arguments: str) -> set[str]:
    """Run one command and return the modules that it loaded, without those of Python itself."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sfcode", *arguments],
        cwd=root,
        env={**os.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "not-a-real-secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    return {*IMPORT_TIME_LINE.findall(run.stderr)}


def check(modules: set[str], own: int, foreign: int, banned: set[str]) -> None:
    packages = {name: name.partition(".")[0] for name in modules}
    assert sorted({*packages.values()} & banned) == []
    own_modules = [name for name, package in packages.items() if package == "sfcode"]
    other_modules = [name for name, package in packages.items() if package not in {"sfcode", *sys.stdlib_module_names}]
    assert own_modules
    assert len(own_modules) <= own, sorted(own_modules)
    assert len(other_modules) <= foreign, sorted(other_modules)


@pytest.mark.parametrize("arguments", LIMITS, ids=" ".join)
def test_loads_what_the_command_needs(root: Path, arguments: tuple[str, ...]) -> None:
    check(imported_by(root, *arguments), *LIMITS[arguments])


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Serve the local org of a project, so that a command finds it."""
    state = folder / ".sfcode" / "local-org"
    with serve(state) as org, announce(state, org.url, org.access_token):
        yield


@pytest.mark.parametrize("verb", [["plan"], ["apply", "--auto-approve"]], ids=" ".join)
def test_neither_a_web_server_nor_the_emulator_is_loaded(root: Path, tmp_path: Path, verb: list[str]) -> None:
    shutil.copytree(root / "config", tmp_path / "config")
    with served(tmp_path):
        modules = imported_by(tmp_path, "--env", "local", *verb)
    check(modules, *SERVED_ELSEWHERE[verb[0]])
    assert {name for name in modules if name.startswith("sfcode.local.")} == {"sfcode.local.running"}


@pytest.mark.parametrize(
    ("option", "columns"), [("--help", "80"), ("-h", "200"), ("--help", "0"), ("-h", "79"), ("--help", "55")]
)
def test_the_saved_help_is_what_the_command_line_formats(option: str, columns: str) -> None:
    """The saved help is also correct for a terminal that is too narrow for it. `make docs` saves it."""
    texts = [
        subprocess.run(
            [sys.executable, "-m", module, option],
            env={**os.environ, "COLUMNS": columns},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for module in ("sfcode", "sfcode.cli.main")
    ]
    assert texts[0] == texts[1]
    assert max(map(len, texts[0].splitlines())) <= (int(columns) or 80)


@pytest.mark.parametrize(("number", "argument"), [(0, "fmt"), (1, "--help"), (1, "--version"), (2, "nonsense")])
def test_a_closed_standard_stream_is_the_null_device(tmp_path: Path, number: int, argument: str) -> None:
    """A file that the command opens does not get the number of the stream, and there is no traceback."""
    script = f'exec "$0" -c "$1" {number}>&- {argument}'
    code = (
        "import os, sys, sfcode.__main__ as module\n"
        "try:\n    module.start()\n"
        f"finally:\n    os.write(3, str(os.path.samestat(os.fstat({number}), os.stat(os.devnull))).encode())\n"
    )
    answer = tmp_path / "answer.txt"
    run = subprocess.run(
        ["/bin/sh", "-c", f'{script} 3>"$2"', sys.executable, code, str(answer)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (answer.read_text(encoding="utf-8"), run.returncode) == ("True", 0 if number == 1 else 1)
    assert "Traceback" not in run.stderr


def test_help_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "limited.txt").open("w", encoding="utf-8") as file:
        run = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 0; exec "$0" -m sfcode --help', sys.executable],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (run.returncode, run.stderr.partition("\n")[0]) == (1, "Error: File too large")


def test_pydantic_is_imported_for_json_schema_alone(root: Path) -> None:
    """If another module imported pydantic, every command that reads a config would take 80 ms longer."""
    importing = {
        str(path.relative_to(root / "sfcode"))
        for path in (root / "sfcode").rglob("*.py")
        if re.search(r"^\s*(?:import|from) pydantic\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert importing == {"cli/schema.py", "config/pydantic_models.py", "config/schema.py", "plan/document_types.py"}


def test_a_command_ends_without_a_search_for_cycles() -> None:
    """All objects are frozen at the end of the process; functions that were registered before `start` run afterwards."""
    code = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); import sfcode.__main__ as m; m.start()"
    run = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "True"


ENDING = """\
import atexit, os, sys
class Registration:
    def find_spec(self, name, *_):
        if name == "sfcode.cli.main":
            atexit.register(print, "handler")
real_exit = os._exit
def exit(code):
    os.write(1, b"quick\\n")
    real_exit(code)
os._exit = exit
sys.meta_path.insert(0, Registration())
{before}
import sfcode.__main__ as module
module.start()
"""


@pytest.mark.parametrize(
    ("before", "argument", "code", "end"),
    [
        ("", "--version", 0, ["handler", "quick"]),
        ("", "nonsense", 1, ["handler", "quick"]),
        ("atexit.register(print, 'early')", "--version", 0, ["handler", "early"]),
    ],
)
def test_a_command_ends_after_all_handlers(before: str, argument: str, code: int, end: list[str]) -> None:
    """
    The command's output is complete.

    The process ends early, unless another program has registered a handler that runs later.
    """
    command = [sys.executable, "-c", ENDING.format(before=before), argument]
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == code
    lines = run.stdout.splitlines()
    assert lines[-len(end) :] == end
    assert ("sfcode, version" in run.stdout) == (code == 0)


def test_python_looks_for_no_cycles_among_what_is_imported() -> None:
    """The garbage collector does not run during the imports, and is enabled again in the command."""
    code = (
        "import atexit, gc, sys; runs = []; gc.callbacks.append(lambda *_: runs.append('sfcode.cli.main' in sys.modules)); "
        "atexit.register(lambda: print(gc.isenabled(), runs)); import sfcode.__main__ as m; runs.clear(); m.start()"
    )
    run = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "True []"


@pytest.mark.parametrize(("verb", "rarely"), [("validate", True), ("relay", False), ("local", False)])
def test_python_looks_for_cycles_rarely_in_commands_that_end_soon(verb: str, *, rarely: bool) -> None:
    code = (
        "import atexit, gc; before = gc.get_threshold()[0]; "
        "atexit.register(lambda: print(gc.get_threshold()[0] > before)); import sfcode.__main__ as m; m.start()"
    )
    run = subprocess.run([sys.executable, "-c", code, verb, "--help"], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == str(rarely)


SERVED = """
import gc, logging, sys
from pathlib import Path
from sfcode.local import serve
with serve(Path(sys.argv[1])):
    assert not {"click", "logging.config", "multiprocessing", "uvicorn.main", "uvicorn.supervisors"} & {*sys.modules}
assert gc.isenabled()
assert gc.get_freeze_count() > 1000
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a local org that was created before."""
    folder = tmp_path_factory.mktemp("org")
    with serve(folder):
        return folder


@pytest.mark.parametrize(
    "use",
    [
        "frozen = gc.get_freeze_count(); from sfcode.local import LocalOrg, serve; assert gc.get_freeze_count() <= frozen",
        "import uvicorn; assert uvicorn.Server is uvicorn.server.Server; assert uvicorn.main.name == 'main'; uvicorn.run.__code__",
        "from uvicorn.main import run; import uvicorn; assert uvicorn.run is run",
        "logging.config.dictConfig({'version': 1})",
        "import logging.config; assert logging.config is sys.modules['logging.config']; logging.config.dictConfig({'version': 1})",
        "import uvicorn; uvicorn.Config('a:b').configure_logging()",
    ],
    ids=["frozen once", "package", "module", "logging", "logging imported", "logging of uvicorn"],
)
def test_the_local_org_starts_without_the_command_line_of_its_web_server(state: Path, use: str) -> None:
    """The omitted modules are imported when they are used."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVED + use, str(state)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
