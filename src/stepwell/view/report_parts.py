"""The sections of the report as HTML. Everything that comes from a record is escaped here."""

from __future__ import annotations

from html import escape

import numpy as np

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.record.run import Ending, Run
from stepwell.view import meanings, remarks, words
from stepwell.view.figures.cast import Role, cast
from stepwell.view.figures.response import mean_scores
from stepwell.view.html_page import colour_variable, legend_html, swatch_html
from stepwell.view.method import method as how
from stepwell.view.numbers import ABSENT, count, decimals_for, difference, duration, metric, rate
from stepwell.view.spread import spread, thinned


def section(anchor: str, heading: str, body: str) -> str:
    """A section with its heading; the navigation leads to the anchor."""
    named = f"{anchor}-heading"
    return f'<section id="{anchor}" aria-labelledby="{named}"><h2 id="{named}">{escape(heading)}</h2>{body}</section>'


def answer(comparison: Comparison) -> str:
    """The answer in one sentence, what it does not say, the recommendation and the lessons."""
    first, rest = words.answer_parts(comparison)
    soft = " ".join(filter(None, (words.limits(comparison), words.split_note(comparison))))
    facts = (
        comparison.task, comparison.optimizer, words.budget(comparison), f"{len(comparison.seeds)} judging seeds",
    )  # fmt: skip
    lessons = "".join(f"<li>{escape(lesson)}</li>" for lesson in comparison.lessons)
    shown = f'<div class="card"><h2>What this comparison shows</h2><ul>{lessons}</ul></div>' if lessons else ""
    return f"""<section aria-label="The answer">
<p class="facts">{escape(" · ".join(facts))}</p>
<h1>{escape(first)}</h1>
<p class="lead">{escape(rest)} <span class="soft">{escape(soft)}</span></p>
</section>
<section class="cards" aria-label="Recommendation and lessons">{_recommendation(comparison)}{shown}</section>"""


def _recommendation(comparison: Comparison) -> str:
    advice = comparison.recommendation
    if not advice.strategy:
        return f'<div class="card"><h2>Nothing to recommend</h2><p>{escape(advice.reason)}</p></div>'
    return f"""<div class="card"><h2>Recommended: {escape(advice.strategy)} at {rate(advice.base_lr)}</h2>
<p>{escape(advice.reason)}</p>
<p><code class="schedule">{escape(advice.schedule)}</code></p>
<div class="row"><h3>Code</h3><button type="button" data-copy="code">Copy</button></div>
<pre id="code" tabindex="0" aria-label="Code to paste">{escape(advice.code)}</pre></div>"""


def legend(comparison: Comparison) -> str:
    """A button per strategy that hides or shows it in every chart."""
    return legend_html([(role.name, role.colour, role.dash) for role in cast(comparison)], best=True)


def ranking(comparison: Comparison) -> str:
    """The table: one row per strategy, best first, the illustrations last."""
    what = words.readable(comparison.metric)
    untuned = words.tuning(comparison) == "none"
    heads = (
        ("rank", "#"),
        ("", "Strategy"),
        ("", "Rate over the run"),
        ("number", "Rate" if untuned else "Best rate"),
        ("number", what.capitalize()),
        ("number", f"Difference to {comparison.leader}"),
        ("", "Verdict"),
        ("number", "Steps to target"),
        ("number", "Good in short runs"),
        ("", "At twice the rate"),
        ("", "Runs"),
    )
    head = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for kind, name in heads)
    places = {result.strategy.name: str(place) for place, result in enumerate(comparison.ranked, start=1)}
    names = [name for _, name in heads]
    rows = "".join(_row(role, places.get(role.name, ""), names, comparison) for role in cast(comparison))
    how = "the rate that was given" if untuned else "its own best rate"
    unseen = "" if untuned else " that tuning never saw"
    caption = (
        f"Each strategy at {how}, mean over {len(comparison.seeds)} seeds{unseen}. "
        f"Differences with {1 - comparison.alpha:.0%} simultaneous intervals. "
        "Choose a name to highlight it in every chart."
    )
    return (
        f'<p class="soft" id="about-ranking">{escape(caption)}</p>'
        '<div class="ranking scroll"><table aria-describedby="about-ranking">'
        f'<caption class="unseen">Strategies</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        + _remarks(comparison)
        + _meanings(comparison)
    )


def _remarks(comparison: Comparison) -> str:
    """What may look wrong in the table, explained below it."""
    found = remarks.out_of_order(comparison), remarks.outside_good(comparison)
    return "".join(f'<p class="remark">{escape(text)}</p>' for text in found if text)


def _meanings(comparison: Comparison) -> str:
    """What the words of the table mean, below it."""
    known = {
        "Verdict": meanings.verdict(comparison) if comparison.learned else "",
        "Steps to target": meanings.arrival(comparison),
        "Good in short runs": "" if words.tuning(comparison) == "none" else meanings.good(comparison),
        "At twice the rate": "" if words.tuning(comparison) == "none" else meanings.at_twice(),
        "Runs": meanings.endings(comparison),
    }
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in known.items() if text)
    return f'<dl class="notes" aria-label="What the columns mean">{rows}</dl>'


def _row(role: Role, place: str, heads: list[str], comparison: Comparison) -> str:
    result, decimals = role.result, decimals_for(comparison.resolution)
    best = " best" if result.may_be_best else ""
    cells = (
        ("number", escape(rate(result.base_lr))),
        ("number", escape(metric(result.mean, decimals))),
        ("number", _gap(result, decimals)),
        ("", f'<span class="badge{best}">{escape(words.verdict(result, comparison))}</span>'),
        ("number", escape(words.to_target(result))),
        ("number", _good(result)),
        ("", escape(words.at_twice(result))),
        ("runs", _endings(result)),
    )
    plain = "".join(
        f'<td class="{kind}" data-label="{escape(head)}">{cell}</td>'
        for head, (kind, cell) in zip(heads[3:], cells, strict=True)
    )
    return (
        f'<tr class="{"" if result.ranked else "aside"}"><td class="number rank">{place}</td>'
        f'<th scope="row">{_who(role)}<code>{escape(result.strategy.schedule)}</code>{_instead(result)}</th>'
        f'<td class="wide">{_shape(role, comparison)}</td>{plain}</tr>'
    )


def _instead(result: StrategyResult) -> str:
    """Which built-in text a strategy of the user's stands in the place of; empty where there is none."""
    built_in = words.replaced(result.strategy)
    return f"<small>your text, in place of the built-in <code>{escape(built_in)}</code></small>" if built_in else ""


def _gap(result: StrategyResult, decimals: int) -> str:
    gap = result.difference
    if gap is None:
        return ABSENT
    if gap.low == gap.high == gap.estimate == 0:
        return "the leader"
    ends = f"{difference(gap.low, decimals)} to {difference(gap.high, decimals)}"
    return f"{difference(gap.estimate, decimals)}<small>{ends}</small>"


def _good(result: StrategyResult) -> str:
    response = result.response
    if response is None or not np.isfinite(response.good_low + response.good_high):
        return ABSENT
    low, high = rate(response.good_low), rate(response.good_high)
    return f"{words.good_region(result)}<small>{f'only {low}' if low == high else f'{low} to {high}'}</small>"


def _endings(result: StrategyResult) -> str:
    warning = ' class="warning"' if result.count(Ending.FINISHED) < len(result.runs) else ""
    return f"<span{warning}>{escape(words.endings(result)).replace(', ', ',<br>')}</span>"


def _who(role: Role) -> str:
    """The name with its stroke; choosing it highlights the strategy in every chart."""
    pick = f'data-pick="{escape(role.name)}" aria-pressed="false"'
    button = f'<button type="button" class="pick" {pick}>{escape(role.name)}</button>'
    return f'<span class="who">{swatch_html(role.colour, role.dash)}{button}</span>'


def _shape(role: Role, comparison: Comparison) -> str:
    """The rate over the run as a small drawing; the schedule stands beside it as text."""
    over = spread(role.result.runs, "lr")
    known = np.flatnonzero(np.isfinite(over.middle))
    if not known.size:
        return ABSENT
    kept = known[thinned(over.middle[known], points=120)]
    top, end = float(over.middle[kept].max()) or 1.0, max(float(comparison.budget.total_steps or 0), over.x[-1], 1.0)
    points = " ".join(
        f"{100 * x / end:.1f},{30 - 28 * y / top:.1f}" for x, y in zip(over.x[kept], over.middle[kept], strict=True)
    )
    style = (
        f'style="--c:{colour_variable(role.colour)}" viewBox="0 0 100 31" preserveAspectRatio="none" aria-hidden="true"'
    )
    stroke = 'fill="none" stroke="currentColor" stroke-width="2" vector-effect="non-scaling-stroke"'
    return f'<svg class="shape" {style}><polyline points="{points}" {stroke}/></svg>'


def response_table(comparison: Comparison) -> str:
    """The rate response as numbers; empty if there is none."""
    found = [(result, result.response) for result in comparison.results if result.response is not None]
    if not found:
        return ""
    rates = np.unique(np.concatenate([response.rates for _, response in found]))
    decimals = decimals_for(comparison.resolution)
    head = "".join(f'<th scope="col" class="number">{rate(lr)}</th>' for lr in rates)
    rows = []
    for result, response in found:
        scores = dict(zip(response.rates, mean_scores(response), strict=True))
        cells = "".join(f'<td class="number">{metric(scores.get(lr, np.nan), decimals)}</td>' for lr in rates)
        rows.append(f'<tr><th scope="row">{escape(result.strategy.name)}</th>{cells}</tr>')
    caption = f"Mean {words.readable(words.goal_of(comparison))} of the short runs at every base rate"
    return (
        '<details class="spaced"><summary>The numbers</summary><div class="scroll"><table>'
        f'<caption>{escape(caption)}</caption><thead><tr><th scope="col">Strategy</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def cost_tiles(comparison: Comparison) -> str:
    """What the comparison cost, one figure per tile."""
    cost = dict(comparison.cost)
    if "trials" in cost:
        cost["runs"] = cost["trials"] + cost.get("reused", 0)
    known = (
        ("Runs", "runs", count),
        ("Of an earlier call", "reused", count),
        ("Steps", "steps", count),
        ("Steps to tune", "tuning_steps", count),
        ("Steps to judge", "judging_steps", count),
        ("Time of this call", "seconds", duration),
        ("Training time", "train_seconds", duration),
    )
    tiles = "".join(
        f"<div><dt>{label}</dt><dd>{escape(written(cost[key]))}</dd></div>"
        for label, key, written in known
        if key in cost and (cost[key] or key != "reused")
    )
    return f'<dl class="tiles">{tiles}</dl>' if tiles else "<p>Not recorded.</p>"


def runs(comparison: Comparison) -> str:
    """Every judging run in words, folded away by strategy."""
    what = words.readable(comparison.metric).capitalize()
    head = (
        '<thead><tr><th scope="col" class="number">Seed</th><th scope="col">How it ended</th>'
        f'<th scope="col">In words</th><th scope="col" class="number">{escape(what)}</th></tr></thead>'
    )
    folded = []
    for result in comparison.results:
        name = escape(result.strategy.name)
        rows = "".join(_run(run, score, comparison) for run, score in zip(result.runs, result.scores, strict=False))
        table = f'<table><caption class="unseen">Runs of {name}</caption>{head}<tbody>{rows}</tbody></table>'
        summary = f"<summary>{name}: {escape(words.endings(result))}</summary>"
        folded.append(f'<details>{summary}<div class="scroll">{table}</div></details>')
    return "".join(folded)


def _run(run: Run, score: float, comparison: Comparison) -> str:
    seed = ABSENT if run.seed is None else str(run.seed)
    return (
        f'<tr><th scope="row" class="number">{seed}</th><td>{escape(run.outcome.ending.value)}</td>'
        f"<td>{escape(run.outcome.words)}</td>"
        f'<td class="number">{metric(float(score), decimals_for(comparison.resolution))}</td></tr>'
    )


def method(comparison: Comparison) -> str:
    """What was done, so that a reader can judge it or do it again."""
    facts = how(comparison)
    return f"<dl>{''.join(f'<dt>{escape(term)}</dt><dd>{escape(fact)}</dd>' for term, fact in facts.items())}</dl>"
