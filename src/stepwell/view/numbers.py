"""Numbers as people write them: one place for the terminal, the pictures and the page."""

from __future__ import annotations

import math

ABSENT = "\N{EN DASH}"  # stands for a number that was not measured
MINUS = "\N{MINUS SIGN}"
_SPELT = {ABSENT: "-", MINUS: "-", "±": "+-", "\N{BULLET}": "-", "\N{HORIZONTAL ELLIPSIS}": "..."}


def rate(value: float) -> str:
    """A learning rate in at most three significant digits.

    Example:
        >>> [rate(value) for value in (0.03, 0.1, 0.0316228, 3e-4, 1.25e-5, 1.0, 0.0)]
        ['0.03', '0.1', '0.0316', '3e-4', '1.25e-5', '1', '0']
    """
    return significant(value, 3, plain_above=1e-3)


def significant(value: float, digits: int = 3, *, plain_above: float = 1e-4) -> str:
    """A number in at most `digits` significant digits; below `plain_above` and from a million on with an exponent.

    Example:
        >>> [significant(value) for value in (620, 12345.6, 0.0000123, 1234567, float("inf"))]
        ['620', '12300', '1.23e-5', '1.23e6', 'infinite']
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    text = f"{value:.{digits - 1}e}"
    mantissa, exponent = text.split("e")
    if plain_above <= abs(float(text)) < 1e6:
        decimals = max(0, digits - 1 - int(exponent))
        plain = f"{float(text):.{decimals}f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def decimals_for(resolution: float) -> int:
    """How many decimals show `resolution` in two significant digits; 3 where it is not a positive number.

    Example:
        >>> [decimals_for(value) for value in (0.0123, 0.3, 2.0, 140.0)]
        [3, 2, 1, 0]
    """
    if not (math.isfinite(resolution) and resolution > 0):
        return 3
    return min(8, max(0, 1 - math.floor(math.log10(resolution))))


def metric(value: float, decimals: int) -> str:
    """A score with fixed decimals, so that a column lines up.

    Example:
        >>> metric(0.41234, 3), metric(float("nan"), 3) == ABSENT, metric(3.2e9, 2)
        ('0.412', True, '3.2e9')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    return significant(value, 3) if abs(value) >= 1e6 else f"{value:.{decimals}f}"


def difference(value: float, decimals: int) -> str:
    """A difference with its sign; a difference that rounds to nothing has none.

    Example:
        >>> difference(0.0214, 3), difference(-0.0214, 3) == f"{MINUS}0.021", difference(0.0001, 3)
        ('+0.021', True, '0.000')
    """
    text = metric(abs(value), decimals)
    if math.isnan(value) or not any(digit in text for digit in "123456789i"):
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def times(value: float) -> str:
    """A ratio in two significant digits.

    Example:
        >>> times(8.0), times(31.6), times(1.0)
        ('x8', 'x32', 'x1')
    """
    return f"x{significant(value, 2)}" if math.isfinite(value) else _not_finite(value)


def count(value: float) -> str:
    """A whole number with thousands apart.

    Example:
        >>> count(620), count(148800.0)
        ('620', '148,800')
    """
    return f"{round(value):,}" if math.isfinite(value) else _not_finite(value)


def duration(seconds: float) -> str:
    """A stretch of time in its two largest units.

    Example:
        >>> [duration(value) for value in (0.034, 4.26, 59.7, 95, 3725, 200_000)]
        ['0.03 s', '4.3 s', '1 min', '1 min 35 s', '1 h 2 min', '2 d 7 h']
    """
    if not math.isfinite(seconds):
        return _not_finite(seconds)
    if seconds < 9.95:
        return f"{significant(seconds, 2 if seconds >= 1 else 1)} s"
    whole = round(seconds)
    for size, unit, small, small_unit in (86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def in_ascii(text: str) -> str:
    """The text for a terminal whose encoding has nothing else: known signs are spelt, unknown ones become `?`.

    Example:
        >>> in_ascii("±0.1 is fine, ελ is not")
        '+-0.1 is fine, ?? is not'
    """
    spelt = text.translate({ord(sign): ascii_sign for sign, ascii_sign in _SPELT.items()})
    return spelt.encode("ascii", "replace").decode("ascii")


def listing(words: list[str] | tuple[str, ...]) -> str:
    """Words in a row as a sentence has them.

    Example:
        >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _not_finite(value: float) -> str:
    return ABSENT if math.isnan(value) else "infinite" if value > 0 else f"{MINUS}infinite"
