"""Two git revisions of a project -> what changes, in plain words, offline."""
