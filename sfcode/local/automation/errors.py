"""What the local org does not do when it runs automation."""

from __future__ import annotations


class NotModelled(Exception):
    """Something that an org would do and the local org cannot: it goes into the automation log, and nothing is guessed."""
