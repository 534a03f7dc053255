"""renameMetadata: rename one component."""

from __future__ import annotations

from sfcode.local.http import soap
from sfcode.local.metadata.deploy.messages import ComponentMessage
from sfcode.local.metadata.deploy.rename import rename as carry_out
from sfcode.local.metadata.deploy.store import Author
from sfcode.local.metadata.operations.components import not_while_deploying, save_result
from sfcode.local.metadata.operations.request import OperationRequest
from sfcode.local.metadata.registry import is_known
from sfcode.metadata.component import Address


class _Undo(Exception):
    """Rolls a transaction back."""


def rename(request: OperationRequest) -> list[soap.Node]:
    """Rename one component."""
    type_, old, new = (request.required(name) for name in ("type", "oldFullName", "newFullName"))
    if not is_known(type_):
        raise soap.SoapFault("INVALID_TYPE", f"Unknown type:{type_}")
    not_while_deploying(request)
    author = Author(request.session.user_id, request.context.clock.now(), float(request.api_version))
    try:
        with request.context.store.transaction() as tx:
            problem = carry_out(tx, Address(type_, old), new, author)
            if problem is not None:
                raise _Undo(problem)
    except _Undo as refusal:
        return [
            save_result(old, [ComponentMessage.error(str(refusal), full_name=old, component_type=type_, file_name="")])
        ]
    return [save_result(new, [])]
