"""A schedule that does not fit is told in the user's own numbers, not in those of a short run."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from stepwell import find_lr
from stepwell.errors import HorizonError
from stepwell.find.whole_run import check_whole, misfit
from stepwell.schedule import schedule

LONG = "linear 0..1 for 900 | cosine 1..0"
MANY = " | ".join(["hold 1 for 3%"] * 30) + " | hold 0.5"


@pytest.mark.parametrize(
    ("text", "total_steps", "steps_per_epoch", "words"),
    [
        (LONG, 600, None, "in your run of 600 updates (total_steps=, or --length), the other phases of"),
        (LONG, 600, None, "fill 900 of 600 steps"),
        ("linear 0..1 for 5ep | cosine 1..0", 18, 6, "fill 30 of 18 steps"),
        ("linear 0..1 for 5e6tok | cosine 1..0", 1000, None, "a search knows updates and epochs alone"),
    ],
)
def test_a_schedule_that_does_not_fit_the_run_is_refused_with_its_numbers(
    text: str, total_steps: int, steps_per_epoch: int | None, words: str
) -> None:
    with pytest.raises(HorizonError) as error:
        check_whole(schedule(text), total_steps, steps_per_epoch)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "total_steps", "steps_per_epoch"),
    [
        (LONG, 1000, None),
        (LONG, None, None),  # nothing to compare with
        ("linear 0..1 for 5ep | cosine 1..0", 18, None),  # nobody looked at the data yet
        ("linear 0..=0.1 for 10 | hold", 18, None),
        ("lr: hold; momentum: linear 1..0.5", 18, None),
    ],
)
def test_one_that_fits_or_of_which_nothing_is_known_is_not(
    text: str, total_steps: int | None, steps_per_epoch: int | None
) -> None:
    check_whole(schedule(text), total_steps, steps_per_epoch)


@pytest.mark.parametrize(
    ("text", "total_steps", "words"),
    [
        (LONG, None, "pass total_steps=..., such as total_steps=10_000"),
        ("linear 0..1 for 50 | cosine 1..0 for 900", None, "such as total_steps=950 (at the command line --length"),
        (MANY, 1000, "fits your run of 1000 updates, but has too many phases for a short run of 16"),
        (MANY, None, "too many phases for a short run of 16"),
    ],
)
def test_where_no_short_run_can_be_made_it_says_what_to_pass(text: str, total_steps: int | None, words: str) -> None:
    assert words in str(misfit(schedule(text), 16, total_steps, HorizonError("it does not fit")))


def test_it_is_said_before_the_loss_was_computed_once() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        raise AssertionError("something ran")

    with pytest.raises(HorizonError, match="in your run of 600 updates"):
        find_lr(model, optimizer, loss=loss, data=[torch.ones(4, 2)], schedule=LONG, total_steps=600)
