"""Static resources as records: REST and the Metadata API have the same resources."""

from __future__ import annotations

from tests.e2e.org import opened

VALUES = {"Name": "Note", "Body": "eA==", "ContentType": "text/plain", "CacheControl": "Private"}
WHERE = "FROM StaticResource WHERE Name = 'Note'"


def test_a_resource_is_a_component_too_and_is_found_by_its_id(org, rest):
    resource = rest.create("StaticResource", **VALUES, Description="first")
    assert rest.value(f"SELECT Description {WHERE}") == "first"
    with opened(org) as client:
        assert client.metadata.read_metadata("StaticResource", ["Note"])[0].body["cacheControl"] == "Private"
    assert rest("PATCH", f"/sobjects/StaticResource/{resource}", json={"Description": "second"}).status_code == 204
    assert rest.value(f"SELECT Description {WHERE}") == "second"
    assert rest("PATCH", f"/sobjects/StaticResource/{resource}", json={"Name": "Other"}).status_code == 204
    assert rest.value("SELECT Id FROM StaticResource WHERE Name = 'Other'") == resource
    assert rest("DELETE", f"/sobjects/StaticResource/{resource}").status_code == 204
    assert rest.rows(f"SELECT Id {WHERE}") == []
    assert rest("DELETE", f"/sobjects/StaticResource/{resource}").status_code == 404


def test_a_name_is_unique_without_case(rest):
    rest.create("StaticResource", **VALUES)
    codes = [
        rest.error("POST", "/sobjects/StaticResource", json=VALUES | changed)[1]
        for changed in ({"Name": "NOTE"}, {"Name": "no__te"}, {"Name": "More", "Body": ""}, {"Name": ""})
    ]
    assert codes == [
        "DUPLICATE_DEVELOPER_NAME",
        "FIELD_INTEGRITY_EXCEPTION",
        "REQUIRED_FIELD_MISSING",
        "REQUIRED_FIELD_MISSING",
    ]


def test_responses_contain_the_time_of_the_org(rest, clock):
    before = rest("GET", "/limits").headers["Date"]
    clock.wait(minutes=10)
    assert (before, rest("GET", "/limits").headers["Date"]) == (
        "Wed, 18 Mar 2026 12:00:00 GMT",
        "Wed, 18 Mar 2026 12:10:00 GMT",
    )
