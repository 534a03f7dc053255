"""
Load parsers from precomputed LALR tables, which are package data.

Computing a table takes a tenth of a second, for which every command with `--org local` would wait.
`scripts/grammars.py` writes the tables. If a grammar or the version of lark has changed since then, the parser is
computed from the grammar, which is slower.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

GRAMMARS = {"sfcode.local.formula": False, "sfcode.local.soql": True}
"""The packages with a grammar, and whether their trees have placeholders for absent parts."""

TEXT, TABLE = "grammar.lark", "grammar.json"
KEYED = "%"
"""Marks a dictionary whose keys are numbers, which JSON does not have."""


def load(package: str) -> Lark:
    """Return the parser of a package's grammar."""
    from lark import Lark

    table = load_table(package)
    return build_parser(package) if table is None else Lark.load(table)


def load_table(package: str) -> dict[str, Any] | None:
    """Return the table of a package's grammar; None if it was made from another text or by another version of lark."""
    table: dict[str, Any] | None = json.loads(_read(package, TABLE) or "null", object_hook=_decode_keys)
    return None if table is None or table["of"] != fingerprint(package) else table


def build_parser(package: str) -> Lark:
    """Build a parser from the text of a grammar, which is slow."""
    from lark import Lark

    return Lark(_read(package, TEXT), parser="lalr", maybe_placeholders=GRAMMARS[package])


def render_table(package: str) -> str:
    """Render the table of a package's grammar, with entries in a stable order."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = build_parser(package).memo_serialize([TerminalDef, Rule])
    table = {"of": fingerprint(package), "data": _encode_keys(data), "memo": _encode_keys(memo)}
    return json.dumps(table, separators=(",", ":")) + "\n"


def fingerprint(package: str) -> str:
    """Return a hash of the grammar and the version of lark."""
    import lark

    return hashlib.sha256(f"lark {lark.__version__} {GRAMMARS[package]}\n{_read(package, TEXT)}".encode()).hexdigest()


def _read(package: str, name: str) -> str:
    path = files(package).joinpath(name)
    return path.read_text("utf-8") if path.is_file() else ""


def _encode_keys(value: Any) -> Any:
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: _encode_keys(member) for key, member in value.items()}
        return {KEYED: [[key, _encode_keys(member)] for key, member in value.items()]}
    return [_encode_keys(member) for member in value] if isinstance(value, list | tuple) else value


def _decode_keys(value: dict[str, Any]) -> dict[Any, Any]:
    return dict(value[KEYED]) if KEYED in value else value
