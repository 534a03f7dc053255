"""The steps of clients in the file of evidence."""

from __future__ import annotations

from tests.contract.evidence import describe_step


def test_a_step_is_described_without_values_of_the_org() -> None:
    """The result of a step contains error codes, but no names and values of the org."""
    error = AssertionError("assert 'Ada Lovelace' == 'x': INVALID_CROSS_REFERENCE_KEY: no ada@example.com; SECRET")
    assert describe_step("tests/contract/test_jsforce.py::test_step[real-query in pages]", "failed", error) == {
        "client": "jsforce",
        "step": "test_step[query in pages]",
        "result": "failed",
        "answer": "AssertionError INVALID_CROSS_REFERENCE_KEY",
    }
