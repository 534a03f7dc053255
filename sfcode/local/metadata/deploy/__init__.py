"""Deploy a package: open it, check it, store its components, and report."""
