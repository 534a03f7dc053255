"""`python -m sfcode`: the command line."""

from sfcode.cli.main import main

main()
