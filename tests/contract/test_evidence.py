"""The steps of clients in the file of evidence."""

from __future__ import annotations

from tests.contract.evidence import describe_step


def test_a_step_is_told_without_what_it_was_done_with() -> None:
    """The step has its error codes, without names and values of the org."""
    error = AssertionError("assert 'Ada Lovelace' == 'x': INVALID_CROSS_REFERENCE_KEY: no ada@example.com; SECRET")
    assert describe_step("tests/contract/test_jsforce.py::test_step[real-query in pages]", "failed", error) == {
        "client": "jsforce",
        "step": "test_step[query in pages]",
        "result": "failed",
        "answer": "AssertionError INVALID_CROSS_REFERENCE_KEY",
    }
