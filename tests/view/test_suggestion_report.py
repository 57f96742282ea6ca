"""A search for a rate in words, in the terminal, as JSON and as a page."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import final

import pytest
from rich.cells import cell_len
from rich.console import Console

import lr_suggestions as made
from stepwell.errors import OutputError
from stepwell.record.suggestion import Fate, LrSuggestion, Verdict
from stepwell.view import suggestion_words as words
from stepwell.view.suggestion_json import suggestion_json
from stepwell.view.suggestion_page import suggestion_html, write_suggestion
from stepwell.view.suggestion_table import print_suggestion

CASES = {
    "found": made.found(),
    "validation": made.found(val=True),
    "no sweep": made.found(swept=False),
    "no signal": made.no_signal(),
    "range test": made.by_range_test(),
    "evil": made.evil(),
}
NAN = float("nan")


def printed(suggestion: LrSuggestion, *, width: int = 80, encoding: str = "utf-8", terminal: bool = False) -> str:
    stream = io.TextIOWrapper(buffer := io.BytesIO(), encoding=encoding)
    print_suggestion(suggestion, Console(file=stream, width=width, force_terminal=terminal))
    stream.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("verdict", "lr", "expected"),
    [
        (Verdict.FOUND, 0.1, "Use 0.1."),
        (Verdict.NO_SIGNAL, NAN, "No rate found: no signal."),
        (Verdict.WIDEN_UP, 0.1, "0.1 for now; a higher rate may be better."),
        (Verdict.WIDEN_DOWN, 0.1, "0.1 for now; a lower rate may be better."),
        (Verdict.DISAGREE, 0.1, "0.1 for now; validation is better at another rate."),
        (Verdict.DISAGREE, NAN, "No rate found: train and validation disagree."),
    ],
)
def test_the_headline_is_a_rate_or_the_reason_for_none(verdict: Verdict, lr: float, expected: str) -> None:
    assert words.headline(replace(made.found(), verdict=verdict, lr=lr)) == expected


def test_every_verdict_but_found_says_what_to_do() -> None:
    for verdict in Verdict:
        assert bool(words.advice(replace(made.found(), verdict=verdict))) is (verdict is not Verdict.FOUND)


def test_runs_without_memory_are_told_beside_any_verdict() -> None:
    probes = list(made.found().probes)
    probes[3] = replace(probes[3], fate=Fate.FAILED, score=NAN, words="out of memory")
    for verdict in Verdict:
        suggestion = replace(made.found(), verdict=verdict, probes=tuple(probes))
        assert f"1 of {len(probes)} short runs ran out of memory" in " ".join(printed(suggestion).split())


def test_the_numbers_are_told_with_what_they_mean() -> None:
    assert words.facts(made.found()) == {
        "Rate": "0.1",
        "Verdict": "found",
        "Good rates": "0.0316 to 0.1 (x3.2)",
        "Failure edge": "1 (x10 the suggestion)",
        "Seeds": "their best rates lie x1.8 apart",
        "Groups": "the rate is the first group's; the others train at x0.1 of it",
        "Spent": "588 of 600 steps",
    }
    other = replace(made.found(), low=0.1, high=0.1, edge=NAN, spread=1.0, ratios=(1.0, 1.0))
    assert words.interval(other) == "0.1 alone"
    assert words.edge(other) == "no rate above it was seen to fail"
    assert words.spread(other) == "all have the same best rate"
    assert "Groups" not in words.facts(other)


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ("initialisation and data order", "Each seed is another initialisation and another order of the data."),
        ("data order", "Each seed is another order of the data alone"),
        ("nothing", "All seeds are alike"),
    ],
)
def test_it_is_said_what_seeds_stood_for(seeds: str, expected: str) -> None:
    suggestion = replace(made.found(), seeds=seeds)
    assert expected in words.seeds_varied(suggestion)
    assert expected in " ".join(printed(suggestion).split())
    assert expected in read(suggestion)[1]


@pytest.mark.parametrize(
    ("seeds", "spread", "expected"),
    [
        ("initialisation and data order", 1.8, ""),
        ("initialisation and data order", NAN, "on one seed"),
        ("data order", 1.8, "on one initialisation and several orders of the data"),
        ("data order", NAN, "on one initialisation and one order of the data"),
        ("nothing", NAN, "on one initialisation and one order of the data"),
    ],
)
def test_a_verdict_on_a_single_start_says_so_wherever_it_is_printed(seeds: str, spread: float, expected: str) -> None:
    suggestion = replace(made.found(), seeds=seeds, spread=spread)
    assert words.headline(suggestion) == (f"Use 0.1 (tried {expected})." if expected else "Use 0.1.")
    assert words.facts(suggestion)["Verdict"] == (f"found, {expected}" if expected else "found")
    assert repr(suggestion).startswith(f"LrSuggestion(found {expected}: " if expected else "LrSuggestion(found: ")
    assert suggestion_json(suggestion)["basis"] == expected
    assert words.headline(suggestion) in " ".join(printed(suggestion).split())


def test_the_table_speaks_of_losses_and_says_once_what_they_are() -> None:
    for suggestion, loss in ((made.found(), "training loss"), (made.found(val=True), "validation loss")):
        text = " ".join(printed(suggestion).split())
        assert f"Seeds {loss.capitalize()} Ended" in text
        assert text.count(f"The {loss} is that after the last update, on batches that are the same for all rates") == 1
        assert text.count(f"A rate is good if it lowered the {loss} by at least 98% of what the best rate") == 1
        for jargon in ("regret", "normalised", "Score"):
            assert jargon not in text
            assert jargon not in read(suggestion)[1]


def test_a_caption_in_the_terminal_speaks_of_nothing_that_only_a_picture_has() -> None:
    text = printed(made.found()) + printed(made.by_range_test())
    for unseen in ("green", "grey", "dashed", "dotted", "solid", "shaded", "Shaded"):
        assert unseen not in text
    assert "Before the first update it was 2.3 (mean of the seeds)." in " ".join(text.split())


def test_every_cell_of_a_table_knows_its_heading() -> None:
    tags, _ = read(made.found())
    cells = [attributes for tag, attributes in tags if tag == "td"]
    assert {attributes["data-label"] for attributes in cells} >= {"Updates", "Training loss", "Ended", "Rate"}


def test_a_rate_has_one_row_with_its_longest_runs() -> None:
    rows = words.rate_rows(made.found())
    assert [row.rate for row in rows] == pytest.approx(made.RATES)
    best = next(row for row in rows if row.place == "suggested")
    assert (best.rate, best.steps, best.seeds, best.fate) == (0.1, 80, (1, 2), "finished")
    assert best.score == pytest.approx((made.score(0.1, 80, 1) + made.score(0.1, 80, 2)) / 2)
    assert [row.rate for row in rows if row.place == "good"] == pytest.approx([10**-1.5])
    assert [row.fate for row in rows[-3:]] == ["diverged"] * 3


def test_a_rate_that_failed_on_some_seeds_says_on_how_many() -> None:
    probes = list(made.found().probes)
    probes[-1] = replace(probes[-1], fate=Fate.DIVERGED, score=NAN)
    row = next(row for row in words.rate_rows(replace(made.found(), probes=tuple(probes))) if row.rate == probes[-1].lr)
    assert row.fate == "1 of 2 diverged"
    assert row.score == pytest.approx(made.score(row.rate, 80, 1))


def test_the_terminal_has_the_answer_the_rates_the_picture_and_the_code() -> None:
    text = printed(made.found())
    for part in (
        "Use 0.1.",
        "Good rates    0.0316 to 0.1 (x3.2)",
        "suggested",
        "░",
        "fastai.valley",
        "torch.optim.SGD(",
    ):
        assert part in text


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [50, 100])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    code = CASES[name].code.splitlines()  # it is to be pasted, so it is not broken
    lines = [line for line in printed(CASES[name], width=width).splitlines() if line not in code]
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("name", CASES)
def test_any_terminal_will_do(name: str) -> None:
    assert printed(CASES[name], encoding="ascii").isascii()
    assert "\x1b" not in printed(CASES[name])
    assert "\x1b[" in printed(CASES[name], terminal=True)


@pytest.mark.parametrize("name", CASES)
def test_the_json_is_strict_and_complete(name: str) -> None:
    suggestion = CASES[name]
    read = json.loads(json.dumps(suggestion_json(suggestion), allow_nan=False))
    assert read["verdict"] == suggestion.verdict.value
    assert read["lr"] == (suggestion.lr if math.isfinite(suggestion.lr) else None)
    assert len(read["runs"]) == len(suggestion.probes)
    if suggestion.sweep is not None:
        assert len(read["sweep"]["losses"]) == len(suggestion.sweep.losses)
        assert read["sweep"]["losses"][-1] is None
        assert list(read["sweep"]["suggestions"]) == list(suggestion.sweep.suggestions)


@final
class Reader(HTMLParser):
    """The tags and the text of a page, without scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & {*self.open}:
            self.text += data


def read(suggestion: LrSuggestion) -> tuple[list[tuple[str, dict[str, str | None]]], str]:
    reader = Reader()
    reader.feed(suggestion_html(suggestion))
    reader.close()
    assert reader.open == []
    return reader.tags, reader.text


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed_and_needs_no_network(name: str) -> None:
    tags, text = read(CASES[name])
    for _, attributes in tags:
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith(("#", "data:"))
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    anchors = {(attributes["href"] or "")[1:] for tag, attributes in tags if tag == "a"}
    assert anchors <= {*identifiers}
    assert words.headline(CASES[name]) in text
    assert CASES[name].words in text


def test_the_page_has_a_button_per_line_and_a_plot_per_panel() -> None:
    tags, _ = read(made.found())
    hides = [attributes["data-hides"] for _, attributes in tags if "data-hides" in attributes]
    assert hides[:4] == ["10 updates, seed 0", "40 updates, seed 0", "80 updates, seed 1", "80 updates, seed 2"]
    assert hides[4:6] == ["1e-5", "3.16e-5"]
    plots = [attributes["id"] for _, attributes in tags if attributes.get("class") == "plot"]
    assert plots == [
        "plot-scores-0",
        "plot-scores-1",
        *[f"plot-short-runs-{number}" for number in range(3)],
        "plot-sweep-0",
        "plot-sweep-1",
    ]


def test_words_that_want_to_be_markup_stay_words() -> None:
    html = suggestion_html(made.evil())
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $x^2$ %{y} [bold]z" in html


def test_the_same_search_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_suggestion(made.found(), tmp_path / "one.html")
    other = write_suggestion(made.found(), tmp_path / "other.html")
    assert one.read_bytes() == other.read_bytes()
    with pytest.raises(OutputError, match="make it first"):
        write_suggestion(made.found(), tmp_path / "missing" / "one.html")
