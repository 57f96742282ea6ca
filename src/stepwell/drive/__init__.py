"""Schedules at work on a torch optimizer, and the recorder of a running loop."""
