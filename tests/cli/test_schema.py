"""`sfcode schema` prints JSON Schema that a validator takes."""

from __future__ import annotations

import json

import jsonschema
import pytest

from sfcode.cli.main import main
from sfcode.cli.schema import OUTPUTS, output_schema
from sfcode.config.schema import KINDS, json_schema


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    captured = capsys.readouterr()
    return int(str(end.value.code)), captured.out, captured.err


@pytest.mark.parametrize("kind", KINDS)
def test_it_prints_the_schema_of_one_kind_of_file(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, err = run(capsys, "schema", kind)
    assert (code, err) == (0, "")
    assert json.loads(out) == json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def test_without_a_kind_it_accepts_each_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "schema")
    assert code == 0
    validator = jsonschema.Draft202012Validator(json.loads(out))
    assert validator.is_valid({"version": 1, "activities": {}})
    assert validator.is_valid({"object": "Lead", "user_id": "Key__c"})
    assert not validator.is_valid({"object": "Lead"})


def test_json_wraps_it_in_the_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json", "schema", "events")
    assert code == 0
    assert json.loads(out) == {"status": 0, "result": json_schema("events"), "warnings": []}


def test_another_kind_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "schema", "mappings")
    assert (code, out) == (1, "")
    assert "'mappings' is not one of 'sfcode', 'mapping', 'events'" in err


@pytest.mark.parametrize("kind", OUTPUTS)
def test_it_prints_the_schema_of_one_kind_of_output(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, err = run(capsys, "schema", kind)
    assert (code, err) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(out))
    assert json.loads(out)["$schema"] == json_schema("mapping")["$schema"]


def test_what_a_command_prints_is_an_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    envelope = jsonschema.Draft202012Validator(output_schema("envelope"))
    for words in (("schema", "events"), ("schema", "mappings"), ("explain", "SF214")):
        _, out, err = run(capsys, "--json", *words)
        envelope.validate(json.loads(out or err))
    assert not envelope.is_valid({"status": 0})


def test_a_plan_of_another_shape_is_no_plan() -> None:
    schema = jsonschema.Draft202012Validator(output_schema("plan"))
    assert not schema.is_valid({"format_version": "1.3", "resource_changes": []})
