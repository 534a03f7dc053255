"""The queries of a lookup: each ID once, quoted, in URLs of limited length, and matched exactly."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import format_soql

from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.lookup import URI, LookupMatch, LookupQuery, matches, queries

TEXT = Destination("contact", "Contact", "user", "Key__c")
NUMBER = Destination("lead", "Lead", "user", "Key__c", "Number__c")


def test_one_query_asks_for_all_ids_of_a_mapping_and_lists_are_sorted() -> None:
    (text, number) = queries([(TEXT, {"b", "a"}), (NUMBER, {"7", "07", "x", "1.5"})])
    assert text.soql == "SELECT Id, Key__c FROM Contact WHERE Key__c IN ('a','b')"
    assert number.soql == "SELECT Id, Key__c, IsConverted FROM Lead WHERE Number__c IN (1.5,7)"


@pytest.mark.parametrize(
    "text", ["07", "+7", "7.0", "7.", ".7", "1e3", "\u0667", "-0", "", " 7", "7" * 19, "0x7", "NaN", "1_0"]
)
def test_a_text_that_the_formula_would_not_write_is_not_asked_for(text: str) -> None:
    assert queries([(NUMBER, {text})]) == []


@pytest.mark.parametrize("text", ["", " a", "a ", "a\x00", "\ud800", "a\nb", "x" * 1301])
def test_a_text_that_no_field_holds_is_not_asked_for(text: str) -> None:
    assert queries([(TEXT, {text})]) == []


@given(st.sets(st.text(min_size=1, max_size=300), max_size=100))
def test_every_id_is_asked_for_once_and_every_query_fits_into_an_address(ids: set[str]) -> None:
    lookup_queries = queries([(TEXT, ids)])
    usable_ids = {id_ for id_ in ids if queries([(TEXT, {id_})])}
    assert all(len(quote(query.soql, safe="")) <= URI + 200 for query in lookup_queries)
    joined = "".join(query.soql.partition(" IN (")[2][:-1] + "," for query in lookup_queries)
    assert joined == "".join(format_soql("{},", id_) for id_ in sorted(usable_ids))


@pytest.mark.parametrize("letter", ["a", "ü", "/", "'"])
def test_many_long_ids_fill_queries_as_far_as_an_address_reaches(letter: str) -> None:
    ids = {f"{number:03}{letter * 200}" for number in range(300)}
    soql_texts = [query.soql for query in queries([(TEXT, ids)])]
    lengths = [len(quote(soql, safe="")) for soql in soql_texts]
    longest = len(quote(format_soql("{},", f"000{letter * 200}"), safe=""))
    assert max(lengths) <= URI
    assert min(lengths[:-1]) > URI - longest - 200, "no query is made before the one before it is full"
    id_lists = [soql.partition(" IN (")[2][:-1].split("','") for soql in soql_texts]
    assert sum(map(len, id_lists)) == 300, "none is left out, and none is asked for twice"
    joined = ",".join(soql.partition(" IN (")[2][:-1] for soql in soql_texts)
    assert joined == ",".join(format_soql("{}", id_) for id_ in sorted(ids))


def test_an_id_as_long_as_a_formula_can_be_is_asked_for() -> None:
    assert len(queries([(TEXT, {"x" * 1300})])) == 1


def test_rows_match_exactly_or_not_at_all() -> None:
    lookup_queries = [LookupQuery(TEXT, ""), LookupQuery(NUMBER, "")]
    rows = [
        [{"Id": "1", "Key__c": "a"}, {"Id": "2", "Key__c": "A"}, {"Id": "3", "Key__c": "A"}],
        [{"Id": "4", "Key__c": "7", "IsConverted": True}, {"Id": "5", "Key__c": "7", "IsConverted": False}],
    ]
    assert matches(lookup_queries, rows) == {
        ("contact", "a"): LookupMatch(("1",)),
        ("contact", "A"): LookupMatch(("2", "3")),
        ("lead", "7"): LookupMatch(("5",), converted=True),
    }
