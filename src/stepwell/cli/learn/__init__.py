"""`stepwell learn`: the course in the terminal, one file per command, which `app` puts together."""
