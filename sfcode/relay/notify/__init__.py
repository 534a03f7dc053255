"""Notifications: the relay's alarms, sent to the receivers of `relay.notify`."""
