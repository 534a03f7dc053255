"""The domain of all other packages: resolved mappings, events, names and field types."""
