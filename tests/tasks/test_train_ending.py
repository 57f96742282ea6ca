import math

import pytest

from stepwell.record.run import Ending
from stepwell.tasks.ending import counted, diverged, figure, judge, stopped


def judged(initial: float, final: float, *, goal: str = "val_accuracy", losses: tuple[float, ...] = (1.0,)) -> Ending:
    direction = "min" if goal in ("val_loss", "val_error") else "max"
    scores = ({goal: initial, "other": 1.0}, {goal: final, "other": 0.0})
    return judge(9, 1.0, losses, *scores, goal=(goal, direction), base_lr=0.1).ending  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("initial", "final", "learned"),
    [
        (2.3, 2.08, False),
        (2.3, 2.06, True),
        (2.3, 2.4, False),
        (0.0, 0.0, False),
        (-1.0, -1.2, True),
        (-1.0, -1.0, False),
    ],
)
def test_a_smaller_loss_is_learning_from_a_tenth_on(initial: float, final: float, learned: bool) -> None:
    assert judged(initial, final, goal="val_loss") is (Ending.FINISHED if learned else Ending.NOT_LEARNING)
    assert judged(initial, final, goal="val_error") is (Ending.FINISHED if learned else Ending.NOT_LEARNING)


@pytest.mark.parametrize(
    ("initial", "final", "learned"),
    [
        (0.1, 0.18, False),  # a tenth of the way to 1
        (0.1, 0.2, True),
        (0.5, 0.4, False),
        (0.0, 0.0, False),
        (1.0, 1.0, False),
        (-200.0, -190.0, False),  # a reward
        (-200.0, -150.0, True),
        (20.0, 23.0, True),
    ],
)
def test_a_larger_score_is_learning_from_a_tenth_of_the_way_on(initial: float, final: float, learned: bool) -> None:
    assert judged(initial, final) is (Ending.FINISHED if learned else Ending.NOT_LEARNING)


def test_accuracy_that_rises_while_the_loss_rises_is_learning() -> None:
    before, after = {"val_loss": 0.7, "val_accuracy": 0.5}, {"val_loss": 1.4, "val_accuracy": 0.9}
    outcome = judge(100, 0.7, [0.01], before, after, goal=("val_accuracy", "max"), base_lr=0.1)
    assert outcome.ending is Ending.FINISHED
    assert outcome.words == "learned: val_accuracy 0.5 -> 0.9 after 100 steps"


def test_the_median_loss_of_the_last_epoch_is_judged() -> None:
    assert judged(0.1, 0.1, losses=(0.2, 9.0, 0.1)) is Ending.NOT_LEARNING
    assert judged(0.1, 0.1, losses=(2.0, 9.0, 0.1)) is Ending.DIVERGED


@pytest.mark.parametrize(
    ("goal", "initial", "final", "ending"),
    [
        ("val_loss", 2.3, 0.4, Ending.FINISHED),  # a curriculum that weighs its loss up
        ("val_loss", 2.3, 2.29, Ending.NOT_LEARNING),
        ("val_loss", 2.3, 2.3, Ending.DIVERGED),
        ("val_loss", 2.3, 2.4, Ending.DIVERGED),
        ("val_accuracy", 0.9, 0.95, Ending.FINISHED),
        ("val_accuracy", 0.9, 0.1, Ending.DIVERGED),
    ],
)
def test_a_loss_that_grew_is_no_divergence_where_the_goal_improved(
    goal: str, initial: float, final: float, ending: Ending
) -> None:
    assert judged(initial, final, goal=goal, losses=(90.0,)) is ending


def test_an_easy_first_batch_is_not_the_untrained_loss() -> None:
    outcome = judge(9, 0.01, [0.5], {"val_loss": 1.0}, {"val_loss": 0.5}, goal=("val_loss", "min"), base_lr=0.1)
    assert outcome.ending is Ending.FINISHED


def test_negative_losses_are_judged_by_their_size() -> None:
    def ending(last: float) -> Ending:
        return judge(
            9, -1.0, [last], {"val_loss": -1.0}, {"val_loss": last}, goal=("val_loss", "min"), base_lr=1
        ).ending

    assert [ending(last) for last in (-2.0, -0.9, -0.4)] == [Ending.FINISHED, Ending.NOT_LEARNING, Ending.DIVERGED]


def test_words() -> None:
    scores = {"val_loss": 2.304}, {"val_loss": 2.291}
    calm = judge(620, 2.3, [2.3], *scores, goal=("val_loss", "min"), base_lr=1e-6)
    wild = judge(620, 2.3, [51.0], {"val_loss": 2.304}, {"val_loss": 60.0}, goal=("val_loss", "min"), base_lr=3.0)
    assert calm.words == "did not learn: val_loss 2.30 -> 2.29 after 620 steps"
    assert wild.words == (
        "diverged: the training loss went from 2.30 to 51.00 in 620 steps at base rate 3, val_loss 2.30 -> 60.00"
    )
    lost = diverged(41, "the loss went from 2.30 to nan", 1.6)
    assert lost.words == "diverged at step 41: the loss went from 2.30 to nan at rate 1.6"
    assert stopped(3, 10, stored=True).words == "stopped after 3 of 10 steps; the same trial goes on from there"


def test_figures() -> None:
    assert [figure(x) for x in (2.3, 0.0125, 123456.0, math.nan, math.inf)] == [
        "2.30",
        "0.0125",
        "1.23e+05",
        "nan",
        "inf",
    ]
    assert (counted(1), counted(2)) == ("1 step", "2 steps")
