"""The types of items, one per file. `choice` is the tutorial for the next one."""
