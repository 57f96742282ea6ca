"""Who appears in the figures of a comparison, and in which colour: the set that may be best stands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.view import palette
from stepwell.view.figure import Dash


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """How one strategy is drawn, the same in every figure."""

    result: StrategyResult
    colour: int | None
    dash: Dash

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.result.strategy.name


def cast(comparison: Comparison) -> tuple[Role, ...]:
    """Every strategy with its colour: one each for those that may be best; others are muted, illustrations dotted."""
    numbers = iter(range(len(comparison.results)))
    return tuple(_role(result, numbers) for result in comparison.results)


def back_to_front(roles: tuple[Role, ...]) -> Iterator[Role]:
    """In drawing order: muted ones first, the leader last and on top."""
    yield from reversed(roles)


def _role(result: StrategyResult, numbers: Iterator[int]) -> Role:
    if not result.ranked:
        return Role(result, None, Dash.DOT)
    if not result.may_be_best:
        return Role(result, None, Dash.SOLID)
    number = next(numbers)
    return Role(result, number, palette.dash(number))
