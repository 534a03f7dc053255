"""Every command, figure, part of a config and block of shell commands in the documentation is checked by a test."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import jsonschema
import pytest
import yaml

from sfcode.cli.main import cli
from sfcode.config.overrides import FIXED
from sfcode.config.schema import DIALECT, KINDS, json_schema
from sfcode.config.yaml import parse

ROOT = Path(__file__).resolve().parents[1]
MADE = {"docs/reference/cli.md", "docs/unverified.md"}
"""Generated pages, whose texts are checked by other tests."""
HISTORY = {"CHANGELOG.md"}
"""Pages that name commands of former versions."""
_BLOCK = re.compile(
    r"^(?: *<!-- (?P<mark>[^\n]*?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"`([^`\n]+)`")
_SFCODE = re.compile(r"(?:^|[;&|(] *|\$ )(?:[A-Z_]+=\S* )*(?:\S*/)?sfcode ([^;&|)#>\n]*)", re.MULTILINE)
_MADE_TABLE = re.compile(r"<!-- (\w+): `make docs` writes this table -->.*?<!-- end of \1 -->", re.DOTALL)
_FIGURE = re.compile(
    r"(?<![\w.,/-])(?P<number>\d[\d,.]*)[ -]?"
    r"(?P<unit>ms|µs|s|second|minute|hour|day|week|month|year|[kKMGT]i?B|%|per second)s?(?![\w-])(?!<!-- bench: )"
)
UNITS = {
    **dict.fromkeys(("s", "second", "per second"), 1.0),
    "ms": 1e-3,
    "minute": 60.0,
    "hour": 3600.0,
    "%": 0.01,
    "KB": 1e3,
    "MB": 1e6,
    "KiB": 1024.0,
    "MiB": 1024.0**2,
}
"""The factor of a unit, to compare a figure with a constant in seconds or bytes, or with a share."""
_COMMAND = re.compile(
    r"^(?:\$ |[A-Z_]+=\S* )*(?:\S*/)?(?:sfcode|sf|pip|python3?|make|git|gh|curl|sh|sudo|cp|install|export|docker|podman|kubectl"
    r"|systemctl|openssl|jq|psql|sqlite3|npm) ",
    re.MULTILINE,
)
"""The beginning of a line that is a command of a shell."""
_SERVER = re.compile(r"^(sfcode (?:--env \w+ )?(?P<program>local|relay) serve[^#\n]*)", re.MULTILINE)
SERVERS = """\
started() {
  "$@" > started.log 2>&1 & server=$!
  until [ -s started.log ]; do kill -0 $server; sleep 0.05; done
  cat started.log; kill $server; wait $server || true
}
"""
"""A shell function that starts a server, which would run until Ctrl-C, and stops it once it is ready."""
INSTALLATION = "not run: installs from an index"
"""The mark of a block that only installs."""
_QUOTE = re.compile(r"# \"([^\"\n]+)\"$", re.MULTILINE)
"""An output that a comment of a block quotes."""
_PATH = re.compile(r"(?<![\w./-])(?:tests|scripts|sfcode|deploy|benchmarks|docs|requirements|templates)/[\w./-]*\w")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*|\.\.\.|\{.*|<.*|@")


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        """Return the position at which the block begins."""
        return f"{self.page}:{self.line}"


@cache
def texts() -> dict[str, str]:
    """Return the text of every page that is written by hand."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    names = {path.relative_to(ROOT).as_posix(): path for path in sorted(paths)}
    return {name: path.read_text(encoding="utf-8") for name, path in names.items() if name not in MADE}


def blocks(language: str) -> Iterator[Block]:
    for page, text in texts().items():
        for match in _BLOCK.finditer(text):
            if match["language"] == language:
                line = text.count("\n", 0, match.start()) + 1
                yield Block(
                    page,
                    line,
                    language,
                    match["mark"] or "",
                    re.sub("^" + match["indent"], "", match["text"], flags=re.MULTILINE),
                )


def test_every_block_of_shell_commands_runs_in_a_test_or_says_why_not() -> None:
    silent = [str(block) for block in blocks("sh") if not re.match(r"run(: \w+)?$|not run: \w", block.mark)]
    assert silent == [], (
        "mark it <!-- run -->, <!-- run: empty -->, <!-- run: served -->, or <!-- not run: the reason -->"
    )


def test_a_block_that_installs_holds_no_command_that_a_test_could_run() -> None:
    installs = [block for block in blocks("sh") if block.mark == INSTALLATION]
    assert len(installs) > 3
    commands = [
        f"{block}: {line}"
        for block in installs
        for line in block.text.splitlines()
        if not re.match(r"(\S*/)?pip install |python3 -m venv |export PATH=", line)
    ]
    assert commands == [], "move these lines to a block of their own"


def test_no_block_of_text_holds_commands_of_a_shell() -> None:
    commands = [str(block) for language in ("text", "") for block in blocks(language) if _COMMAND.search(block.text)]
    assert commands == [], "make it a block `sh`, which a test runs or whose mark says why not"


@pytest.mark.parametrize(
    ("line", "is_command"),
    [
        ("/opt/sfcode/bin/pip install '.[relay]'", True),
        ("POSTGRES_PASSWORD=... docker compose up", True),
        ("$ sfcode plan", True),
        ("Compares the work tree with main (598a899f06).", False),
        ("SFCODE_RELAY_OUTBOUND_SECRET=new value", False),
    ],
)
def test_a_command_in_a_block_of_text_would_be_found(line: str, is_command: bool) -> None:
    assert bool(_COMMAND.search(f"text\n{line}\n")) is is_command


def list_commands() -> Iterator[tuple[str, str]]:
    """List the commands of sfcode on all pages, with their positions."""
    for page, text in texts().items():
        if page in HISTORY:
            continue
        for language in ("sh", "text"):
            for block in blocks(language):
                if block.page == page:
                    for match in _SFCODE.finditer(block.text.replace("\\\n", " ")):
                        yield str(block), match[1]
        prose = _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
        for number, line in enumerate(prose.splitlines(), 1):
            for code in _INLINE.findall(line):
                for match in _SFCODE.finditer(code):
                    yield f"{page}:{number}", match[1]


def find_mistake(words: list[str]) -> str | None:
    """Return the first word that the command line does not have, if there is one."""
    command: click.Command = cli
    context = click.Context(cli)
    options = {name: option for option in cli.params for name in (*option.opts, *option.secondary_opts)}
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            name, separator, _ = word.partition("=")
            option = options.get(name)
            if option is None and name != "--help":
                return word
            if isinstance(option, click.Option) and not option.is_flag and not option.count and not separator:
                next(rest, None)
        elif isinstance(command, click.Group):
            if _PLACEHOLDER.fullmatch(word):
                return None
            child = command.get_command(context, word)
            if child is None:
                return word
            command = child
            options |= {name: option for option in child.params for name in (*option.opts, *option.secondary_opts)}
    return None


def find_missing_quotes(commands: str, output: str) -> list[str]:
    """Return the quoted outputs in the comments of a block that its output does not have; `...` stands for any text."""
    return [
        quote
        for quote in _QUOTE.findall(commands)
        if not re.search(".*".join(map(re.escape, quote.split("..."))), output)
    ]


def test_a_quoted_output_that_differs_from_the_output_would_be_found() -> None:
    commands = (
        'sfcode plan  # "No changes."\nsfcode plan  # "Refused: ...; pass --adopt"\nsfcode plan  # "one" command\n'
    )
    assert find_missing_quotes(commands, "No changes. Org\nRefused: x; pass --adopt x\n") == []
    assert find_missing_quotes(commands, "No changes.\nRefused: x\npass --adopt x\n") == ["Refused: ...; pass --adopt"]


def stop_servers(commands: str) -> str:
    """Return the commands of a block with free ports for each server, which is stopped once it is ready."""

    def start(match: re.Match[str]) -> str:
        ports = " --port 0" + " --appcues-port 0" * (match["program"] == "local")
        return f"started {match[1].rstrip()}{ports}{' --tls-port 0' * ('--tls' in match[1])} "

    text, servers = _SERVER.subn(start, commands)
    return SERVERS * bool(servers) + text


def split_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that ends outside of the checked part
        return text.split()


def test_every_command_that_a_page_names_is_one() -> None:
    commands = list(list_commands())
    assert len(commands) > 200
    wrong = [(place, text, word) for place, text in commands if (word := find_mistake(split_words(text)))]
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "mistake"),
    [
        ("plan --out x --env local", None),
        ("--env local plan --format=json", None),
        ("relay list --user 1001 --since 12h", None),
        ("relay VERB --json", None),
        ("plan --otu x", "--otu"),
        ("plann", "plann"),
        ("relay lst", "lst"),
        ("--env plan apply --frmat x", "--frmat"),
    ],
)
def test_a_command_that_is_none_would_be_found(command: str, mistake: str | None) -> None:
    assert find_mistake(command.split()) == mistake


def find_missing_paths(text: str) -> list[str]:
    """Return the paths of this repository that a text names and that do not exist, with or without their ending."""
    return [path for path in _PATH.findall(text) if not ((ROOT / path).exists() or [*ROOT.glob(f"{path}*")])]


def test_every_path_of_the_repository_that_a_page_names_exists() -> None:
    pages = {page: text for page, text in texts().items() if page not in HISTORY}
    assert sum(len(_PATH.findall(text)) for text in pages.values()) > 100
    assert {page: missing for page, text in pages.items() if (missing := find_missing_paths(text))} == {}


def test_a_path_that_does_not_exist_would_be_found() -> None:
    text = "`tests/relay`, `sfcode/no_such.py`, https://example.com/docs/nowhere, `deploy/relay.env`"
    assert find_missing_paths(text) == ["sfcode/no_such.py"]


def test_every_target_of_make_that_a_page_names_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named_targets = {
        (page, target)
        for page, text in texts().items()
        if page not in HISTORY
        for target in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, re.MULTILINE)
    }
    assert len(named_targets) > 20
    assert sorted((page, target) for page, target in named_targets if target not in targets) == []


@cache
def settings_schema() -> dict[str, Any]:
    return json_schema("sfcode")


@cache
def fragment_validator(kind: str) -> Any:
    """Return a validator for a part of a file: the schema of its overrides, in which every key may be missing."""
    definitions = settings_schema()["$defs"]
    fragment = definitions[f"{KINDS[kind].__name__}Override"]
    if kind == "sfcode":  # the keys that cannot be overridden
        fixed = {key: settings_schema()["properties"][key] for key in FIXED}
        fragment = {**fragment, "properties": {**fragment["properties"], **fixed}}
    return jsonschema.Draft202012Validator({"$schema": DIALECT, "$defs": definitions, **fragment})


def fits(data: Any, kind: str) -> bool:
    return bool(fragment_validator(kind).is_valid(data))


def test_every_piece_of_a_config_that_a_page_shows_obeys_the_mapping_language() -> None:
    pieces = [block for block in blocks("yaml") if not block.mark.startswith("not a config: ")]
    assert len(pieces) > 15
    wrong = []
    for block in pieces:
        document = parse(block.text.encode(), str(block))
        if document.problems or not any(fits(document.data, kind) for kind in KINDS):
            wrong.append(str(block))
    assert wrong == [], "correct it, or mark YAML of another program <!-- not a config: the program -->"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("to_appcues: {attributes: {role: Title}}", True),
        ("environments: {local: {org: local}}", True),
        ("environments: {local: {organ: local}}", False),
        ("to_appcues: {attribute: {role: Title}}", False),
        ("relay: {api_calls_per_day: many}", False),
        ("version: 2", False),
    ],
)
def test_a_piece_that_breaks_the_language_would_be_found(text: str, is_one: bool) -> None:
    assert any(fits(parse(text.encode(), "f").data, kind) for kind in KINDS) is is_one


def list_figures() -> Iterator[tuple[str, int, str]]:
    """List figures with a unit that are neither from the benchmarks nor have a source on their line: page, line, figure."""
    for page, text in texts().items():
        if page in HISTORY or page.startswith(("docs/decisions/", "docs/reference/mapping-language")):
            continue  # decisions have former figures, and the reference has those of the code
        prose = _MADE_TABLE.sub(lambda match: "\n" * match[0].count("\n"), text)
        prose = _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), prose)
        for number, line in enumerate(prose.splitlines(), 1):
            if "https://" not in line and "documented" not in line:
                yield from ((page, number, match[0]) for match in _FIGURE.finditer(line))


def read_origins() -> dict[str, dict[str, str]]:
    origins: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "tests/figures.yaml").read_text(encoding="utf-8"))
    return origins


def find_constant(name: str) -> float:
    """Return the value of a constant or of a default of a class, in seconds if it is a time."""
    parts = name.split(".")
    place = next(place for place, part in enumerate(parts) if not part.islower())
    value = importlib.import_module(".".join(parts[:place]))
    for part in parts[place:]:
        value = getattr(value() if isinstance(value, type) else value, part)
    return value.total_seconds() if isinstance(value, timedelta) else float(value)  # type: ignore[arg-type]


def fits_constant(figure: str, constant: float) -> bool:
    match = _FIGURE.fullmatch(figure)
    assert match is not None
    number = float(match["number"].replace(",", ""))
    factors = (1.0, 86_400.0) if match["unit"] == "day" else (UNITS[match["unit"]],)
    return any(constant == pytest.approx(number * factor) for factor in factors)


def test_every_figure_comes_from_the_benchmarks_a_source_or_the_code() -> None:
    origins = read_origins()
    figures = list(list_figures())
    strange = [
        f"{page}:{line}: {figure}"
        for page, line, figure in figures
        if figure not in origins.get(page, {}) and figure not in origins["everywhere"]
    ]
    assert strange == [], "mark it <!-- bench: ... -->, link its source on the line, or add it to tests/figures.yaml"
    page_figures = {(page, figure) for page, _, figure in figures}
    everywhere = {figure for _, figure in page_figures}
    stale = [
        (page, figure)
        for page, reasons in origins.items()
        for figure in reasons
        if (figure not in everywhere if page == "everywhere" else (page, figure) not in page_figures)
    ]
    assert stale == []


def test_a_figure_of_the_code_is_that_of_the_code() -> None:
    constants = [
        (figure, origin)
        for reasons in read_origins().values()
        for figure, origin in reasons.items()
        if re.fullmatch(r"(?:sfcode|benchmarks)(?:\.\w+)+", origin)
    ]
    assert len(constants) > 30
    assert [pair for pair in constants if not fits_constant(pair[0], find_constant(pair[1]))] == []


@pytest.mark.parametrize(
    ("figure", "constant", "fit"),
    [
        ("12 hours", 43_200.0, True),
        ("14 days", 14.0, True),
        ("3 days", 259_200.0, True),
        ("80 %", 0.8, True),
        ("4 MiB", 4_194_304.0, True),
        ("12 hours", 12.0, False),
        ("90 days", 14.0, False),
    ],
)
def test_a_figure_that_differs_from_the_code_would_be_found(figure: str, constant: float, fit: bool) -> None:
    assert fits_constant(figure, constant) is fit
