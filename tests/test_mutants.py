"""`make mutants`: which changes of the code it makes, and which of them it reports as not noticed by a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutations import list_mutations


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a and b", ["a and b  ->  b", "a and b  ->  a"]),
        ("return a if b else c", ["a if b else c  ->  a", "a if b else c  ->  c"]),
        ("if a: b()", ["if a: ...  ->  if True: ...", "if a: ...  ->  if False: ...", "b()  ->  pass"]),
        ("return a <= 1", ["a <= 1  ->  a < 1", "1  ->  2"]),
        ("return {'a': b}", ["{'a': b}  ->  {}", "'a'  ->  'aXX'"]),
        ("return a(b=c)", ["a(b=c)  ->  a()"]),
        ("raise Error('never mind the words')", ["raise Error('never mind the words')  ->  pass"]),
        ("yield a", ["yield a  ->  yield from ()"]),
        ("return [a for a in b if a]", ["for a in b if a  ->  for a in b"]),
        ("'Only documentation.'", []),
    ],
)
def test_the_mutations_of_a_function(body: str, expected: list[str]) -> None:
    source = f"def f(a, b):\n    {body}\n"
    mutations = [str(mutation).removeprefix("m.py:2: f: ") for mutation in list_mutations(source, "m.py", "/m.py")]
    assert mutations == expected


def test_methods_properties_and_decorated_functions_are_mutated_and_signatures_are_not() -> None:
    source = (
        "@wrap('outer')\ndef f(a: int = 1) -> 'int':\n    return a + 2\n\n"
        "class C:\n    x = 1\n\n    @property\n    def p(self):\n        return not self.x\n"
    )
    assert [str(mutation) for mutation in list_mutations(source, "m.py", "/m.py")] == [
        "m.py:3: f: a + 2  ->  a - 2",
        "m.py:3: f: 2  ->  3",
        "m.py:10: C.p: not self.x  ->  self.x",
    ]


MODULE = '''\
"""A module with one tested, one untested and one unreached function."""

from functools import cache


@cache
def tested(a: int) -> bool:
    return a > 1


def untested(a: int) -> bool:
    return a > 1


def unreached() -> int:
    return 1


def endless(a: int) -> int:
    while a:
        a -= 1
    return a
'''
TESTS = """\
import gc

from sfcode.module import endless, tested, untested


def test_that_fills_the_cache_and_checks_nothing():
    tested(1), tested(2)


def test_it():
    gc.freeze()  # as programs do after their imports
    assert (tested(1), tested(2)) == (False, True)
    assert untested(3)
    assert endless(3) == 0
"""


def test_a_run_lists_what_no_test_notices(root: Path, tmp_path: Path) -> None:
    files = {
        "sfcode/__init__.py": "",
        "sfcode/module.py": MODULE,
        "tests/test_module.py": TESTS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "scripts").mkdir()
    for name in ("mutants.py", "mutations.py"):
        shutil.copy(root / "scripts" / name, tmp_path / "scripts")
    command = [sys.executable, "-m", "scripts.mutants", "sfcode/module.py", "tests", "--timeout", "0.5"]
    process = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    lines = process.stdout.splitlines()
    listed = [
        "survived  sfcode/module.py:12: untested: a > 1  ->  a >= 1",
        "survived  sfcode/module.py:12: untested: 1  ->  2",
        "not reached  sfcode/module.py:16: unreached: 1  ->  2",
    ]
    assert [line for line in lines if "  ->  " in line] == listed
    assert lines[-1].startswith("sfcode/module.py: 5 killed (71 %), 2 survived, 1 not reached, 0 not applied"), lines
    (tmp_path / "log").write_text("\n".join(listed[1:]))
    completed_process = subprocess.run(
        [*command, "--again", "log"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert [line for line in completed_process.stdout.splitlines() if "  ->  " in line] == listed[1:]
