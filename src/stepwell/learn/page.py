"""Concept pages: Markdown whose programs are run and whose curves are drawn.

```python run         a program; it must end without an exception
```output             right after it: what it prints; `...` stands for anything
```python             code that is only shown
```curves             schedules to draw: figures on the first line, then `label: text` or a text per line
total_steps=100 base_lr=0.1
cosine
three steps: steps x0.5 every 25
```chart losses       what the program above it measured, drawn (`chart`)
loss by step
rate 0.1: 0.5 0.405 0.3281
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn, TypeAlias

from stepwell.errors import ContentError, StepwellError
from stepwell.learn import chart, programs
from stepwell.learn.chart import Chart
from stepwell.schedule import Horizon, schedule

_FENCE = re.compile(r"^```(?P<words>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_LABEL = re.compile(r"^(?P<label>[^:|(;]+):\s+(?P<text>.+)$")
_FIGURES = frozenset({"total_steps", "steps_per_epoch", "tokens_per_step", "base_lr"})


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown, code that is only shown among it."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is run when the course is verified.

    Args:
        output: what it prints, with `...` for anything; None where the page does not say.
    """

    code: str
    output: str | None


@dataclass(frozen=True, slots=True)
class Curves:
    """Schedules that are drawn together.

    Args:
        texts: label -> schedule text.
    """

    texts: Mapping[str, str]
    horizon: Horizon
    base_lr: float


Block: TypeAlias = Prose | Program | Curves | Chart


def read(text: str, place: str) -> tuple[Block, ...]:
    """The blocks of a page.

    Raises:
        ContentError: a block that cannot be; the message begins with `place` and has the line.
    """
    return tuple(_merged(_blocks(text, place)))


def programs_of(blocks: Iterable[Block]) -> list[tuple[Program, list[Chart]]]:
    """The programs of a page, each with the charts that draw what it measures."""
    found: list[tuple[Program, list[Chart]]] = []
    for block in blocks:
        match block:
            case Program():
                found.append((block, []))
            case Chart():
                found[-1][1].append(block)
    return found


def agrees(expected: str, printed: str) -> bool:
    """Whether a program printed what its page says; `...` stands for anything, blanks at line ends do not count."""
    lines = [re.escape(line.rstrip()).replace(r"\.\.\.", ".*") for line in expected.strip().splitlines()]
    found = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch("\n".join(lines), found, re.DOTALL) is not None


def _blocks(text: str, place: str) -> Iterator[Block | str]:
    """Blocks; an output stays a text until it is joined to its program."""
    at, has_program = 0, False
    for fence in _FENCE.finditer(text):
        if before := text[at : fence.start()].strip():
            yield Prose(before)
        at = fence.end()
        here = f"{place}, line {text.count(chr(10), 0, fence.start()) + 1}"
        match fence["words"].split():
            case ["python", "run"]:
                yield _program(fence["body"], here)
                has_program = True
            case ["output"]:
                yield fence["body"]
            case ["curves"]:
                yield _curves(fence["body"], here)
            case ["chart", *names]:
                yield _chart(" ".join(names), fence["body"], here, has_program=has_program)
            case _:
                yield Prose(fence[0])
    if rest := text[at:].strip():
        yield Prose(rest)


def _merged(blocks: Iterator[Block | str]) -> Iterator[Block]:
    waiting: Block | None = None
    for block in blocks:
        match waiting, block:
            case Program(code=code, output=None), str():
                waiting = Program(code, block)
            case Prose(markdown=before), Prose(markdown=after):
                waiting = Prose(f"{before}\n\n{after}")
            case _, str():
                raise ContentError("an ```output block stands right after a ```python run block; move it there")
            case _:
                if waiting is not None:
                    yield waiting
                waiting = block
    if waiting is not None:
        yield waiting


def _program(code: str, here: str) -> Program:
    try:
        programs.check(code)
    except ContentError as error:
        raise ContentError(f"{here}: {error}") from error
    return Program(code, None)


def _curves(body: str, here: str) -> Curves:
    first, *lines = [line.strip() for line in body.strip().splitlines() if line.strip()] or [""]
    figures = _figures(first, here)
    base_lr = figures.pop("base_lr", 1.0)
    try:
        horizon = Horizon(**figures)  # type: ignore[arg-type]  # Horizon says itself what is not whole
        texts = dict(_named(line) for line in lines)
        for text in texts.values():
            schedule(text).resolve(horizon, base_lr=base_lr)
    except StepwellError as error:
        raise ContentError(f"{here}: {error}") from error
    if not texts:
        _refuse(here, "it draws nothing; write one schedule per line")
    return Curves(MappingProxyType(texts), horizon, base_lr)


def _chart(names: str, body: str, here: str, *, has_program: bool) -> Chart:
    if not has_program:
        _refuse(here, "a chart draws what the program above it measured; put a ```python run block before it")
    try:
        return chart.read(names, body)
    except ContentError as error:
        raise ContentError(f"{here}: {error}") from error


def _named(line: str) -> tuple[str, str]:
    found = _LABEL.match(line)
    return (
        (found["label"].strip(), found["text"]) if found and not line.startswith(("lr:", "momentum:")) else (line, line)
    )


def _figures(line: str, here: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    for word in line.split():
        name, _, value = word.partition("=")
        if name not in _FIGURES:
            _refuse(here, f"expected figures such as `total_steps=100 base_lr=0.1`, got {line!r}")
        try:
            figures[name] = int(value) if value.isdigit() else float(value)
        except ValueError:
            _refuse(here, f"{name} is a number, got {value!r}")
    return figures


def _refuse(here: str, words: str) -> NoReturn:
    raise ContentError(f"{here}: {words}")
