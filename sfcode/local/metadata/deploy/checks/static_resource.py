"""Check static resources: name and size."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.local.metadata.deploy.checks.common import too_long
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.sobjects.values import developer_name

MAX_BYTES = 5 * 1024 * 1024
"""https://help.salesforce.com/s/articleView?id=platform.pages_static_resources.htm&type=5"""


def check(subject: Subject) -> Iterator[str]:
    """Check a static resource."""
    yield from developer_name("Static Resource Name: The Static Resource Name", subject.component.full_name, 255)
    yield from too_long(subject.body, {"description": ("Description", 255)})
    if not str(subject.body.get("contentType") or "").strip():
        yield "Required field is missing: contentType"
    encoded = str(subject.body.get("content") or "")
    if len(encoded.rstrip("=")) * 3 // 4 > MAX_BYTES:
        yield "Static resource cannot exceed 5 MB in size"
