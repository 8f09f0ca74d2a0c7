"""Sums as people and models write them are exact; what has no value, or two meanings, is said to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from heliograph.agents.arithmetic import as_json, calculate
from heliograph.errors import InvalidRequest


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("15% of 1,240.50", "186.075"),
        ("$5.50 × 3 =", "16.5"),
        ("2^10", "1024"),
        ("round(7/3, 2)", "2.33"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("sum(1, 2, 3) + mean([4, 6])", "11"),
        ("20% * 50", "10"),
        ("-5%", "-0.05"),
        ("max(1,234)", "234"),
        ("sqrt(16)", "4"),
    ],
)
def test_what_people_write_comes_out_exact(written: str, value: str) -> None:
    assert calculate(written) == Decimal(value)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("9**9**9**9", "no value"),
        ("1/0", "divides by zero"),
        ("log(0)", "no value"),
        ("1e400 * 2", "no value"),
        ("200 + 10%", "two things"),
        ("__import__('os').system('true')", "no arithmetic"),
        ("(1).__class__", "no arithmetic"),
        ("[1 for _ in range(9)]", "no arithmetic"),
        ("'a' * 9", "no arithmetic"),
        ("(1", "no arithmetic"),
        ("round(1, 2, 3)", "no arithmetic"),
        ("(" * 900 + "1" + ")" * 900, "no arithmetic"),
        ("1+" * 2000 + "1", "at most"),
    ],
)
def test_what_is_no_sum_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        calculate(written)


def test_a_whole_number_is_whole_in_json() -> None:
    assert as_json(calculate("3 * 2")) == 6
    assert isinstance(as_json(calculate("3 * 2")), int)
    assert as_json(calculate("1 / 4")) == 0.25
