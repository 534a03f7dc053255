"""`sfcode schema` prints valid JSON Schema."""

from __future__ import annotations

import base64
import json
import zlib

import jsonschema
import pytest

from sfcode.cli.main import main
from sfcode.cli.schema import OUTPUTS, output_schema
from sfcode.config.schema import KINDS, json_schema
from sfcode.metadata.component import Address
from sfcode.plan.state import Applied, Past
from sfcode.plan.state_format import readable_text, state_text
from tests.json_output import close_schema

SCORE = Address("CustomField", "Contact.Score__c")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    captured = capsys.readouterr()
    return int(str(end.value.code)), captured.out, captured.err


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_one_kind_of_file_is_printed(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, err = run(capsys, "schema", kind)
    assert (code, err) == (0, "")
    assert json.loads(out) == json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def test_the_schema_without_a_kind_accepts_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "schema")
    assert code == 0
    validator = jsonschema.Draft202012Validator(json.loads(out))
    assert validator.is_valid({"version": 1, "activities": {}})
    assert validator.is_valid({"object": "Lead", "user_id": "Key__c"})
    assert not validator.is_valid({"object": "Lead"})


def test_json_wraps_the_schema_in_the_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json", "schema", "events")
    assert code == 0
    assert json.loads(out) == {"status": 0, "result": json_schema("events"), "warnings": []}


def test_an_unknown_kind_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "schema", "mappings")
    assert (code, out) == (1, "")
    assert "'mappings' is not one of 'sfcode', 'mapping', 'events'" in err


@pytest.mark.parametrize("kind", OUTPUTS)
def test_the_schema_of_one_kind_of_output_is_printed(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, err = run(capsys, "schema", kind)
    assert (code, err) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(out))
    assert json.loads(out)["$schema"] == json_schema("mapping")["$schema"]


def test_json_output_fits_the_schema_of_the_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    envelope = jsonschema.Draft202012Validator(output_schema("envelope"))
    for words in (("schema", "events"), ("schema", "mappings"), ("explain", "SF214")):
        _, out, err = run(capsys, "--json", *words)
        envelope.validate(json.loads(out or err))
    assert not envelope.is_valid({"status": 0})


def test_an_invalid_plan_does_not_fit_the_schema() -> None:
    schema = jsonschema.Draft202012Validator(output_schema("plan"))
    assert not schema.is_valid({"format_version": "1.3", "resource_changes": []})


def test_the_state_in_an_org_and_its_readable_form_are_of_the_published_shape() -> None:
    validator = jsonschema.Draft202012Validator(close_schema(output_schema("state")))
    change = Past("1", "2026-01-02T03:04:05Z", "a@example.com", None, {SCORE: None}, frozenset({SCORE}))
    applied = Applied({SCORE: {"type": "Number"}}, "Acme", history=(change,), renaming=((SCORE, SCORE),))
    for text in (state_text(applied), readable_text(applied), readable_text(Applied())):
        validator.validate(json.loads(text))
    file = json.loads(state_text(applied))
    content = json.loads(zlib.decompress(base64.b64decode(file["content"])))
    validator.validate({**content, "format_version": 1, "history": []})
    assert not validator.is_valid({**file, "format_version": 3})
    assert not validator.is_valid({**content, "format_version": 1, "history": [], "more": 1})
