"""`python -m siting` is the `siting` command."""

from siting.cli import entry

entry()
