"""Strategies side by side: plan, race, decide."""
