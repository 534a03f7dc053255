"""From what is asked for and what is there to a plan: pure but for `observe` and `schema`."""
