"""Arithmetic that a person or a model writes: numbers, `+ - * / // % **`, brackets and a few functions, in decimals, and nothing else.

    calculate("15% of 1,240.50")        # Decimal("186.075")

Decimals, because sums are mostly of money: 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, DivisionByZero, localcontext
from typing import Any

from heliograph.errors import InvalidRequest

LONGEST = 2_000
"""Characters of an expression."""
DIGITS = 34
"""Significant digits, as decimal128 of IEEE 754 has them."""
_LARGEST = 1_000
"""Digits before the decimal point that a result may have."""

_WRITTEN = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "π": "pi", "√": "sqrt"}
_OF = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent)\s+of\s+", re.I)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\w(.])")
_ADDED = re.compile(r"[+-]\s*\d+(?:\.\d+)?\s*%(?!\s*[\w(.])")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_CURRENCY = re.compile(r"[$€£¥]\s*(?=[\d.])")


def _floor(number: Decimal) -> Decimal:
    return Decimal(math.floor(number))


def _ceil(number: Decimal) -> Decimal:
    return Decimal(math.ceil(number))


def _power(number: Decimal, exponent: Decimal) -> Decimal:
    return number**exponent


def _modulo(number: Decimal, by: Decimal) -> Decimal:
    return number - by * _floor(number / by)


def _round(number: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    return round(number, int(places))


def _log(number: Decimal, base: Decimal = Decimal(10)) -> Decimal:
    return number.log10() if base == 10 else number.ln() / base.ln()


def _sum(*numbers: Decimal) -> Decimal:
    return sum(numbers, Decimal(0))


def _mean(*numbers: Decimal) -> Decimal:
    return _sum(*numbers) / len(numbers)


def _smallest(*numbers: Decimal) -> Decimal:
    return min(numbers)


def _largest(*numbers: Decimal) -> Decimal:
    return max(numbers)


def _real(function: Callable[[float], float]) -> Callable[[Decimal], Decimal]:
    return lambda number: Decimal(repr(function(float(number))))


_OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda number, by: number / by,
    ast.FloorDiv: lambda number, by: _floor(number / by),
    ast.Mod: _modulo,
    ast.Pow: _power,
}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {
    "abs": Decimal.copy_abs, "round": _round, "floor": _floor, "ceil": _ceil, "sqrt": Decimal.sqrt, "exp": Decimal.exp, "ln": Decimal.ln,
    "log": _log, "log10": Decimal.log10, "sin": _real(math.sin), "cos": _real(math.cos), "tan": _real(math.tan), "min": _smallest,
    "max": _largest, "sum": _sum, "mean": _mean,
}  # fmt: skip
_CONSTANTS = {"pi": Decimal("3.141592653589793238462643383279503"), "e": Decimal("2.718281828459045235360287471352662")}


def calculate(expression: str) -> Decimal:
    """The value of `expression`. Raises InvalidRequest for what is no arithmetic, and for what has no value."""
    if len(expression) > LONGEST:
        raise InvalidRequest(f"An expression has at most {LONGEST:,} characters.", param="expression")
    try:
        tree = ast.parse(_plain(expression), mode="eval")
        with localcontext(Context(prec=DIGITS, Emax=_LARGEST, Emin=-_LARGEST)):
            value = _value(tree.body)
            if not value.is_finite():
                raise OverflowError
            return value.quantize(Decimal(1)) if value == value.to_integral_value() and abs(value) < 10**DIGITS else value.normalize()
    except InvalidRequest:
        raise
    except DivisionByZero:
        raise InvalidRequest(f"{expression.strip()[:100]} divides by zero.", param="expression") from None
    except (DecimalException, OverflowError, ValueError, ZeroDivisionError):
        raise InvalidRequest(f"{expression.strip()[:100]} has no value that can be written down.", param="expression") from None
    except (SyntaxError, TypeError, RecursionError, MemoryError):
        raise InvalidRequest(f"{expression.strip()[:100]!r} is no arithmetic that can be worked out.", param="expression") from None


def _plain(expression: str) -> str:
    """The expression as Python writes it: signs, currencies, thousands and per cent as people write them are taken out."""
    text = expression.strip().rstrip("=").strip()
    for sign, plain in _WRITTEN.items():
        text = text.replace(sign, plain)
    text = _CURRENCY.sub("", text)
    if not re.search(r"[a-z]\s*\(", text):  # there the comma parts numbers
        text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    text = _OF.sub(r"(\1/100)*", text)
    if (added := _ADDED.search(text)) is not None and text[: added.start()].strip() and not _PERCENT.search(text[: added.start()]):
        raise InvalidRequest(f"{added[0].strip()} can mean two things: say of what, as in * 1.1 or + 10% of 200.", param="expression")
    return _PERCENT.sub(r"(\1/100)", text)


def _value(node: ast.expr) -> Decimal:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Decimal(repr(number))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*_numbers(arguments))
        case _:
            known = ", ".join(_FUNCTIONS)
            raise InvalidRequest(
                f"{ast.unparse(node)[:60]!r} is no arithmetic: there are numbers, + - * / // % **, brackets, and {known}.",
                param="expression",
            )


def _numbers(arguments: list[ast.expr]) -> list[Decimal]:
    """The arguments of a function; a list in square brackets is as good as its numbers."""
    if len(arguments) == 1 and isinstance(only := arguments[0], ast.List | ast.Tuple):
        arguments = only.elts
    return [_value(argument) for argument in arguments]


def as_json(value: Decimal) -> Any:
    """A number for JSON: whole where it is."""
    return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
