"""Checks of a config (lint), and of an org and its data (doctor)."""
