"""The tables of the state, one class for each kind of content: all SQL is here, and nothing but storage."""
