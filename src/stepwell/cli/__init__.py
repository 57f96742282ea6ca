"""The command line: one file per command, each a few lines around a library call."""
