"""Tune: choose optimizer, rate and schedule so that a training run reaches a loss within its updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, final

from stepwell.errors import AnswerError, ContentError, StepwellError
from stepwell.learn import programs
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import Names, expect
from stepwell.learn.laying import lay
from stepwell.learn.modes import Mode
from stepwell.learn.proof import LONGEST_SECONDS
from stepwell.schedule import Horizon, schedule

_MODES = frozenset({Mode.TUNE})

OPTIMIZERS: Mapping[str, str] = MappingProxyType(
    {
        "SGD": "torch.optim.SGD(model.parameters(), lr=lr)",
        "SGD momentum": "torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)",
        "Adam": "torch.optim.Adam(model.parameters(), lr=lr)",
        "AdamW": "torch.optim.AdamW(model.parameters(), lr=lr)",
        "RMSprop": "torch.optim.RMSprop(model.parameters(), lr=lr)",
        "Adagrad": "torch.optim.Adagrad(model.parameters(), lr=lr)",
    }
)
"""What a learner can choose, and the code that makes it."""

LOOP = """
import torch
import stepwell
optimizer = {optimizer}
scheduler = stepwell.Scheduler(optimizer, schedule, total_steps=steps, overrun="hold")
losses, rates = [], []
for step in range(steps):
    optimizer.zero_grad()
    value = loss(step)
    value.backward()
    rates.append(float(optimizer.param_groups[0]["lr"]))
    optimizer.step()
    scheduler.step()
    losses.append(float(value.detach()))
reached = float(final())
"""
"""The loop that the setting is trained in."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the learner chooses."""

    optimizer: str
    lr: float
    schedule: str


@dataclass(frozen=True, slots=True)
class Lab:
    """What is trained.

    Args:
        setup: a program that makes `model`, `loss(step)` (the scalar tensor of an update) and `final()` (the loss
            that is compared with the target); `seed` is set.
        steps: the budget of updates.
        target: `final()` has to come to this or lower, under every seed.
        optimizers: names of `OPTIMIZERS`.
        seconds: of wall time for all seeds.
    """

    setup: str
    steps: int
    target: float
    optimizers: tuple[str, ...]
    seeds: tuple[int, ...]
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class Tune:
    """A lab, a setting that misses the target and one that reaches it."""

    lab: Lab
    start: Setting
    solution: Setting

    kind: ClassVar[str] = "tune"
    modes: ClassVar[frozenset[Mode]] = _MODES
    default_modes: ClassVar[frozenset[Mode]] = _MODES
    attempts: ClassVar[int] = 0

    @classmethod
    def read(cls, fields: Fields) -> Tune:
        """The body of an item's fields."""
        lab = _lab(fields)
        return cls(lab, _setting(fields, "start", lab), _setting(fields, "solution", lab))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """None: the lab's target is the demand."""
        return ()

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The budget, the target, the choices, the setting to begin with and what is trained."""
        start = {"optimizer": self.start.optimizer, "lr": self.start.lr, "schedule": self.start.schedule}
        return {
            "steps": self.lab.steps,
            "target": self.lab.target,
            "seeds": len(self.lab.seeds),
            "optimizers": list(self.lab.optimizers),
            "start": start,
            "setup": self.lab.setup,
        }

    def setting(self, answer: Any) -> Setting:
        """The setting that an answer is.

        Raises:
            AnswerError: it is none, or its schedule cannot be laid over the budget.
        """
        form = 'a setting such as {"optimizer": "SGD", "lr": 0.1, "schedule": "cosine 1..0"}'
        if not isinstance(answer, dict) or answer.keys() != {"optimizer", "lr", "schedule"}:
            expect("tune", form, answer)
        optimizer, lr, text = answer["optimizer"], answer["lr"], answer["schedule"]
        if optimizer not in self.lab.optimizers:
            expect("tune", f"one with an optimizer among {', '.join(self.lab.optimizers)}", optimizer)
        if isinstance(lr, bool) or not isinstance(lr, int | float) or not 0 < lr < float("inf"):
            expect("tune", "one with a positive rate", lr)
        if not isinstance(text, str):
            expect("tune", form, answer)
        try:
            lay(text, Horizon(self.lab.steps), float(lr))
        except StepwellError as error:
            raise AnswerError(f"the schedule cannot be laid over {self.lab.steps} updates: {error}") from error
        return Setting(optimizer, float(lr), text)


def program(lab: Lab, setting: Setting) -> str:
    """The program that trains a setting; it leaves `losses`, `rates` and `reached`."""
    chosen = f"lr, schedule, steps = {setting.lr!r}, {setting.schedule!r}, {lab.steps}\n"
    return lab.setup + chosen + LOOP.replace("{optimizer}", OPTIMIZERS[setting.optimizer])


def _lab(item: Fields) -> Lab:
    fields = item.under("lab")
    setup = fields.code("setup")
    try:
        programs.check(setup)
    except ContentError as error:
        fields.refuse("setup", str(error))
    optimizers = fields.texts("optimizers")
    for name in optimizers:
        if name not in OPTIMIZERS:
            fields.refuse("optimizers", f"{name!r} is none of {', '.join(OPTIMIZERS)}")
    seeds = fields.raw("seeds")
    if not isinstance(seeds, list) or len(seeds) < 3 or not all(type(seed) is int and seed >= 0 for seed in seeds):
        fields.refuse("seeds", f"expected three whole numbers or more, got {seeds!r:.60}; type: seeds = [1, 2, 3]")
    seconds = min(fields.number("seconds", 30.0, least=1), LONGEST_SECONDS)
    lab = Lab(setup, fields.whole("steps", least=2), fields.number("target"), optimizers, tuple(seeds), seconds)
    fields.close()
    return lab


def _setting(item: Fields, name: str, lab: Lab) -> Setting:
    fields = item.under(name)
    setting = Setting(fields.text("optimizer"), fields.number("lr"), fields.text("schedule"))
    if setting.optimizer not in lab.optimizers:
        fields.refuse("optimizer", f"{setting.optimizer!r} is none of the lab's: {', '.join(lab.optimizers)}")
    try:
        schedule(setting.schedule).resolve(Horizon(lab.steps), base_lr=setting.lr)
    except StepwellError as error:
        fields.refuse("schedule", str(error))
    fields.close()
    return setting
