from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest

from sfcode.secret import MASK, Secret, scrub

VALUE = "00D!hunter2"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>20}".format, lambda secret: f"{secret!r:>30}"])
def test_prints_as_asterisks(show) -> None:
    text = show(Secret(VALUE))
    assert VALUE not in text
    assert MASK in text


def test_stays_hidden_inside_containers_and_log_records(caplog) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("signing in with %s", {"token": Secret(VALUE)})
    assert VALUE not in caplog.text
    assert MASK in caplog.text


def test_is_neither_pickled_nor_written_as_json() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        copy.copy(Secret(VALUE))
    with pytest.raises(TypeError):
        json.dumps({"token": Secret(VALUE)})


def test_a_secret_reveals_its_value_on_request() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_equality_is_that_of_the_values() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE)}) == 1
    assert not Secret("")


def test_scrub_removes_every_occurrence_from_a_text() -> None:
    assert scrub(f"a {VALUE} b {VALUE}", [Secret(VALUE), Secret("")]) == f"a {MASK} b {MASK}"
