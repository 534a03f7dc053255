"""Rules of the repository that no other tool checks."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files as package_files
from pathlib import Path

import jsonschema
import pytest
import yaml

import sfcode
from scripts.check_names import (
    bare_name_problems,
    find_retired_test_names,
    id_problems,
    message_id_problems,
    page_id_problems,
    participle_problems,
    property_problems,
    reference_problems,
    unused_problems,
    vague_name_problems,
)

TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".j2", ".sh", ".txt", ".lark", ".xsd", ".xml", ".cfg", ""}
MOST_LINES = 400
MOST_LINES_OF_THE_LOCAL_ORG = 19_300

SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}"),
    "Salesforce session": re.compile(r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{60,}"),
    "Salesforce refresh token": re.compile(r"\b5Aep[A-Za-z0-9_.]{40,}"),
    "sfdx auth URL": re.compile(r"\bforce://[^\s<>{}$]*:[^\s:@]{40,}@[\w.-]+"),
    "GitHub token": re.compile(r"\b(ghp|gho|ghs|github_pat)_[A-Za-z0-9_]{30,}"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
}
ABSOLUTE_PATH = re.compile(r"(?<![\w.$}~-])/(home|root|work|Users|opt/pypi)/\w")


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    """List the files that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return [path for name in listing.split("\0") if name and (path := root / name).is_file()]


@pytest.fixture(scope="module")
def texts(files: list[Path]) -> dict[Path, str]:
    """Read every text file once."""
    return {path: path.read_text(encoding="utf-8") for path in files if path.suffix in TEXT}


def test_no_source_file_exceeds_the_maximum_length(root: Path) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (root / "sfcode").rglob("*.py")}
    assert {str(path): length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_the_local_org_does_not_grow(root: Path) -> None:
    """Lines that are added to the local org must be saved elsewhere in it."""
    lengths = [len(path.read_text().splitlines()) for path in (root / "sfcode" / "local").rglob("*.py")]
    assert 0 < sum(lengths) <= MOST_LINES_OF_THE_LOCAL_ORG


def test_no_file_holds_what_looks_like_a_secret(texts: dict[Path, str]) -> None:
    matches = [(str(path), kind) for path, text in texts.items() for kind, look in SECRETS.items() if look.search(text)]
    assert matches == []


WRITTEN_PIECEMEAL = {
    "sfcode/atomic_write.py": "what the others use",
    "sfcode/github/actions_step.py": "the runner's files, to which every step appends",
    "sfcode/importing/pipeline.py": "a temporary folder",
    "sfcode/review/revisions.py": "a temporary folder",
}
"""Files of the command line and the relay that write files without `atomic_write`, and the reasons."""


def writes_a_file(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    modes = [
        value.value
        for value in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(value, ast.Constant)
    ]
    is_open = name == "open" and any(isinstance(mode, str) and re.fullmatch("[wxa][bt+]*", mode) for mode in modes)
    return is_open or name in {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"}


def test_files_of_users_are_written_whole_by_one_module(root: Path) -> None:
    """A full disk or a kill must leave the previous file intact, so no other module opens a file for writing."""
    sources = [path for path in (root / "sfcode").rglob("*.py") if "local" not in path.relative_to(root).parts]
    writing = {
        path.relative_to(root).as_posix()
        for path in sources
        if any(isinstance(node, ast.Call) and writes_a_file(node) for node in ast.walk(ast.parse(path.read_bytes())))
    }
    assert writing == set(WRITTEN_PIECEMEAL)


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        ("private key", "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "M" * 40),
        ("Salesforce session", "00D000000000001" + "!" + "A" * 80),
        ("sfdx auth URL", "force" + "://PlatformCLI::" + "a" * 80 + "@login.salesforce.com"),
        ("GitHub token", "ghp" + "_" + "a" * 36),
    ],
)
def test_a_secret_would_be_found(kind: str, example: str) -> None:
    assert SECRETS[kind].search(example)


def test_no_file_names_a_folder_of_somebodys_machine(texts: dict[Path, str]) -> None:
    lines = [
        f"{path}: {line.strip()}"
        for path, text in texts.items()
        if path.name != Path(__file__).name
        for line in text.splitlines()
        if ABSOLUTE_PATH.search(line)
    ]
    assert lines == []


def test_tests_wait_by_one_helper_with_one_limit(texts: dict[Path, str], root: Path) -> None:
    """A test with its own loop and clock fails on a busy machine, and so does one with its own limit."""
    own_limits = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path, text in texts.items()
        if path.suffix == ".py" and root / "tests" in path.parents and path.name != "waiting.py"
        if re.search(r"monotonic|timeout=\d", text)
        for node in ast.walk(ast.parse(text))
        if _waits_by_itself(node)
    ]
    assert own_limits == []


def _waits_by_itself(node: ast.AST) -> bool:
    if isinstance(node, ast.While):
        return {"sleep", "monotonic"} <= {call.attr for call in ast.walk(node) if isinstance(call, ast.Attribute)}
    if not isinstance(node, ast.keyword) or node.arg != "timeout" or not isinstance(node.value, ast.Constant):
        return False
    return 2 <= (node.value.value or 0) <= 120


@pytest.mark.parametrize(
    ("code", "is_refused"),
    [
        ("while time.monotonic() < end:\n    time.sleep(1)", True),
        ("while not done:\n    time.sleep(1)", False),
        ("requests.get(url, timeout=20)", True),
        ("requests.get(url, timeout=PATIENCE)", False),
        ("Runtime(timeout=0.2)", False),
    ],
)
def test_a_limit_of_a_tests_own_would_be_found(code: str, is_refused: bool) -> None:
    assert any(map(_waits_by_itself, ast.walk(ast.parse(code)))) is is_refused


@pytest.mark.parametrize(
    ("code", "is_unused"),
    [
        ("def forgotten(): ...", True),
        ("class Queue:\n    def forgotten(self): ...\nQueue()", True),
        ("class Queue:\n    @property\n    def forgotten(self): ...\nQueue()", True),
        ("class Queue:\n    def forgotten(self): ...\nQueue().forgotten()", False),
        ("class Queue(Thread):\n    def forgotten(self): ...\nQueue()", False),
        ("@command('x')\ndef forgotten(): ...", False),
        ("def forgotten(): ...\nTABLE = 'module:forgotten'", False),
    ],
)
def test_a_function_that_nothing_uses_would_be_found(root: Path, code: str, is_unused: bool) -> None:
    problems = [*unused_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_unused, problems


def test_numbers_and_their_nouns_are_joined_by_one_function(texts: dict[Path, str], root: Path) -> None:
    """Otherwise one place says `1 components`, and another one `1000 components` where the next says `1,000`."""
    plural = re.compile(r"""['"]e?s['"] \*|else ['"]e?s['"]|['"]{2} if .* == 1 else""")
    places = [str(path) for path, text in texts.items() if root / "sfcode" in path.parents and plural.search(text)]
    assert places == []


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("def _shown(): ...", True),
        ("class Any:\n    async def _refused(self): ...", True),
        ("def _explain_refused(): ...", False),
        ("def _need(): ...", False),
        ("def expired(): ...", False),
        ("class Any:\n    @cached_property\n    def _resolved(self): ...", False),
    ],
)
def test_a_private_function_that_is_named_by_a_participle_would_be_found(root: Path, code: str, is_found: bool) -> None:
    problems = [*participle_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('@property\ndef name(self):\n    """Return the name."""', True),
        ('@cached_property\ndef names(self):\n    """\n    List the names.\n\n    Sorted.\n    """', True),
        ('@property\ndef name(self):\n    """The name."""', False),
        ("@property\ndef name(self): ...", False),
        ('def find_name(self):\n    """Return the name."""', False),
    ],
)
def test_a_docstring_of_a_property_that_begins_with_a_verb_would_be_found(
    root: Path, code: str, is_found: bool
) -> None:
    problems = [*property_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("def rows_of(given): ...", True),
        ("def load():\n    for each in range(3): ...", True),
        ("async def _told(): ...", True),
        ("load = lambda what: 0", True),
        ("numbers = [one for one in range(3)]", True),
        ("if (found := 1): ...", True),
        ("class Any:\n    found: int", False),
        ("class Any:\n    def __init__(self):\n        self.found = 1", False),
        ("GIVEN = 1", False),
        ("from sfcode import found", False),
    ],
)
def test_a_name_that_says_nothing_about_its_value_would_be_found(root: Path, code: str, is_found: bool) -> None:
    problems = [*vague_name_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(("name", "count"), [("test_a_failure_is_told", 1), ("test_a_failure_is_reported", 0)])
def test_a_retired_word_in_the_name_of_a_test_would_be_found(root: Path, name: str, count: int) -> None:
    tree = ast.parse(f"def {name}(): ...")
    assert len([*find_retired_test_names({"tests.x": (root / "tests" / "x.py", tree)})]) == count


def test_a_misspelled_word_of_a_name_would_be_found(root: Path, tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text("def test_a_set_for_a_" + "licen" + "ce() -> None: ...\n")
    codespell = Path(sys.executable).with_name("codespell")
    command = [codespell, "--toml", root / "pyproject.toml", "--skip=", tmp_path]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "==> license" in result.stdout


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('"""Call `load_all`."""', True),
        ('class Limits:\n    most: int\n    """Limited by `Limits.most_of_all`."""', True),
        ('def load_all():\n    """Run until `load_all()` ends."""', False),
        ('"""See `x.py`, `Contact.Plan__c` and `planName`."""', False),
        ('"""See `a value_of some text`."""', False),
        ('KEYS = ("last_run",)\n"""The key `last_run`."""', False),
    ],
)
def test_a_docstring_that_names_what_does_not_exist_would_be_found(root: Path, code: str, is_found: bool) -> None:
    problems = [*reference_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Start with an org remove_permissions any apply.", True),
        ("Return the user_id.", True),
        ("Return the `user_id`, as in user_id.from and docs/user_id.md.", False),
    ],
)
def test_a_name_without_backticks_in_a_docstring_would_be_found(root: Path, text: str, is_found: bool) -> None:
    tree = ast.Module([ast.Expr(ast.Constant(text, lineno=1))], [])
    problems = [*bare_name_problems({"sfcode.x": (root / "sfcode" / "x.py", tree)})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Return the id of a record.", True),
        ("Ids of records.", True),
        ("Return the ID of a record: `id` or `Id`.", False),
        ('The org answers "invalid id", see https://help.salesforce.com/?id=1', False),
        ("Identify the rides by IDs.", False),
    ],
)
def test_an_id_in_lower_case_in_a_docstring_would_be_found(root: Path, text: str, is_found: bool) -> None:
    tree = ast.Module([ast.Expr(ast.Constant(text, lineno=1))], [])
    problems = [*id_problems({"sfcode.x": (root / "sfcode" / "x.py", tree)})]
    assert bool(problems) is is_found, problems


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('raise SystemExit("No record has the id 7.")', True),
        ('raise SystemExit(f"{number:,} user ids differ")', True),
        ('raise SystemExit("No record has the ID 7: pass --user-id, or write id: 7.")', False),
        ("raise SystemExit(f'Pass \"{key} id\" to it.')", False),
        ('KEYS = ("id", "ids")', False),
        ('QUERY = "SELECT id FROM message ORDER BY id"', False),
        ('NO_ACCESS = "insufficient access rights on cross-reference id"', False),
        ('"""The docstring has another check: an id."""', False),
    ],
)
def test_an_id_in_lower_case_in_a_message_would_be_found(root: Path, code: str, is_found: bool) -> None:
    problems = [*message_id_problems({"sfcode.x": (root / "sfcode" / "x.py", ast.parse(code))})]
    assert bool(problems) is is_found, problems


def test_a_message_of_the_local_org_may_have_an_id_in_lower_case(root: Path) -> None:
    tree = ast.parse('raise SystemExit("more than one record found for external id field")')
    assert not [*message_id_problems({"sfcode.local.x": (root / "sfcode" / "local" / "x.py", tree)})]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("docs/x.md", "The user id.\n\n| id | name |", [1, 3]),
        ("docs/x.md", "The user ID in [`id`](x.md#the-id), `id` and https://x.example/?id=1.", []),
        ("docs/x.md", "```yaml\nuser: id\nuser: id # the id of a user\n```\nIds.", [3, 5]),
        ("config/x.yaml", "# The id of a campaign.\nid: 7", [1]),
        ("sfcode/x.py", "ids = id # noqa: A001", []),
    ],
)
def test_an_id_in_lower_case_on_a_page_would_be_found(name: str, text: str, lines: list[int]) -> None:
    assert [int(problem.split(":")[1]) for problem in page_id_problems(name, text)] == lines


def test_a_cache_of_results_by_argument_has_a_limit(root: Path) -> None:
    """A relay and a local org run for months, so a cache whose keys are received values must be bounded."""
    unlimited = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in (root / "sfcode").rglob("*.py")
        if re.search("@.*cache", text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if _caches_without_limit(node)
    ]
    assert unlimited == []


def _caches_without_limit(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef) or not any(ast.iter_child_nodes(node.args)):
        return False
    caches = [text for decorator in node.decorator_list if "cache" in (text := ast.unparse(decorator))]
    return any(
        not re.fullmatch(r"(functools\.)?(lru_cache(\((maxsize=)?[\dA-Z_]+\))?|cached_property)", text)
        for text in caches
    )


@pytest.mark.parametrize(
    ("code", "is_refused"),
    [
        ("@cache\ndef parse(text): ...", True),
        ("@functools.cache\ndef parse(*, text): ...", True),
        ("@lru_cache(None)\ndef parse(text): ...", True),
        ("@lru_cache(maxsize=None)\ndef parse(text): ...", True),
        ("@cache\ndef load(): ...", False),
        ("@lru_cache\ndef parse(text): ...", False),
        ("@functools.lru_cache(64)\ndef parse(text): ...", False),
        ("@cached_property\ndef rows(self): ...", False),
    ],
)
def test_a_cache_without_a_limit_would_be_found(code: str, is_refused: bool) -> None:
    assert any(map(_caches_without_limit, ast.walk(ast.parse(code)))) is is_refused


def test_the_version_of_the_package_has_its_section_in_the_changelog(root: Path) -> None:
    changelog = (root / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert sfcode.__version__ in headings


def test_the_lock_has_every_dependency_with_hashes_and_no_host(root: Path) -> None:
    lock = (root / "requirements" / "dev.txt").read_text()
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links|--trusted-host", lock)
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\\n +--hash=sha256:", lock, re.MULTILINE))
    assert len(locked) == len(re.findall(r"^\S+==", lock, re.MULTILINE))
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.match(r"[A-Za-z0-9-]+", requirement).group().lower() for requirement in requirements}
    assert sorted(names - locked.keys()) == []


def test_the_lock_of_the_salesforce_cli_has_hashes_and_no_host(root: Path) -> None:
    """Requested versions are exact, and their dependencies are locked."""
    folder = root / "requirements" / "node"
    manifest = json.loads((folder / "package.json").read_text())
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    pinned_versions = manifest["dependencies"] | manifest["optionalDependencies"]
    assert pinned_versions == {name: locked[f"node_modules/{name}"]["version"] for name in pinned_versions}
    packages = [
        package for name, package in locked.items() if name and "link" not in package and "inBundle" not in package
    ]
    assert len(packages) > 500
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)


def test_every_action_of_every_workflow_is_pinned_to_a_commit(root: Path) -> None:
    workflows = sorted((root / ".github").rglob("*.y*ml"))
    assert workflows
    for path in workflows:
        for used in re.findall(r"uses: *(\S.*)", path.read_text()):
            assert re.fullmatch(r"([.$]/\S*( # zizmor: ignore.*)?|[\w./-]+@[0-9a-f]{40} # v\d[\w.]*)", used.strip()), (
                path,
                used,
            )


def test_every_workflow_starts_without_permissions(root: Path) -> None:
    for path in sorted((root / ".github" / "workflows").glob("*.y*ml")):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}, path
        assert all("permissions" in job for job in workflow["jobs"].values()), path


def test_ci_runs_what_a_laptop_runs(root: Path) -> None:
    assert "make test" in (root / ".ci" / "run").read_text()
    assert "run: make test" in (root / ".github" / "workflows" / "ci.yml").read_text()


def test_every_exception_of_the_linter_has_its_reason(root: Path) -> None:
    section = (root / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.pyd")[0]
    ignores = re.findall(r'^  "[A-Z]+\d*",(.*)$', section, re.MULTILINE)
    assert ignores
    assert all(re.match(r" +# \S", reason) for reason in ignores)


@pytest.mark.parametrize(
    ("pattern", "schema"),
    [
        (".github/ISSUE_TEMPLATE/[!c]*.yml", "github-issue-forms"),
        (".github/ISSUE_TEMPLATE/config.yml", "github-issue-config"),
        (".github/dependabot.yml", "dependabot"),
        (".github/actions/*/action.yml", "github-actions"),
        ("action.yml", "github-actions"),
    ],
)
def test_what_github_reads_obeys_its_schema(root: Path, pattern: str, schema: str) -> None:
    file = package_files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{schema}.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(document)(document)
    paths = sorted(root.glob(pattern))
    assert paths
    for path in paths:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert list(validator.iter_errors(data)) == [], path
        assert not validator.is_valid({**data, next(iter(data)): 7}), "a wrong value would be found"
