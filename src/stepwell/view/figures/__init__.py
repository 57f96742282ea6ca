"""What there is to see of curves and comparisons: one file per figure."""

from stepwell.view.figures.curves import figure_of_curves
from stepwell.view.figures.final import final_intervals
from stepwell.view.figures.losses import loss_curves
from stepwell.view.figures.rates import rate_curves
from stepwell.view.figures.response import rate_response

__all__ = ["figure_of_curves", "final_intervals", "loss_curves", "rate_curves", "rate_response"]
