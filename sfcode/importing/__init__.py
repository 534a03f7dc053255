"""Import an org that was configured by hand: scan it, classify its components, decide, and render a config."""
