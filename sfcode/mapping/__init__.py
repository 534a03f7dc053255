"""The domain that all other packages share: resolved mappings, events, names and field types."""
