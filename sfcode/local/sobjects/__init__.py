"""The objects of the org: what they are made of, what they refuse, and their rows."""
