"""Secrets in bodies of any structure: responses are masked, and requests contain the values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfcode.metadata.component import Component
from sfcode.plan.secrets import Mask, fingerprint, mark_previous, names_in, reveal, reveal_component

ONE, TWO, OLD = "value-one-0123456789", "value-two-0123456789", "value-old-0123456789"
SECRETS = {"ONE": ONE, "TWO": TWO}
HIDDEN = "(hidden "


def body(value: Any) -> Component:
    return Component("CustomMetadata", "X.Y", {"value": value})


def mask(value: Any, *likes: Any, **more: Any) -> Any:
    """Mask a value, given the desired and the applied value at the same place."""
    mask = Mask(**{"secrets": SECRETS, "applied": {}, "key": "00D1", **more})
    return mask.mask(body(value), *({"value": like} for like in likes)).body["value"]


NESTED = {
    "list": ["a ${secret:ONE}", {"deep": "${secret:TWO}"}],
    "tuple": ("${secret:ONE}",),
    "number": 3,
    "flag": True,
}
SENT = {"list": [f"a {ONE}", {"deep": TWO}], "tuple": [ONE], "number": 3, "flag": True}


def test_every_form_of_a_body_is_revealed_and_masked_again() -> None:
    assert reveal(NESTED, SECRETS) == SENT
    assert reveal_component(body(NESTED), SECRETS) == body(SENT)
    assert mask(SENT) == {**NESTED, "tuple": ["${secret:ONE}"]}
    assert names_in(NESTED) == {"ONE", "TWO"}


@pytest.mark.parametrize("value", [None, True, 3, ""])
def test_values_that_are_not_text_are_unchanged(value: Any) -> None:
    assert (reveal(value, SECRETS), mask(value), names_in(value)) == (value, value, frozenset())


def test_the_key_and_secret_of_an_app_are_hidden() -> None:
    app = Component(
        "ExtlClntAppGlobalOauthSettings", "A", {"consumerKey": "3MVG9", "consumerSecret": "12345", "label": "A"}
    )
    assert Mask(SECRETS, {}, "00D1").mask(app).body == {"label": "A"}


def test_the_same_names_elsewhere_are_kept() -> None:
    other_component = Component("CustomMetadata", "A", {"consumerKey": "3MVG9"})
    assert Mask(SECRETS, {}, "00D1").mask(other_component) == other_component


def test_a_list_with_a_desired_secret_hides_all_of_its_texts() -> None:
    like = ["${secret:ONE}", "plain"]
    masked_texts = mask([OLD, "other"], like)
    assert all(text.startswith(HIDDEN) for text in masked_texts)
    assert mask([OLD, "other"], ["plain"]) == [OLD, "other"]


def test_the_desired_text_is_shown_where_the_org_has_exactly_it_even_if_the_value_stands_elsewhere_too() -> None:
    # The value of the secret is also another part of the URL: only the expected part becomes a placeholder.
    secrets = {"ONE": "contact"}
    like = "https://r.example.com/contact/${secret:ONE}"
    assert mask("https://r.example.com/contact/contact", like, secrets=secrets) == like
    assert mask("https://r.example.com/contact/contact", None, like, secrets=secrets) == like


def test_a_desired_text_with_a_secret_that_is_not_set_is_no_error() -> None:
    assert mask(OLD, "${secret:NOT_SET}").startswith(HIDDEN)


@pytest.mark.parametrize("like", [None, 3, True, ["${secret:ONE}"], {"a": "b"}])
def test_a_desired_value_of_another_form_is_no_error(like: Any) -> None:
    assert mask("plain", like) in ("plain", f"(hidden {fingerprint('plain', '00D1')})")
    assert mask({"a": "plain"}, like) in ({"a": "plain"}, {"a": f"(hidden {fingerprint('plain', '00D1')})"})
    assert mask(["plain"], like) in (["plain"], [f"(hidden {fingerprint('plain', '00D1')})"])


def test_a_placeholder_in_the_org_is_hidden_even_if_it_is_desired() -> None:
    assert mask("${secret:ONE}", "${secret:ONE}").startswith(HIDDEN)


class TestTheValueOfTheLastApply:
    LIKE = "https://r.example.com/${secret:ONE}/x/${secret:TWO}"

    def test_is_named_if_every_part_of_the_text_is_unchanged(self) -> None:
        text = f"https://r.example.com/{OLD}/x/{TWO[::-1]}"
        applied = {"ONE": fingerprint(OLD, "00D1"), "TWO": fingerprint(TWO[::-1], "00D1")}
        masked_text = "https://r.example.com/(previous ${secret:ONE})/x/(previous ${secret:TWO})"
        assert mask(text, self.LIKE, applied=applied) == masked_text

    @pytest.mark.parametrize(
        "text",
        [
            f"https://r.example.com/{OLD}/x/stranger-0123456789",
            f"https://r.example.com/stranger-0123456789/x/{OLD}",
            f"https://r.example.com/{OLD}/y/{TWO[::-1]}",
        ],
    )
    def test_is_not_recognized_in_a_text_with_any_changed_part(self, text: str) -> None:
        applied = {"ONE": fingerprint(OLD, "00D1"), "TWO": fingerprint(TWO[::-1], "00D1")}
        assert mask(text, self.LIKE, applied=applied).startswith(f"https://r.example.com/{HIDDEN}")

    def test_has_the_key_of_the_org_that_this_sandbox_was_copied_from(self) -> None:
        like, text = "x-${secret:ONE}", f"x-{OLD}"
        copied = {"ONE": fingerprint(OLD, "00D0")}
        assert mask(text, like, applied=copied, applied_key="00D0") == "x-(previous ${secret:ONE})"
        assert mask(text, like, applied=copied).startswith(HIDDEN)


def test_only_the_named_secrets_are_marked_as_previous_at_any_depth() -> None:
    assert mark_previous(body(NESTED), {"ONE"}) == body(
        {
            **NESTED,
            "list": ["a (previous ${secret:ONE})", {"deep": "${secret:TWO}"}],
            "tuple": ["(previous ${secret:ONE})"],
        }
    )
    assert mark_previous(body(NESTED), set()) == body({**NESTED, "tuple": ["${secret:ONE}"]})


@pytest.mark.parametrize(
    ("text", "expected_text"),
    [
        ("https://r.example.com", "https://r.example.com"),
        ("https://r.example.com/", "https://r.example.com/"),
        ("https://r.example.com/path", "https://r.example.com/(hidden {})"),
        ("https://r.example.com?q=1", "https://r.example.com/(hidden {})"),
        ("https://r.example.com#part", "https://r.example.com/(hidden {})"),
        ("https://user@r.example.com", "https://r.example.com/(hidden {})"),
        ("//r.example.com/path", "(hidden {})"),
        ("mailto:someone", "(hidden {})"),
    ],
)
def test_of_a_hidden_address_only_the_host_is_shown(text: str, expected_text: str) -> None:
    message = Component("WorkflowOutboundMessage", "Contact.M", {"endpointUrl": text})
    masked = Mask({}, {}, "00D1").mask(message)
    assert masked == replace(message, body={"endpointUrl": expected_text.format(fingerprint(text, "00D1"))})


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    # The applied state contains fingerprints: if they differed in another release, every secret would seem to have
    # changed.
    assert fingerprint("value", "00D000000000001EAA") == "dda46f6baebf"
