"""
What is left to do after an apply, in the order in which nothing is lost or done twice.

While both carry data, Events could be written twice: by Appcues' connector until its integration is
deactivated in Appcues Studio, by the relay as soon as Appcues has a webhook that leads to it. Salesforce's side
has no such time: one transaction takes the connector's message away and brings the relay's.
"""

from __future__ import annotations

from sfcode.apply.next_steps import next_steps
from sfcode.config.project import Project
from sfcode.plan.plan import Plan

MOVED = """\
The relay has taken the place of Appcues' connector. In this order, so that no Event is written twice:
  1. See that the relay answers at {url}/readyz. Salesforce sends to it from
     now on, and tries for 24 hours.
  2. Appcues Studio, Integrations, Salesforce: Deactivate Integration. Until then the connector
     writes Events.
  3. Only then create the webhook named below: from then on the relay writes Events. What happens in
     Appcues between 2 and 3 becomes no Event, so do both in one go.
  4. Run `sfcode plan` again: it names what the connector may have made anew in the meantime."""


def steps_after(project: Project, plan: Plan) -> str:
    """Write the steps; an empty text when nothing was changed but the record of what is ours."""
    if plan.destroy or not plan.effective:
        return ""
    steps = next_steps(project)
    if not any(change.replaced for change in plan.effective):
        return steps
    moved = MOVED.format(url=project.settings.relay.url.rstrip("/"))
    return f"{moved}\n\n{steps}" if steps else moved
