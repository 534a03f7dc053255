import pytest

from sfcode.metadata.component import Component
from sfcode.plan.secrets import Mask, fingerprint, names_in, reveal_component

SECRET = "f00dbabe-f00dbabe-f00dbabe"
URL = "https://relay.example.com/outbound-messages/contact/{}?v=1a2b"


def masked(component, secrets, key, *likes, applied=()):
    return Mask(secrets, dict(applied), key).mask(component, *likes)


def message(url):
    return Component("WorkflowOutboundMessage", "Contact.Appcues_contact", {"endpointUrl": url, "fields": ["Id"]})


def test_known_value_becomes_its_placeholder():
    masked_message = masked(message(URL.format(SECRET)), {"OUT": SECRET}, "00D")
    assert masked_message.body["endpointUrl"] == URL.format("${secret:OUT}")


def test_masking_and_revealing_are_inverse():
    component = message(URL.format("${secret:OUT}"))
    assert masked(reveal_component(component, {"OUT": SECRET}), {"OUT": SECRET}, "00D") == component


def test_unknown_values_in_endpoints_are_hidden_and_distinguished():
    first, second = (
        masked(message(URL.format(value)), {"OUT": SECRET}, "00D") for value in ("old-secret-1", "old-secret-2")
    )
    assert first != second
    for component in (first, second):
        assert "old-secret" not in component.canonical
        assert str(component.body["endpointUrl"]).startswith("https://relay.example.com/(hidden ")


def test_credentials_in_the_host_part_are_hidden_too():
    masked_message = masked(message("https://user:hunter2hunter2@relay.example.com/"), {}, "00D")
    assert "hunter2" not in masked_message.canonical


def test_an_endpoint_without_path_is_no_secret():
    assert masked(message("https://relay.example.com"), {}, "00D") == message("https://relay.example.com")


def test_a_placeholder_in_the_org_does_not_count_as_the_secret():
    component = message(URL.format("${secret:OUT}"))
    assert masked(component, {"OUT": SECRET}, "00D") != component


def test_an_unknown_value_is_hidden_if_a_placeholder_is_desired():
    like = {"values": {"token": "Bearer ${secret:OUT}", "name": "plain"}}
    stale = Component("CustomMetadata", "X.Y", {"values": {"token": "Bearer old-secret", "name": "other"}})
    masked_component = masked(stale, {"OUT": SECRET}, "00D", like)
    assert masked_component.body["values"]["name"] == "other"
    assert str(masked_component.body["values"]["token"]).startswith("(hidden ")


def test_the_value_of_the_last_apply_is_distinguished_from_an_unknown_one():
    old, like = "old-secret-old-secret", message(URL.format("${secret:OUT}")).body
    applied = {"OUT": fingerprint(old, "00D")}
    before = masked(message(URL.format(old)), {"OUT": SECRET}, "00D", like, applied=applied)
    assert before.body["endpointUrl"] == URL.format("(previous ${secret:OUT})")
    stranger = masked(message(URL.format("a-stranger's-secret")), {"OUT": SECRET}, "00D", like, applied=applied)
    assert "(hidden " in str(stranger.body["endpointUrl"])


def test_names_are_found_at_any_depth():
    assert names_in({"a": [{"b": "x${secret:ONE}"}], "c": "${secret:TWO}${secret:ONE}"}) == {"ONE", "TWO"}


def test_revealing_without_the_value_is_an_error_not_an_empty_text():
    with pytest.raises(KeyError):
        reveal_component(message(URL.format("${secret:OUT}")), {})


def test_fingerprint_depends_on_value_and_key():
    assert len({fingerprint("a" * 20, "00D1"), fingerprint("b" * 20, "00D1"), fingerprint("a" * 20, "00D2")}) == 3
