"""torch's schedulers as schedules: the same names and parameters, the same rates.

    Scheduler(optimizer, twins.cosine_annealing_lr(T_max=50, eta_min=1e-3))

Each returns a `Schedule` (`reduce_lr_on_plateau` a controller, which is taken for one or multiplies one) whose rates
differ from torch's by at most 1e-12 x (rate + base rate). The rates `eta_min`, `base_lr` and `max_lr` are absolute,
as in torch; where torch takes a list with one per parameter group, the twin's factors are relative to that list.
Parameters for which torch fails or does something other than documented are refused with the reason, or give what is
documented; each twin says which.
"""

from stepwell.schedule.twins.chained import chained_scheduler
from stepwell.schedule.twins.constant import constant_lr
from stepwell.schedule.twins.cosine_annealing import cosine_annealing_lr
from stepwell.schedule.twins.cyclic import cyclic_lr
from stepwell.schedule.twins.exponential import exponential_lr
from stepwell.schedule.twins.linear import linear_lr
from stepwell.schedule.twins.multi_step import multi_step_lr
from stepwell.schedule.twins.one_cycle import one_cycle_lr
from stepwell.schedule.twins.plateau import reduce_lr_on_plateau
from stepwell.schedule.twins.polynomial import polynomial_lr
from stepwell.schedule.twins.sequential import sequential_lr
from stepwell.schedule.twins.step import step_lr
from stepwell.schedule.twins.tables import lambda_lr, multiplicative_lr
from stepwell.schedule.twins.warm_restarts import cosine_annealing_warm_restarts

__all__ = [
    "chained_scheduler",
    "constant_lr",
    "cosine_annealing_lr",
    "cosine_annealing_warm_restarts",
    "cyclic_lr",
    "exponential_lr",
    "lambda_lr",
    "linear_lr",
    "multi_step_lr",
    "multiplicative_lr",
    "one_cycle_lr",
    "polynomial_lr",
    "reduce_lr_on_plateau",
    "sequential_lr",
    "step_lr",
]
