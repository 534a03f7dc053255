"""The domain of the mapping language, resolved: what mappings exchange, under which names and field types."""
