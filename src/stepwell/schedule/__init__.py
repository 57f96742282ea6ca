"""Learning-rate schedules as values: text, phases and curves. No torch."""
