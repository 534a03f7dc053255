"""
The formula language of formula fields, workflow rules and flow entry conditions.

`parse` returns a tree, which `check` validates against the fields and functions of its context.
"""

from __future__ import annotations

from sfcode.local.formula.check import check
from sfcode.local.formula.functions import NOT_IN_FIELDS, NOT_IN_RULES, Type, formula_type
from sfcode.local.formula.parser import FormulaError, parse
from sfcode.local.formula.tree import Reference, references

__all__ = [
    "NOT_IN_FIELDS",
    "NOT_IN_RULES",
    "FormulaError",
    "Reference",
    "Type",
    "check",
    "formula_type",
    "parse",
    "references",
]
