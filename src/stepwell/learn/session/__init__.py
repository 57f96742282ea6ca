"""Sittings: the nine modes as state machines that print nothing.

`plan` chooses the items, `state` goes from event to event, `screen` says what is to be seen, and `player` runs what a
state asks for and records the answers. A terminal, a page and a test drive the same `Player`.
"""
