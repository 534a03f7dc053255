"""What can be found wrong: in a config (lint), and in an org and its data (doctor)."""
