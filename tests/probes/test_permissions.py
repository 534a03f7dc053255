from __future__ import annotations

from sfcode.config.models import IntegrationUser
from sfcode.metadata.normalize import normalize
from sfcode.metadata.package import read
from sfcode.org import Org
from tests.probes import samples
from tests.probes.test_packages import problems


def test_contact_needs_no_right_on_account(check) -> None:
    """U11: Read and Edit on Contact, and nothing on Account."""
    result = check(samples.permission_set(objects=("Contact",)))
    assert result.success, problems(result)


def test_a_permission_set_takes_access_to_the_fields_of_events(check) -> None:
    """U13: Event.Description and Event.WhoId, of which the public examples are profiles."""
    result = check(samples.permission_set(edit=("Event.Description", "Event.WhoId")))
    assert result.success, problems(result)


def test_access_to_a_required_field_is_refused_in_these_words(check) -> None:
    """U30: access to a field that every record must fill in cannot be given or taken."""
    result = check(samples.permission_set(objects=("Contact",), read=("Contact.LastName",)))
    assert not result.success
    assert "You cannot deploy to a required field: Contact.LastName" in problems(result)


def test_a_permission_set_is_retrieved_whole(asked: Org, nothing_to_ask) -> None:
    """U27: unlike a profile, whatever else is retrieved with it."""
    names = [item.full_name for item in asked.metadata.list_metadata("PermissionSet") if not item.namespace][:10]
    witnesses = [
        item for item in asked.metadata.read_metadata("PermissionSet", names) if "objectPermissions" in item.body
    ]
    if not witnesses:
        nothing_to_ask("this org has no permission set with rights on objects")
    (component,) = read(asked.metadata.retrieve({"PermissionSet": [witnesses[0].full_name]}).files)
    assert normalize(component) == normalize(witnesses[0])


def test_licence_and_profile_have_these_names(asked: Org) -> None:
    """U20: the names that the configuration gives as defaults."""
    names = {name: field.default for name, field in IntegrationUser.model_fields.items()}
    assert asked.query("SELECT Id FROM UserLicense WHERE Name = {}", names["license"])
    assert asked.query("SELECT Id FROM Profile WHERE Name = {}", names["profile"])
    wanted = names["permission_set_license"]
    assert asked.query("SELECT Id FROM PermissionSetLicense WHERE DeveloperName = {}", wanted)
