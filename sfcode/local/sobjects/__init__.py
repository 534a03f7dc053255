"""The objects of the org: definitions, checks and rows."""
