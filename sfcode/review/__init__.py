"""Compare two git revisions of a project and explain the changes in plain words, offline."""
