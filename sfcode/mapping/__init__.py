"""The domain that all other packages share: what mappings exchange, under which names, as which types."""
