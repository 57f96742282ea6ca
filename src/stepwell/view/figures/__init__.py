"""What there is to see of curves, comparisons and searches for a rate: one file per figure."""

from stepwell.view.figures.curves import figure_of_curves
from stepwell.view.figures.final import final_intervals
from stepwell.view.figures.losses import loss_curves
from stepwell.view.figures.rate_scores import rate_scores
from stepwell.view.figures.rate_sweep import rate_sweep
from stepwell.view.figures.rates import rate_curves
from stepwell.view.figures.response import rate_response
from stepwell.view.figures.short_runs import short_runs

__all__ = [
    "figure_of_curves",
    "final_intervals",
    "loss_curves",
    "rate_curves",
    "rate_response",
    "rate_scores",
    "rate_sweep",
    "short_runs",
]
