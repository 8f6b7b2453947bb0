"""`python -m ser_classic`: the command line."""

from ser_classic.cli import main

main()
