"""Deploy a package into the org: open, judge, carry out, and report."""
