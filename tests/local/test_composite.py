"""Many requests in one: composite, graph, batch and tree."""

from __future__ import annotations

from typing import Any

import pytest

DATA = "/services/data/v62.0"
NEW_CONTACT = {"method": "POST", "url": f"{DATA}/sobjects/Contact", "referenceId": "person"}


def names(rest: Any, object_name: str = "Account") -> set[str]:
    return {row["Name"] for row in rest.rows(f"SELECT Name FROM {object_name}")}


def account(name: str | None, reference_id: str = "firm") -> dict[str, Any]:
    body = {} if name is None else {"Name": name}
    return {"method": "POST", "url": f"{DATA}/sobjects/Account", "referenceId": reference_id, "body": body}


def person(**body: Any) -> dict[str, Any]:
    return NEW_CONTACT | {"body": body}


def composite(rest: Any, *requests: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    answer = rest("POST", "/composite", json={"compositeRequest": list(requests), **options})
    assert answer.status_code == 200, answer.text
    return answer.json()["compositeResponse"]


def test_later_requests_refer_to_results_of_earlier_ones(rest: Any) -> None:
    """`@{ref.id}` is replaced in a body, in a URL, in the middle of a text, and within lists."""
    created, child, read, looked_up, updated = composite(
        rest,
        account("Acme"),
        person(LastName="Kim", AccountId="@{firm.id}"),
        {"method": "GET", "url": f"{DATA}/sobjects/Contact/@{{person.id}}?fields=AccountId", "referenceId": "read"},
        {
            "method": "GET",
            "url": f"{DATA}/query?q=SELECT+Id,Name+FROM+Account+WHERE+Id='@{{read.AccountId}}'",
            "referenceId": "found",
        },
        {
            "method": "PATCH",
            "url": f"{DATA}/sobjects/Contact/@{{person.id}}",
            "referenceId": "told",
            "body": {"Description": "at @{found.records[0].Name} since 1999"},
        },
    )
    assert [answer["httpStatusCode"] for answer in (created, child, read, looked_up, updated)] == [
        201,
        201,
        200,
        200,
        204,
    ]
    assert created["httpHeaders"] == {"Location": f"{DATA}/sobjects/Account/{created['body']['id']}"}
    assert (updated["body"], updated["referenceId"]) == (None, "told")
    assert rest.rows(f"SELECT Description, Account.Name FROM Contact WHERE Id = '{child['body']['id']}'")[0][
        "Description"
    ] == ("at Acme since 1999")


def test_without_all_or_none_only_requests_that_depend_on_a_failed_one_fail(rest: Any) -> None:
    bad, dependent, independent = composite(
        rest, account(None), person(LastName="Kim", AccountId="@{firm.id}"), account("Zenith", "other")
    )
    assert (bad["httpStatusCode"], bad["body"][0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert (dependent["httpStatusCode"], dependent["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert independent["httpStatusCode"] == 201
    assert "Zenith" in names(rest)


def test_with_all_or_none_a_failure_undoes_all_requests(rest: Any) -> None:
    before = names(rest)
    first, bad, after = composite(rest, account("Acme"), person(), account("Zenith", "other"), allOrNone=True)
    assert first["body"] == [
        {
            "errorCode": "PROCESSING_HALTED",
            "message": "The transaction was rolled back since another operation in the same transaction failed.",
        }
    ]
    assert (first["httpStatusCode"], after["body"]) == (400, first["body"])
    assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert names(rest) == before


def test_with_all_or_none_the_writes_of_a_successful_call_are_stored(rest: Any) -> None:
    answers = composite(rest, account("Acme"), person(LastName="Kim", AccountId="@{firm.id}"), allOrNone=True)
    assert [answer["httpStatusCode"] for answer in answers] == [201, 201]
    assert [row["LastName"] for row in rest.rows("SELECT LastName FROM Contact WHERE Account.Name = 'Acme'")] == ["Kim"]


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([account(f"A{n}", f"r{n}") for n in range(26)], "LIMIT_EXCEEDED"),
        ([{"method": "GET", "url": f"{DATA}/query?q=x", "referenceId": f"r{n}"} for n in range(6)], "LIMIT_EXCEEDED"),
        ([account("A"), account("B")], "INVALID_INPUT"),
        ([account("A", "not-good")], "INVALID_INPUT"),
        ([{"method": "GET", "referenceId": "x"}], "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
        ("x", "JSON_PARSER_ERROR"),
    ],
)
def test_an_invalid_composite_is_refused_as_a_whole(rest: Any, requests: Any, code: str) -> None:
    before = names(rest)
    status, error_code, *_ = rest.error("POST", "/composite", json={"compositeRequest": requests})
    assert (status, error_code) == (400, code)
    assert names(rest) == before


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", f"{DATA}/nowhere", 404, "NOT_FOUND"),
        ("GET", f"{DATA}/composite", 404, "NOT_FOUND"),
        ("PUT", f"{DATA}/sobjects/Account", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/services/data/v99.0/limits", 404, "NOT_FOUND"),
        ("POST", f"{DATA}/jobs/ingest", 400, "INVALID_INPUT"),
        ("GET", f"{DATA}/sobjects/Account/001000000000000AAA", 404, "NOT_FOUND"),
    ],
)
def test_an_invalid_subrequest_has_its_own_error(rest: Any, method: str, url: str, status: int, code: str) -> None:
    (answer,) = composite(rest, {"method": method, "url": url, "referenceId": "it"})
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (status, code)


def test_each_graph_succeeds_or_fails_on_its_own(rest: Any) -> None:
    answer = rest(
        "POST",
        "/composite/graph",
        json={
            "graphs": [
                {"graphId": "good", "compositeRequest": [account("Acme")]},
                {"graphId": "bad", "compositeRequest": [account("Zenith"), person()]},
            ]
        },
    ).json()["graphs"]
    assert [(graph["graphId"], graph["isSuccessful"]) for graph in answer] == [("good", True), ("bad", False)]
    codes = [graph["body"][0]["errorCode"] for graph in answer[1]["graphResponse"]["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert "Acme" in names(rest)
    assert "Zenith" not in names(rest)


def test_the_requests_of_a_batch_are_independent(rest: Any) -> None:
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "Acme"}},
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {}},
        {"method": "GET", "url": "v62.0/query?q=SELECT+Name+FROM+Account+WHERE+Name='Acme'"},
    ]
    answer = rest("POST", "/composite/batch", json={"batchRequests": requests}).json()
    assert answer["hasErrors"] is True
    assert [result["statusCode"] for result in answer["results"]] == [201, 400, 200]
    assert answer["results"][2]["result"]["totalSize"] == 1


def test_a_batch_can_be_halted_by_an_error(rest: Any) -> None:
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {}},
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "Acme"}},
    ]
    answer = rest("POST", "/composite/batch", json={"batchRequests": requests, "haltOnError": True}).json()
    assert [result["statusCode"] for result in answer["results"]] == [400, 412]
    assert answer["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert "Acme" not in names(rest)


def tree(name: str | None, reference_id: str, *children: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": "Account", "referenceId": reference_id}}
    if name:
        record["Name"] = name
    return record | ({"Contacts": {"records": list(children)}} if children else {})


def leaf(reference_id: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact", "referenceId": reference_id}, **values}


def test_a_tree_creates_parents_and_children(rest: Any) -> None:
    records = [tree("Acme", "a", leaf("k", LastName="Kim"), leaf("l", LastName="Lee")), tree("Zenith", "z")]
    answer = rest("POST", "/composite/tree/Account", json={"records": records})
    assert answer.status_code == 201
    assert answer.json()["hasErrors"] is False
    assert [result["referenceId"] for result in answer.json()["results"]] == ["a", "k", "l", "z"]
    rows = rest.rows("SELECT LastName FROM Contact WHERE Account.Name = 'Acme' ORDER BY LastName")
    assert [row["LastName"] for row in rows] == ["Kim", "Lee"]


def test_a_tree_with_an_error_creates_nothing(rest: Any) -> None:
    records = [tree("Acme", "a", leaf("k"))]
    answer = rest("POST", "/composite/tree/Account", json={"records": records})
    assert answer.status_code == 400
    (result,) = answer.json()["results"]
    assert (result["referenceId"], result["errors"][0]["statusCode"]) == ("k", "REQUIRED_FIELD_MISSING")
    assert "Acme" not in names(rest)


@pytest.mark.parametrize(
    "records",
    [
        [tree(f"A{n}", f"r{n}") for n in range(201)],
        [tree("A", "same"), tree("B", "same")],
        [{"Name": "no attributes"}],
    ],
)
def test_an_invalid_tree_is_refused_as_a_whole(rest: Any, records: Any) -> None:
    before = names(rest)
    status, code, *_ = rest.error("POST", "/composite/tree/Account", json={"records": records})
    assert (status, code) == (400, "INVALID_INPUT")
    assert names(rest) == before
