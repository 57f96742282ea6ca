"""A search for a rate in the terminal: the answer, the rates that were tried, the picture, and what to do now."""

from __future__ import annotations

import math
from textwrap import fill

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from stepwell.record.suggestion import LrSuggestion
from stepwell.view import suggestion_words as words
from stepwell.view.figures import rate_scores, rate_sweep
from stepwell.view.figures.rate_frame import sweep_words
from stepwell.view.numbers import ABSENT, count, in_ascii, listing, metric, rate
from stepwell.view.terminal import print_figure


def print_suggestion(suggestion: LrSuggestion, console: Console) -> None:
    """Print the whole answer; plain text where it is not a terminal."""
    ascii_only = console.options.ascii_only

    def say(text: str, style: str = "") -> None:
        wrapped = "\n".join(fill(line, console.width) for line in text.split("\n"))
        console.print(Text(in_ascii(wrapped) if ascii_only else wrapped, style=style), soft_wrap=True)

    found = math.isfinite(suggestion.lr)
    say(f"\n{words.headline(suggestion)}", "bold green" if found else "bold")
    say(" ".join(filter(None, (suggestion.words, words.advice(suggestion)))))
    say(" | ".join(words.asked(suggestion)) + "\n", "dim")
    console.print(_facts(suggestion, ascii_only=ascii_only))
    if suggestion.probes:
        say("\nThe rates that were tried", "bold")
        console.print(_rates(suggestion, ascii_only=ascii_only))
        good = words.tolerance(suggestion) if math.isfinite(suggestion.low) else ""
        notes = (words.score_meaning(suggestion), good, words.seeds_varied(suggestion))
        say(" ".join(filter(None, notes)) + "\n", "dim")
    figure = rate_scores(suggestion, in_text=True)
    for one in (figure,) if figure.panels else (rate_sweep(suggestion, in_text=True),):
        if one.panels:
            print_figure(one, console)
    if rules := _rules(suggestion):
        say(f"\nOther rules, from {sweep_words(suggestion)}: {rules}.")
    if suggestion.code:
        say("\nWhat now", "bold")
        _print_code(suggestion.code, console)


def _facts(suggestion: LrSuggestion, *, ascii_only: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, fact in words.facts(suggestion).items():
        table.add_row(Text(name, style="dim"), Text(in_ascii(fact) if ascii_only else fact, overflow="fold"))
    return table


def _rates(suggestion: LrSuggestion, *, ascii_only: bool) -> Table:
    """A row per rate, its longest runs."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    score = words.score_words(suggestion).capitalize()
    columns = (("Rate", True), ("Updates", True), ("Seeds", False), (score, True), ("Ended", False), ("", False))
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    decimals = words.score_decimals(suggestion)
    for row in words.rate_rows(suggestion):
        seeds = ", ".join(map(str, row.seeds))
        cells = (rate(row.rate), count(row.steps), seeds, metric(row.score, decimals), row.fate, row.place)
        style = {"suggested": "bold green", "good": ""}.get(row.place, "dim")
        table.add_row(*(Text(in_ascii(cell) if ascii_only else cell) for cell in cells), style=style)
    return table


def _rules(suggestion: LrSuggestion) -> str:
    """What the rules of other packages read, in one line."""
    given = suggestion.sweep.suggestions if suggestion.sweep else {}
    return listing([f"{name} {rate(lr) if math.isfinite(lr) else ABSENT}" for name, lr in given.items()])


def _print_code(code: str, console: Console) -> None:
    if console.is_terminal and not console.options.ascii_only:
        console.print(Syntax(code, "python", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        console.print(Text(in_ascii(code) if console.options.ascii_only else code), soft_wrap=True)
