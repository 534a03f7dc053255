"""The tables of the state, one file each: all the SQL there is, and nothing but storage."""
