"""`python -m riskcalc` is the command line."""

from riskcalc.command.cli import main

main()
