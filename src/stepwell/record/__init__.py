"""Plain records of what was asked for and what happened. No torch."""
