"""
Check the names of the code and the words of its texts, as CONTRIBUTING.md describes them.

Fails when one class name stands for several things, when modules import each other in a circle, when nothing in the
package uses a function or a class, when a name is a pronoun, a question word or a participle that says nothing about
its value, when the docstring of a property begins with a verb, when a docstring refers to a name that does not exist or
has a name without backticks, when a text has ID in lower case, or when a text or the name of a test has a retired word.
`codespell` checks the spelling.
"""

from __future__ import annotations

import ast
import functools
import gc
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "sfcode"
TEXTS = (
    "sfcode",
    "templates",
    "config",
    "docs",
    "scripts",
    "benchmarks",
    ".github",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".j2", ".txt", ".toml"}

RETIRED = {
    r"(?<![\"'])cures?(?![\"'])": "hint, remedy",
    r"whoever": "a user who, the person who",
    r"taken on|takes? on|taking on": "managed, adopted",
    r"told of|is told|are told": "reported, receives",
    r"says so": "reports it",
    r"left alone|leaves? alone": "unchanged, does not change",
    r"in hand": "current",
    r"comes to": "results in, amounts to",
    r"made of it": "result",
    r"what is not|who does not": "name the noun",
    r"named in vain": "has no effect",
    r"say --\w": "pass --",
    r"lift(?:s|ed)? (?:an |the )?alarms?": "acknowledge",
}
"""Words that a reader has to decode, as regular expressions, and what to write instead."""

NOT_REGISTERED = {
    "cache",
    "cached_property",
    "classmethod",
    "contextmanager",
    "dataclass",
    "property",
    "staticmethod",
}
"""Decorators that do not register a function or class: something must still use it by its name."""
PLAIN_BASES = {"Enum", "Exception", "Generic", "NamedTuple", "Protocol", "TypedDict"}
"""Base classes of other packages that never call the methods that a subclass adds."""
PARTICIPLE = re.compile(r"_(?!need|feed|seed|embed|shed)[a-z]*ed|_(shown|found|told|said|given|made|taken|kept|known)")
"""Matches names of private functions that are participles; a property is a value and may have such a name."""
VAGUE = re.compile(
    "again|anything|armed|asked|begun|both|broken|carried|chosen|crowded|doing|doomed|doubted|each|everything"
    "|forgotten|found|given|going|gone|halted|held|hidden|kept|known|made|me|met|mine|nobody|noticed|nothing|one"
    "|ones|others|ours|picked|said|shown|some|somebody|something|spread|stated|taken|that|theirs|then|there|these"
    "|this|those|told|turned|wanted|weighed|what|where|which|whole|whom|whose|why|woken|written"
)
"""Names of functions, parameters and variables that say nothing about the value: pronouns, question words, participles."""
VERB = re.compile(r"(Compute|Describe|Find|Get|List|Read|Return|Yield)\b")
"""Matches the beginning of a docstring that describes a call, while a property is a value."""
RETIRED_IN_TESTS = re.compile("told|tells|taken_on|says_so|made_of_it")
"""Words that names of tests must not contain; write reported, distinguished, adopted or returned instead."""
LONGEST_TABLE_ENTRY = 80
"""The maximum length of a string that may contain names in a table, such as the module and the function of a verb."""
UNUSED = {"describe_metadata": "the tests that compare the client with recorded orgs call it"}
"""Names that only tests or other programs use, with the reason."""
REFERENCE = re.compile(r"`([\w.]+?)(?:\.py|\(\))?`")
"""Matches a reference in a docstring: a name, or several names that are joined by dots."""
SNAKE_CASE = re.compile(r"[a-z]+(?:_[a-z]+)+")
"""Matches the names that are checked; a name in another style may be a name in Salesforce, or an example."""
FOREIGN = {"author_association": "a field of GitHub's API", "plan_name": "an example of an attribute"}
"""Names in docstrings that the package does not define, with the reason."""
QUOTED = re.compile(r'`[^`]*`|"[^"]*"|https://\S+')
"""Matches code, texts of other programs and URLs in a docstring."""
BARE_NAME = re.compile(r"(?<![\w./$'-])[a-z]+(?:_[a-z]+)+(?![\w/(=:']|\.\w)")
"""Matches a name in snake case that stands in prose, and not in a path or a call."""
LOWER_CASE_ID = re.compile(r"\b[Ii]ds?\b")
"""Matches `id` as a word in a docstring."""
ID_IN_TEXT = re.compile(r"(?<![\w./$'=:<-])(?:ids?|Ids)\b(?![-_=:'/(]|\.\w)")
"""Matches `id` as a word in a message, a comment or a page, but not in a path, an option or a key; `Id` is Salesforce's field."""
CODE_IN_TEXT = re.compile(r"`[^`]*`|\"[^\"]*\"|https?://\S+|\{[^}]*\}|\]\([^)]*\)|<[a-z!/][^>]*>")
"""Matches code, texts of other programs, URLs, placeholders, targets of links and tags."""
SQL = re.compile(r"\b(?:SELECT|FROM|WHERE|ORDER BY|CREATE|INSERT|UPDATE|DELETE|CONFLICT)\b")
"""Matches a query, or a part of one."""
PLATFORM = Path("sfcode", "local")
"""The package whose texts are those of Salesforce."""
TEXTS_WITH_ID = {
    "The id of the survey in Appcues.": "a description in the orgs; another text would be a change in the next plan",
    "insufficient access rights on cross-reference id": "an answer of Salesforce",
}
"""Texts that keep `id` in lower case, with the reason."""

_PATTERN = re.compile("|".join(rf"\b(?P<r{number}>{words})\b" for number, words in enumerate(RETIRED)), re.IGNORECASE)


def main() -> int:
    """Print every problem with its place; return 1 if there is one."""
    gc.disable()  # the collector would visit the millions of nodes again and again
    trees, programs, tests = _parse(PACKAGE), _parse("scripts") | _parse("benchmarks"), _parse("tests")
    problems = [
        *_class_problems(trees),
        *_circle_problems(trees),
        *unused_problems(trees),
        *participle_problems(trees),
        *property_problems(trees | programs),
        *reference_problems(trees | programs),
        *id_problems(trees | programs),
        *find_retired_test_names(tests),
        *message_id_problems(trees | programs),
        *vague_name_problems(trees | programs | tests),
        *bare_name_problems(trees | programs | tests),
        *_text_problems(),
    ]
    print(*problems, sep="\n", end="\n" if problems else "")
    return int(bool(problems))


def _parse(folder: str) -> dict[str, tuple[Path, ast.Module]]:
    """Parse the modules of a folder; return their paths and trees by the modules' names."""
    return {_module(path): (path, ast.parse(path.read_text("utf-8"))) for path in sorted((ROOT / folder).rglob("*.py"))}


@functools.cache
def list_nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return a node and all nodes below it. The result is cached, since most checks need the nodes of every module."""
    return tuple(ast.walk(tree))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _class_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    modules: dict[str, list[str]] = defaultdict(list)
    for module, (_, tree) in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(module)
    for name, owners in sorted(modules.items()):
        if len(owners) > 1:
            yield f"class {name} stands for several things: {', '.join(owners)}"


def _circle_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    graph = {module: set(_imports(module, tree, trees)) for module, (_, tree) in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"modules import each other in a circle: {' -> '.join(error.args[1])}"


def _imports(module: str, tree: ast.Module, trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """List the modules of the package that a module imports, also inside functions, but not only for type checking."""
    checked = {
        id(inner)
        for node in list_nodes(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in list_nodes(node)
    }
    for node in list_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in checked:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                target = inner if inner in trees else node.module
                if target in trees and target != module:
                    yield target


def unused_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find functions, methods and classes whose names occur nowhere else: in code, templates or short texts."""
    used = {word for path in (ROOT / PACKAGE).rglob("*.j2") for word in re.findall(r"\w+", path.read_text("utf-8"))}
    classes = set()
    for _, tree in trees.values():
        for node in list_nodes(tree):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    used.add(name)
                case ast.Constant(value=str(text)) if len(text) < LONGEST_TABLE_ENTRY:
                    used.update(re.findall(r"\w+", text))
                case ast.ClassDef(name=name):
                    classes.add(name)
    for path, tree in trees.values():
        for definition in _definitions(tree, classes):
            name = definition.name
            if name not in used and name not in UNUSED and not name.startswith("__"):
                yield f"{path.relative_to(ROOT)}:{definition.lineno}: nothing in {PACKAGE} uses {name}"


def participle_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find private functions whose name is a participle such as `_shown`, which does not say what they do."""
    for path, tree in trees.values():
        for node in list_nodes(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not PARTICIPLE.fullmatch(node.name):
                continue
            if not any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} is a participle; begin with a verb"


def property_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find properties whose docstring begins with a verb: a property is a value, and its docstring a noun phrase."""
    for path, tree in trees.values():
        for node in list_nodes(tree):
            if not isinstance(node, ast.FunctionDef) or not VERB.match(ast.get_docstring(node) or ""):
                continue
            if any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: the docstring of the property {node.name} begins with a verb"


def vague_name_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find functions, parameters and variables whose names match `VAGUE`, except fields, which keep the keys of JSON."""
    for path, tree in trees.values():
        statements = [part for node in list_nodes(tree) if isinstance(node, ast.ClassDef) for part in node.body]
        fields = {id(part.target) for part in statements if isinstance(part, ast.AnnAssign)}
        for node in list_nodes(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                    is_vague = bool(VAGUE.fullmatch(name.strip("_")))
                case ast.Name(id=name, ctx=ast.Store()):
                    is_vague = bool(VAGUE.fullmatch(name)) and id(node) not in fields
                case _:
                    continue
            if is_vague:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {name} says nothing about its value; name what it holds"


def reference_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find names in the docstrings that are neither defined nor used: they remain when a name is changed."""
    names = {part for module in trees for part in module.split(".")} | set(FOREIGN)
    names |= {path.stem for path in (ROOT / "scripts").glob("*.py")}
    docstrings = []
    for path, tree in trees.values():
        texts = [text for node in list_nodes(tree) for text in _docstrings(node)]
        docstrings += [(path, text) for text in texts]
        ignored = {id(text) for text in texts}
        for node in list_nodes(tree):
            names.update(_names(node) if id(node) not in ignored else ())
    for path, text in docstrings:
        for reference in REFERENCE.findall(str(text.value)):
            for name in filter(SNAKE_CASE.fullmatch, reference.split(".")):
                if name not in names:
                    yield f"{path.relative_to(ROOT)}:{text.lineno}: `{name}` in a docstring does not exist"


def id_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find docstrings with `id` as a word, which Salesforce's documentation writes as `ID`."""
    for path, tree in trees.values():
        for text in (text for node in list_nodes(tree) for text in _docstrings(node)):
            if LOWER_CASE_ID.search(QUOTED.sub("", str(text.value))):
                yield f"{path.relative_to(ROOT)}:{text.lineno}: write ID in a docstring, or the name in backticks"


def message_id_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find messages, helps and descriptions with `id` as a word; a string without a space is a key."""
    for path, tree in trees.values():
        if path.relative_to(ROOT).is_relative_to(PLATFORM):
            continue
        docstrings = {id(text) for node in list_nodes(tree) for text in _docstrings(node)}
        for number, text in _strings(tree, docstrings):
            if " " in text and not SQL.search(text) and _has_id(text):
                yield f"{path.relative_to(ROOT)}:{number}: write ID in a message, or the name in backticks"


def _strings(tree: ast.AST, ignored: set[int]) -> Iterator[tuple[int, str]]:
    """Yield the lines and values of the strings in a module, with `{}` for each value in a formatted string."""
    for node in list_nodes(tree):
        match node:
            case ast.JoinedStr(values=parts):
                ignored = ignored | {id(part) for part in parts}
                yield (
                    node.lineno,
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts),
                )
            case ast.Constant(value=str(text)) if id(node) not in ignored:
                yield node.lineno, text


def _has_id(text: str) -> bool:
    for allowed in TEXTS_WITH_ID:
        text = text.replace(allowed, "")
    return bool(ID_IN_TEXT.search(CODE_IN_TEXT.sub("", text)))


def page_id_problems(name: str, text: str) -> Iterator[str]:
    """Find the lines of a page or of comments with `id` as a word."""
    is_page, is_code = ".md" in name, False
    for number, line in enumerate(text.splitlines(), start=1):
        is_fence = is_page and line.lstrip("> ").startswith("```")
        is_code ^= is_fence
        is_prose = is_page and not is_code and not is_fence
        if _has_id(line if is_prose else line.partition("# ")[2]):
            yield f"{name}:{number}: write ID, or the name in backticks"


def bare_name_problems(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find names in docstrings without backticks; a rename that also replaced a word of a sentence leaves one."""
    for path, tree in trees.values():
        for text in (text for node in list_nodes(tree) for text in _docstrings(node)):
            for name in BARE_NAME.findall(QUOTED.sub("", str(text.value))):
                yield f"{path.relative_to(ROOT)}:{text.lineno}: put {name} into backticks, if it is a name"


def _docstrings(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the docstrings in a block, also those of fields and constants."""
    body = getattr(node, "body", None)
    for statement in body if isinstance(body, list) else ():
        match statement:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text


def _names(node: ast.AST) -> Iterable[str]:
    """Return the names that a node defines or uses, or the words of a text."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.alias(name=name, asname=asname):
            return (*name.split("."), asname or name)
        case ast.Constant(value=str(text)):
            return re.findall(r"\w+", text)
    return ()


def _definitions(body: ast.AST, classes: set[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """List the definitions of the package that must be used by name: not those that a decorator or a base class calls."""
    for node in ast.iter_child_nodes(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not _is_registered(node):
            yield node
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).partition("[")[0] for base in node.bases}
            if not bases <= classes | PLAIN_BASES:
                continue
        yield from _definitions(node, classes)


def _is_registered(definition: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    names = {ast.unparse(decorator).partition("(")[0] for decorator in definition.decorator_list}
    return not names <= NOT_REGISTERED


def find_retired_test_names(trees: dict[str, tuple[Path, ast.Module]]) -> Iterator[str]:
    """Find names of tests with a retired word."""
    for path, tree in trees.values():
        for node in list_nodes(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for match in re.finditer(rf"(?<=_)(?:{RETIRED_IN_TESTS.pattern})(?=_|$)", node.name):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {match.group()!r} is a retired word in names of tests"


def _text_problems() -> Iterator[str]:
    listed = subprocess.run(["git", "ls-files", *TEXTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix not in SUFFIXES or path == Path(__file__).resolve() or not path.exists():
            continue
        text = path.read_text("utf-8")
        yield from page_id_problems(name, text)
        for number, line in enumerate(text.splitlines(), start=1):
            for match in _PATTERN.finditer(line):
                better = list(RETIRED.values())[int(str(match.lastgroup)[1:])]
                yield f"{name}:{number}: {match.group()!r} is a retired word; write: {better}"


if __name__ == "__main__":
    sys.exit(main())
