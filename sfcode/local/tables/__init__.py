"""The tables of the state, one class for each kind of content. All SQL is in this package."""
