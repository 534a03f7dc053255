"""The probes of docs/assumptions.yaml: against the local org in every run, and with `make test-org` against the named org."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from scripts.assumptions import read_assumptions
from scripts.evidence import add_evidence, update_assumption
from sfcode.config import yaml
from sfcode.evidence import samples
from sfcode.evidence.probes import PROBES, Probe
from sfcode.evidence.record import HARMLESS, format_results, record_evidence, run_probe
from sfcode.evidence.redact import redact_body, redact_json, redact_webhook, scrub
from sfcode.local import LocalOrg
from sfcode.metadata.component import Component
from sfcode.org import Org, connect
from tests.e2e.journey import Journey

each_probe = pytest.mark.parametrize("probe", PROBES, ids=[probe.assumption for probe in PROBES])


@each_probe
def test_the_local_org_does_as_assumed(probe: Probe, local_org: Org) -> None:
    result = run_probe(local_org, probe)
    assert result.result == "confirmed", result.answer


@pytest.mark.org
def test_a_real_org_does_as_assumed(org_name: str, root: Path, record_property) -> None:
    """All answers are written to the file, including those that refute an assumption."""
    with connect(org_name, environ=dict(os.environ), api_version=samples.VERSION) as org:
        evidence = record_evidence(org, datetime.now(UTC), print)
    (root / "org-evidence.json").write_text(json.dumps(evidence, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    record_property("figures", format_results(evidence["probes"]))
    assert [probe for probe in evidence["probes"] if probe["result"] == "refuted"] == []


def test_a_wrong_assumption_is_refuted_with_its_own_text(local_org: Org, monkeypatch) -> None:
    component = Component("CustomField", samples.NUMBER, {"label": "x", "type": "Number", "precision": 99, "scale": 0})
    monkeypatch.setattr(samples, "number", lambda: component)
    (probe,) = (probe for probe in PROBES if probe.assumption == "U28")
    result = run_probe(local_org, probe)
    assert result.result == "refuted"
    assert "precision" in result.answer.lower() or "99" in result.answer


def test_a_query_that_the_user_may_not_run_confirms_nothing(local_org: Org, prepared: LocalOrg) -> None:
    (probe,) = (probe for probe in PROBES if probe.assumption == "U19")
    assert run_probe(_Refusing(), probe).result == "not_asked"


class _Refusing:
    """An org that refuses everything."""

    @property
    def metadata(self):
        from sfcode.errors import OrgError

        raise OrgError("INSUFFICIENT_ACCESS: use of the Metadata API requires a right", code="INSUFFICIENT_ACCESS")


class TestFile:
    @pytest.fixture
    def evidence(self, local_org: Org) -> dict:
        return record_evidence(local_org, datetime(2026, 11, 23, tzinfo=UTC), lambda _: None)

    def test_the_evidence_contains_every_answer_and_no_identity(self, evidence: dict, local_org: Org) -> None:
        assert [entry["assumption"] for entry in evidence["probes"]] == [probe.assumption for probe in PROBES]
        assert [entry["name"] for entry in evidence["exchanges"]] == [request.name for request in HARMLESS]
        assert evidence["org"]["edition"] == "Enterprise Edition"
        text = json.dumps(evidence)
        identity = local_org.identity
        for secret in (identity.username, identity.org_id, identity.user_id, identity.name, local_org.instance_url):
            assert secret not in text
        statuses = {entry["name"]: entry["answer"]["status"] for entry in evidence["exchanges"]}
        assert statuses["query of a field that does not exist"] == 400
        codes = [entry["answer"]["body"] for entry in evidence["exchanges"] if entry["answer"]["status"] == 404]
        assert [body[0]["errorCode"] for body in codes] == ["NOT_FOUND"] * len(codes)

    def test_doctor_writes_the_evidence(self, tmp_path: Path) -> None:
        journey = Journey.start(tmp_path)
        result = journey.run("doctor", "--probe", "answers.json")
        assert result.code == 0, result.err
        document = json.loads((tmp_path / "answers.json").read_text())
        assert "U03  confirmed" in result.out
        assert "answers.json holds these answers" in result.out
        assert len(document["probes"]) == len(PROBES)
        assert journey.run("plan", "--detailed-exitcode").code == 2, "the probes deployed something"


class TestRedaction:
    @pytest.mark.parametrize(
        ("text", "redacted"),
        [
            ("no User named ada@example.com found", "no User named <email> found"),
            ("no User named nobody@sfcode.invalid found", "no User named nobody@sfcode.invalid found"),
            ("see https://acme.my.salesforce.com/x", "see <url>"),
            ("id 003000000000001AAA is gone", "id <id> is gone"),
            ("INVALID_CROSS_REFERENCE_KEY", "INVALID_CROSS_REFERENCE_KEY"),
            ("since 2026-11-23T17:20:00.000+0000", "since <time>"),
        ],
    )
    def test_sentences_are_not_redacted(self, text: str, redacted: str) -> None:
        assert scrub(text) == redacted

    def test_values_are_replaced_by_their_kinds(self) -> None:
        value = {
            "Name": "Ada",
            "Id": "003000000000001AAA",
            "n": 7,
            "ok": True,
            "errorCode": "X",
            "rows": [1, 2, 3],
            "none": None,
        }
        assert redact_json(value) == {
            "Name": "<text>", "Id": "<id>", "n": "<number>", "ok": True, "errorCode": "X", "rows": ["<number>"] * 2, "none": None,
        }  # fmt: skip

    def test_codes_and_sentences_in_xml_are_not_redacted(self) -> None:
        body = b"<a:Fault><faultcode>sf:INVALID</faultcode><faultstring>no ada@example.com</faultstring><x>Ada</x></a:Fault>"
        assert redact_body(body) == {
            "elements": ["faultcode", "faultstring", "x"],
            "faultcode": "sf:INVALID",
            "faultstring": "no <email>",
        }
        assert (redact_body(b""), redact_body(b"Ada")) == (None, "<text>")

    def test_a_webhook_keeps_its_keys_and_the_names_of_events(self) -> None:
        body = {"name": "appcues:flow_completed", "user": {"id": "1001"}, "custom": "Bought a thing"}
        assert redact_webhook(body, {"x-signature": "<64 hex>"}) == {
            "body": {"name": "appcues:flow_completed", "user": {"id": "<text>"}, "custom": "<text>"},
            "headers": {"x-signature": "<64 hex>"},
        }

    def test_texts_of_a_webhook_are_redacted_under_any_key(self) -> None:
        keys = ("message", "error", "state", "status", "fields", "errorCode")
        body = dict.fromkeys(keys, "Ada wrote this") | {"event": "appcues: Ada wrote this"}
        assert set(redact_webhook(body, {})["body"].values()) == {"<text>"}

    def test_a_key_that_is_an_id_or_an_address_is_a_value(self) -> None:
        body = {"users": {"ada@example.com": 1}, "groups": {"10001": {"plan": "x"}}, "003000000000001AAA": {"ok": True}}
        assert redact_webhook(body, {})["body"] == {
            "users": {"<email>": "<number>"},
            "groups": {"<text>": {"plan": "<text>"}},
            "<id>": {"ok": True},
        }


class TestEvidence:
    EVIDENCE: ClassVar[dict[str, Any]] = {
        "evidence": 1,
        "date": "2026-11-24",
        "org": {"edition": "Developer Edition", "sandbox": False, "language": "en_US", "features": [], "api_version": "63.0"},
        "probes": [
            {"assumption": "U06", "question": "?", "result": "confirmed", "answer": "the validation succeeded"},
            {"assumption": "U14", "question": "?", "result": "refuted", "answer": 'no: "x"\nsecond line'},
            {"assumption": "U28", "question": "?", "result": "not_asked", "answer": "no right"},
        ],
        "exchanges": [
            {"name": "limits", "area": "resources", "request": {"method": "GET", "path": "/limits"}, "answer": {"status": 200, "body": {"a": "<number>"}}},
        ],
    }  # fmt: skip

    def test_answers_of_an_org_settle_assumptions_and_become_recorded_answers(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "docs").mkdir()
        (tmp_path / "tests" / "recorded").mkdir(parents=True)
        before = {row["id"]: row for row in read_assumptions()}
        shutil.copy(root / "docs" / "assumptions.yaml", tmp_path / "docs")
        messages = add_evidence(self.EVIDENCE, tmp_path)
        assert messages[:2] == ["U06 is confirmed", "U14 is refuted"]
        rows = {row["id"]: row for row in read_assumptions(tmp_path / "docs" / "assumptions.yaml")}
        source = "an org of Developer Edition, API 63.0, language en_US"
        assert {name for name in rows if rows[name] != before[name]} == {"U06", "U14"}
        assert (rows["U06"]["status"], rows["U14"]["status"]) == ("confirmed", "refuted")
        assert rows["U06"]["evidence"][-1] == {
            "source": source,
            "date": "2026-11-24",
            "says": "the validation succeeded",
        }
        assert rows["U14"]["evidence"] == [{"source": source, "date": "2026-11-24", "says": 'no: "x"; second line'}]
        (file,) = (tmp_path / "tests" / "recorded").iterdir()
        (pair,) = yaml.parse(file.read_bytes(), file.name).data["pairs"]
        assert pair == {**self.EVIDENCE["exchanges"][0], "kind": "recorded", "source": source}

    def test_steps_of_clients_are_counted_and_those_that_failed_are_listed(self, tmp_path: Path) -> None:
        steps = [
            {"client": "sdr", "step": "test_a", "result": "passed", "answer": ""},
            {"client": "jsforce", "step": "test_b", "result": "failed", "answer": "AssertionError NOT_FOUND"},
            {"client": "sdr", "step": "test_c", "result": "skipped", "answer": "in the local org only"},
        ]
        assert add_evidence({"evidence": 1, "probes": [], "exchanges": [], "steps": steps}, tmp_path) == [
            "jsforce: 0 of 1 steps did as in the local org",
            "  test_b: AssertionError NOT_FOUND",
            "sdr: 1 of 2 steps did as in the local org",
            "The probes were not asked: nothing else was added.",
        ]

    def test_an_unknown_assumption_is_refused(self) -> None:
        with pytest.raises(SystemExit, match="There is no assumption U99"):
            update_assumption(
                "- id: U01\n  status: open\n", {**self.EVIDENCE["probes"][0], "assumption": "U99"}, "x", "2026-11-24"
            )
