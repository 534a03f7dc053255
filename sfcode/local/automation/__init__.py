"""
Automation after a save: record-triggered flows, workflow rules, and the outbound messages that they send.

Messages are queued in the transaction of the save, so that a rollback sends nothing; a worker delivers them.
"""
