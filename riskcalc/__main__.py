"""`python -m riskcalc` is the command line."""

from riskcalc.cli import main

main()
