"""
The checks of a component, one module per type, with the org's error messages.

A check uses the org with the package already stored, so references inside a package need no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sfcode.local.metadata.deploy.checks import custom_field, flow, other_types, permission_set, workflow
from sfcode.local.metadata.deploy.org_view import Subject

CHECKS: Mapping[str, Callable[[Subject], Iterator[str]]] = {
    "CustomField": custom_field.check,
    "CustomObject": other_types.custom_object,
    "ExtlClntAppConfigurablePolicies": other_types.app_part,
    "ExtlClntAppGlobalOauthSettings": other_types.app_part,
    "ExtlClntAppOauthConfigurablePolicies": other_types.app_policies,
    "ExtlClntAppOauthSettings": other_types.app_part,
    "Flow": flow.check,
    "FlowDefinition": flow.definition,
    "PermissionSet": permission_set.check,
    "Profile": permission_set.profile,
    "StaticResource": other_types.static_resource,
    "ValidationRule": workflow.validation_rule,
    "WorkflowFieldUpdate": workflow.field_update,
    "WorkflowOutboundMessage": workflow.outbound_message,
    "WorkflowRule": workflow.rule,
}
"""The check of a component, by metadata type. Components of other types are only validated against the schema."""


def problems(subject: Subject) -> Iterator[str]:
    """List the error messages of a component, each once."""
    check = CHECKS.get(subject.component.type)
    yield from dict.fromkeys(check(subject) if check else ())
