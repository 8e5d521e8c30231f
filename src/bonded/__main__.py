"""`python -m bonded`."""

from bonded.cli import main

main()
