"""`python -m crmlab`: the command line, also where the script is not on the path."""

from crmlab.cli import app

app()
