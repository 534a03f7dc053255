"""SOQL: text to tree, tree to rows."""
