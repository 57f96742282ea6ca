"""`stepwell learn`: its commands, and what it does without one.

Only `options` is imported at once; what reads content or draws is imported by the command that needs it.
"""

from __future__ import annotations

import typer

from stepwell.cli.learn import export, listing, quiz, reset, run, stats, verify, watch
from stepwell.cli.learn.options import CourseOption, ProgressOption

app = typer.Typer()


@app.callback(invoke_without_command=True)
def learn(ctx: typer.Context, progress: ProgressOption = None, course: CourseOption = None) -> None:
    """Learn how learning rates work, in nine modes; every answer is run with the installed torch.

    Without a command: the topics, then the mode. Answers are recorded as they are given; Ctrl-C and q lose none.
    """
    if ctx.invoked_subcommand:
        given = {name: value for name, value in (("progress", progress), ("course", course)) if value is not None}
        ctx.default_map = {ctx.invoked_subcommand: given}
        return
    from stepwell.cli.learn.home import home

    home(progress, course)


app.command("quiz")(quiz.quiz)
app.command("review")(quiz.review)
app.command("list")(listing.list_topics)
app.command("run")(run.run)
app.command("watch")(watch.watch)
app.command("stats")(stats.stats)
app.command("export")(export.export)
app.command("reset")(reset.reset)
app.command("verify")(verify.verify)
