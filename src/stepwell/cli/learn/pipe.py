"""`--json`: steps as lines of JSON, events as lines of JSON, so that another program can drive a sitting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stepwell.errors import AnswerError, StoreError

if TYPE_CHECKING:
    from stepwell.learn.session.player import Player
    from stepwell.learn.session.screen import Step


def drive(player: Player, lines: Iterable[str], write: Callable[[str], None]) -> None:
    """Write each step, read an event for it, until the sitting or the input ends.

    What cannot be an event, or does not fit, is answered with `{"kind": "refused", "words": ..., "accepts": [...]}`:
    the sitting stays where it was.
    """
    step = player.step()
    write(step.to_json())
    for line in lines:
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            got = f"{line.strip()!r:.100} ({error})"
            write(_refused(step, f'a line is one event as JSON, such as {{"do": "next"}}; got {got}'))
            continue
        try:
            step = player.send(event)
        except (AnswerError, StoreError) as error:
            write(_refused(step, str(error)))
            continue
        write(step.to_json())
        if not step.accepts:
            return
    if step.accepts:
        write(player.send({"do": "quit"}).to_json())


def _refused(step: Step, words: str) -> str:
    return json.dumps({"kind": "refused", "words": words, "accepts": list(step.accepts)}, ensure_ascii=False)
