"""Sittings: the nine modes as state machines that print nothing.

`plan` chooses the items, `state` goes from event to event, `screen` says what is to be seen, and `player` runs what a
state asks for and records the answers. A terminal, a page and a test drive the same `Player`:

    with Worker() as worker, Progress.open() as progress:
        with Player.begin(course, Wish(Mode.PRACTICE, ("too-high",), seed=7), progress, worker) as player:
            step = player.step()
            while step.accepts:
                step = player.send(event_for(step))

A `Step` has what is to be seen; `step.accepts` lists what can be done. Every event is a table with `do`:

    {"do": "answer", "answer": 2, "confidence": 0.8}     the confidence is needed where `sure` is true
    {"do": "hint"}                                       the next hint
    {"do": "reveal", "text": "..."}                      turns a card over; hands in an explanation to be ticked
    {"do": "next"}  {"do": "skip"}  {"do": "quit"}       go on, give up and see what is right, end

and every step is one of

    page       title, blocks: each a kind `prose` (markdown), `program` (code, output), `curves` (schedules, figures)
               or `chart` (y, x, places, lines: label -> values; None is a gap)
    question   what `texts.front` gives (question, options or pieces or curves and so on), hints, hints_left,
               attempts_left (None without end), limit and left (seconds, of which below 0 is overtime; None without
               a timer), sure, last (verdict and words on the answer before: while attempts are left, at most how much
               of it is right; of fix and tune with score and evidence), trouble (why it cannot be asked, so that
               only skip is left)
    back       of a card: answer, explanation
    concepts   of an explanation: text, concepts (each text and suggested)
    verdict    verdict (None if given up), words, solution, evidence, explanation, steps, check (question, answer; None
               without one), mistakes, why (of each shown option), series; `untold` in their place where the proof could
               not be run
    done       results (of each item: verdict, None without an answer; skipped; in a test, of what was not right, also
               face, solution and the texts of a verdict), topics (right, of, strong), right, answered,
               cards (remembered, of), badge, overtime

The evidence of a program has what it printed: `printed` with `head`, `left_out` (lines between) and `tail`.
"""
