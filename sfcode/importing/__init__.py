"""Import an org that was set up by hand: scan it, classify what is there, decide, render a config."""
