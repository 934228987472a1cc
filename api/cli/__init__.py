"""The command line: one file a command."""

from api.cli.program import main

__all__ = ["main"]
