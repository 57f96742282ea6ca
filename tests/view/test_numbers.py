from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from stepwell.view.numbers import decimals_for, difference, duration, in_ascii, metric, rate, significant

positive = st.floats(min_value=1e-12, max_value=1e12)


@given(positive)
def test_a_rate_reads_back_to_three_digits(value: float) -> None:
    assert math.isclose(float(rate(value)), value, rel_tol=5.1e-3)


@given(positive, st.integers(1, 8))
def test_no_more_digits_than_asked_for(value: float, digits: int) -> None:
    mantissa = significant(value, digits).split("e")[0]
    assert len(mantissa.replace(".", "").strip("0")) <= digits


@given(st.floats(min_value=1e-6, max_value=1e3))
def test_the_decimals_show_two_digits_of_the_resolution(resolution: float) -> None:
    shown = float(f"{resolution:.{decimals_for(resolution)}f}")
    assert math.isclose(shown, resolution, rel_tol=0.051)


@given(st.floats(), st.integers(0, 6))
def test_every_float_has_a_text(value: float, decimals: int) -> None:
    texts = (rate(value), metric(value, decimals), difference(value, decimals), duration(abs(value)))
    assert all(texts)
    assert not any("nan" in text or "inf " in text for text in texts)


@given(st.text())
def test_ascii_is_ascii(text: str) -> None:
    assert in_ascii(text).isascii()
