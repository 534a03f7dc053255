"""Files that are not valid YAML."""

from __future__ import annotations

from tests.config.projects import CONTACT, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "empty",
        {"contact": "# only a comment\n"},
        [
            "config/mappings/contact.yaml:1:1: the file is empty; write `key: value` lines; `sfcode init` writes an example",
        ],
    ),
    Case(
        "a list",
        {"contact": "- a\n"},
        [
            "config/mappings/contact.yaml:1:1: the file has no keys; write `key: value` lines; `sfcode init` writes an example",
        ],
    ),
    Case(
        "a colon in a value",
        {"contact": "object: Contact: x\n"},
        [
            "config/mappings/contact.yaml:1:16: not valid YAML: mapping values are not allowed in this context; put a value that holds `: ` in quotes, and check the indentation",
        ],
    ),
    Case(
        "a tab",
        {
            "contact": """\
user_id:
	field: x
"""
        },
        [
            "config/mappings/contact.yaml:2:1: not valid YAML: a tab in the indentation; indent with spaces",
        ],
    ),
    Case(
        "quotes left open",
        {"contact": "object: 'Contact\n"},
        [
            "config/mappings/contact.yaml:1:9: not valid YAML: a quote that is not closed; close it where the value ends",
        ],
    ),
    Case(
        "braces in braces",
        {"contact": "user_id: {field: ${x}}\n"},
        [
            "config/mappings/contact.yaml:1:19: not valid YAML: did not find expected ',' or '}'; inside { } and [ ], put values that hold ${...} in quotes and check the commas",
        ],
    ),
    Case(
        "a value that begins with braces",
        {"contact": "object: {{ x }}\n"},
        [
            "config/mappings/contact.yaml:1:10: a key must be plain text; put a value that begins with { or [ in quotes",
        ],
    ),
    Case(
        "a value that begins with @",
        {"contact": "object: @x\n"},
        [
            "config/mappings/contact.yaml:1:9: not valid YAML: found character that cannot start any token; indent with spaces, and put values that begin with %, @ or ` in quotes",
        ],
    ),
    Case(
        "brackets left open",
        {"contact": "object: [a\n"},
        [
            "config/mappings/contact.yaml:1:9: not valid YAML: a [ that is not closed; close it with ], and check the commas in it",
        ],
    ),
    Case(
        "an unknown anchor",
        {"contact": "object: *x\n"},
        [
            "config/mappings/contact.yaml:1:9: object: there is no anchor &x before this alias; put a value that begins with * in quotes",
        ],
    ),
    Case(
        "an anchor inside itself",
        {"contact": "object: &x [*x]\n"},
        [
            "config/mappings/contact.yaml:1:13: object[0]: there is no anchor &x before this alias; put a value that begins with * in quotes",
        ],
    ),
    Case(
        "a list as a key",
        {
            "contact": """\
? [a]
: b
"""
        },
        [
            "config/mappings/contact.yaml:1:3: a key must be plain text; put a value that begins with { or [ in quotes",
        ],
    ),
    Case(
        "two documents",
        {"contact": CONTACT + "---\n" + CONTACT},
        [
            "config/mappings/contact.yaml:7:1: a second YAML document in one file; write each document into its own file",
        ],
    ),
    Case(
        "merge keys and foreign tags",
        {
            "contact": """\
<<: {a: 1}
object: !ruby x
user_id: !!int x
to_appcues: !!seq {}
"""
        },
        [
            "config/mappings/contact.yaml:1:1: merge keys (<<) are not supported; write the keys themselves",
            "config/mappings/contact.yaml:2:9: object: the tag !ruby is not supported; write the value without a tag",
            "config/mappings/contact.yaml:3:10: user_id: the tag !!int does not fit the value 'x'; write the value without a tag",
            "config/mappings/contact.yaml:4:13: to_appcues: the tag !!seq is not supported; write the value without a tag",
        ],
    ),
    Case(
        "a YAML of the future",
        {
            "contact": """\
%YAML 2.0
---
object: Contact
"""
        },
        [
            "config/mappings/contact.yaml:1:1: not valid YAML: found incompatible YAML document; check indentation and quotes here",
        ],
    ),
    Case(
        "not UTF-8",
        {"contact": b"object: Contact\nuser_id: \xff\n"},
        [
            "config/mappings/contact.yaml:2:10: not UTF-8 text; save the file as UTF-8",
        ],
    ),
    Case(
        "a control character",
        {
            "contact": """\
object: Contact
user_id: a
"""
        },
        [
            "config/mappings/contact.yaml:2:11: the character U+0007 is not allowed in YAML; remove it",
        ],
    ),
    Case(
        "nested too deeply",
        {"contact": "a: " + "[" * 60},
        [
            "config/mappings/contact.yaml:1:44: nested deeper than 40 levels; reduce the nesting",
        ],
    ),
    Case(
        "aliases that multiply",
        {
            "contact": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{b}: &{b} [" + ", ".join([f"*{a}"] * 10) + "]\n" for a, b in zip("abcde", "bcdef", strict=True))
        },
        [
            "config/mappings/contact.yaml:1:32: more than 50,000 values after the aliases are expanded; use fewer aliases",
        ],
    ),
    Case(
        "too large",
        {"contact": "#" * 1_000_001},
        [
            "config/mappings/contact.yaml:1:1: larger than 1,000,000 bytes; split the file",
        ],
    ),
]


@parametrize_cases(CASES)
def test_a_syntax_error_is_reported_at_its_position(case: Case, folder: Folder) -> None:
    case.check(folder)


def test_a_key_written_twice_does_not_hide_what_else_is_wrong(folder: Folder) -> None:
    folder.write("mappings/contact.yaml", CONTACT + "match: usr\nmatch: group\nobject: Lead\n")
    assert folder.problems() == [
        'config/mappings/contact.yaml:7:8: match: unknown value "usr"; write user (or: group)',
        "config/mappings/contact.yaml:8:1: match: defined twice, first in line 7; keep one of them",
        "config/mappings/contact.yaml:9:1: object: defined twice, first in line 1; keep one of them",
    ]
