"""Work: claims are taken from the inbox, delivered by a writer, and settled."""
