"""Facts in the documentation match the repository."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from scripts.assumptions import read_assumptions
from scripts.demo_relay import reserve_port
from scripts.pictures import CHANGES
from sfcode.config import load
from sfcode.errors import ExitCode
from sfcode.evidence.probes import PROBES
from sfcode.generate import generate
from sfcode.metadata.objects import standard
from tests.programs import search_path
from tests.test_docs_blocks import find_missing_quotes, stop_servers

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
RUNNABLE = re.compile(r"^<!-- run(?P<where>: \w+)? -->\n```sh\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def markdown(root: Path) -> list[Path]:
    """List every Markdown file of the repository."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md")), *sorted(root.glob("benchmarks/*.md"))]


def slug(heading: str) -> str:
    """Return a heading's anchor as GitHub generates it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """List the anchors of a page: those of its headings, and those that are set by hand."""
    text = path.read_text()
    headings = {slug(heading) for heading in re.findall(r"^#+ +(.+)$", CODE.sub("", text), re.MULTILINE)}
    return headings | set(re.findall(r'<a id="([^"]+)">', text))


def test_every_link_leads_somewhere(root: Path) -> None:
    dead = []
    for page in markdown(root):
        for pair in LINK.findall(CODE.sub("", page.read_text())):
            link = unquote(pair[0] or pair[1])
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                dead.append(f"{page.relative_to(root)}: {link}")
    assert dead == []


def test_every_page_is_reached_from_the_index(root: Path) -> None:
    index = root / "docs" / "index.md"
    visited_pages, queue = {index}, [index]
    while queue:
        page = queue.pop()
        for pair in LINK.findall(page.read_text()):
            target = (page.parent / (pair[0] or pair[1]).partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in visited_pages:
                visited_pages.add(target)
                queue.append(target)
    assert sorted(set((root / "docs").rglob("*.md")) - visited_pages) == []


def test_the_generated_pages_are_current(root: Path) -> None:
    check = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=root, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_every_exit_code_is_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "exit-codes.md").read_text()
    documented = {(name, int(code)) for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)}
    assert documented == {(code.name, code.value) for code in ExitCode}


def test_every_target_of_the_makefile_has_a_help_line(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split())
    described = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    # `pytest` is the only target without a description: a part of `test`.
    assert phony - described <= {"pytest"}


class TestUnverified:
    """docs/assumptions.yaml and the probes name the same assumptions."""

    @staticmethod
    def rows() -> dict[str, dict[str, Any]]:
        rows = read_assumptions()
        assert len({row["id"] for row in rows}) == len(rows), "an ID is used twice"
        return {row["id"]: row for row in rows}

    def test_every_assumption_says_what_it_is_where_it_is_used_and_what_would_settle_it(self) -> None:
        keys = {"id", "about", "assumption", "relied_on_in", "confirm", "confidence", "status"}
        for name, row in self.rows().items():
            assert re.fullmatch(r"U\d{2,3}", name)
            assert row.keys() - {"evidence"} == keys, name
            assert all(row.values()), row
            assert "|" not in row["assumption"], "a cell of the table ends there"
            assert (row["about"], row["confidence"], row["status"]) in set(
                product(("salesforce", "appcues"), ("high", "medium", "low"), ("open", "confirmed", "refuted"))
            ), name

    def test_every_settled_assumption_names_its_evidence(self) -> None:
        for name, row in self.rows().items():
            assert row["status"] == "open" or row.get("evidence"), name
            for entry in row.get("evidence", ()):
                assert entry.keys() == {"source", "date", "says"}, name
                assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"]), name

    def test_every_place_that_relies_on_an_assumption_exists(self, root: Path) -> None:
        missing = [
            (name, place)
            for name, row in self.rows().items()
            for place in re.findall(r"`((?:sfcode|templates|config)/[\w./-]+)`", row["relied_on_in"])
            if not (root / place).exists()
        ]
        assert missing == []

    def test_probes_and_page_name_the_same_assumptions(self) -> None:
        probed = {probe.assumption for probe in PROBES}
        promised = {name for name, row in self.rows().items() if "`make test-org`" in row["confirm"]}
        assert promised == probed


def test_the_mapping_in_the_readme_is_valid(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "config", tmp_path / "config")
    (match,) = re.findall(
        r"^```yaml\n# config/(\S+)\n(.*?)^```$", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    path, text = match
    (tmp_path / "config" / path).write_text(text)
    project = load(tmp_path / "config", "local")
    generated = {str(component.address) for component in generate(project, standard()).components}
    assert {"CustomField:Contact.Appcues_User_Id__c", "Flow:Appcues_contact"} <= generated


def runnable(root: Path) -> list[tuple[str, str, str]]:
    """List the shell blocks that a page marks as runnable: page, folder to run in, commands."""
    return [
        (page.relative_to(root).as_posix(), (match["where"] or ": clone")[2:], match["code"])
        for page in markdown(root)
        for match in RUNNABLE.finditer(page.read_text())
        if match["where"] not in (": tutorial", ": address", ": served")  # other tests run these
    ]


ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("page", "location", "code"), runnable(ROOT), ids=lambda value: str(value)[:40])
def test_the_runnable_blocks_of_a_page_work(root: Path, tmp_path: Path, page: str, location: str, code: str) -> None:
    """Run a block marked `<!-- run -->` in a copy of the config, or `<!-- run: empty -->` in an empty folder."""
    del page
    if location == "clone":
        shutil.copytree(root / "config", tmp_path / "config")
    script = subprocess.run(
        ["sh", "-eu", "-c", stop_servers(code)],
        cwd=tmp_path,
        env={**os.environ, "PATH": search_path()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert script.returncode == 0, script.stdout + script.stderr
    assert find_missing_quotes(code, script.stdout) == []


def test_the_tutorial_works_from_the_first_block_to_the_last(root: Path, tmp_path: Path) -> None:
    """The blocks are run as one script in an empty folder; only the port of the relay is changed."""
    page = (root / "docs/guide/tutorial.md").read_text()
    blocks = [match["code"] for match in RUNNABLE.finditer(page) if match["where"] == ": tutorial"]
    assert blocks
    assert page.count("```sh") == len(blocks) + 1, "all but the installation"
    assert len(page.split()) <= 5 * 200, "its reading takes five minutes, at 200 words a minute"
    with reserve_port() as reserved:
        port = reserved.getsockname()[1]
        enter = "cd my-integration\n"
        script = "".join(blocks).replace(enter, f"{enter}sed -i.bak 's/8400/{port}/' config/sfcode.yaml\n", 1)
        script = script.replace("relay serve --json", f"relay serve --port {port} --json")
        environment = {**os.environ, "PATH": search_path(), "CI": "true"}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command = ["bash", "-eu", "-c", script]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, **pipes) as process:
            try:
                output, _ = process.communicate()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # ends programs that a failed block has started
    assert process.returncode == 0, output
    assert find_missing_quotes(script, output) == []
    assert "Chief Customer Officer" in output
    assert "Destroy complete!" in output
    assert list(tmp_path.iterdir()) == []


def test_the_change_of_the_pictures_fits_the_config(root: Path) -> None:
    texts = {file: (root / "config" / file).read_text() for file, _, _ in CHANGES}
    assert [old for file, old, _ in CHANGES if texts[file].count(old) != 1] == []


def test_the_readme_says_what_the_tools_take_on_the_disk(root: Path) -> None:
    if Path(sys.prefix) != root / ".venv":
        pytest.skip("these tests run in an environment that make did not make")
    (megabytes,) = re.findall(r"with all tools for development \((\d+) MB", (root / "README.md").read_text())
    files = [Path(folder, name) for folder, _, names in os.walk(sys.prefix) for name in names]
    size = sum(file.lstat().st_size for file in files) / 1e6
    assert size == pytest.approx(int(megabytes), rel=0.25)
