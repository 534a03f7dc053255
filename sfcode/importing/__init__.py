"""An org that somebody set up by hand becomes a config: read it, recognise what is there, choose, write."""
