"""Rules that take more than one value to judge. Each is a generator of findings, without I/O."""
