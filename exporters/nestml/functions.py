"""Functions that NESTML lacks, as function blocks; each is emitted only where a model uses it."""

from __future__ import annotations

from collections.abc import Mapping

# ours -> theirs where both have the function under different names; the rest keeps its name
BUILT_IN: Mapping[str, str] = {
    "log": "ln", "pow": "pow", "poisson": "random_poisson",
    **{name: name for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "expm1", "log10", "abs", "ceil",
        "floor", "round", "erf", "erfc", "min", "max", "steps", "resolution", "timestep",
    )},
}  # fmt: skip
# every argument and the result of these have one type
TEMPLATES = frozenset({"min", "max", "abs", "ceil", "floor", "round"})
BIT_OPERATORS: Mapping[str, str] = {
    "bitand": "&", "bitor": "|", "bitxor": "^", "shiftleft": "<<", "shiftright": ">>",
}  # fmt: skip

# name -> (arguments, comment, lines of the body); `{name}` stands for the chosen name of a helper
HELPERS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "heaviside": (
        "x real",
        "0 below zero, 1 above, one half at zero",
        ("if x > 0:", "    return 1.0", "elif x < 0:", "    return 0.0", "return 0.5"),
    ),
    "sign": (
        "x real",
        "-1 below zero, 1 above, 0 at zero",
        ("if x > 0:", "    return 1.0", "elif x < 0:", "    return -1.0", "return 0.0"),
    ),
    "exprel": (
        "x real",
        "(exp(x) - 1) / x, which tends to 1 at zero",
        ("if abs(x) < 1e-8:", "    return 1.0 + 0.5 * x", "return expm1(x) / x"),
    ),
    "trunc": (
        "x real",
        "rounded toward zero",
        ("if x < 0:", "    return ceil(x)", "return floor(x)"),
    ),
    "modulo": (
        "x real, y real",
        "the remainder of x / y, with the sign of x",
        ("return x - y * {trunc}(x / y)",),
    ),
    "factorial": (
        "x real",
        "1 * 2 * .. * x",
        (
            "product real = 1.0",
            "k real = 2.0",
            "while k <= x:",
            "    product *= k",
            "    k += 1.0",
            "return product",
        ),
    ),
    "atan": (
        "x real",
        "halves the angle four times, then sums the series",
        (
            "y real = x",
            "k integer = 0",
            "while k < 4:",
            "    y = y / (1.0 + (1.0 + y * y)**0.5)",
            "    k += 1",
            "total real = 0.0",
            "term real = y",
            "n real = 1.0",
            "while n < 20:",
            "    total += term / n",
            "    term *= -y * y",
            "    n += 2.0",
            "return 16.0 * total",
        ),
    ),
    "asin": (
        "x real",
        "by the angle's tangent of its half",
        ("return 2.0 * {atan}(x / (1.0 + (1.0 - x * x)**0.5))",),
    ),
    "acos": ("x real", "the complement of asin", ("return 0.5 * pi - {asin}(x)",)),
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "modulo": ("trunc",), "asin": ("atan",), "acos": ("asin", "atan"),
}  # fmt: skip


def with_needs(used: set[str]) -> list[str]:
    """The helpers to emit for those used, in the order of the table."""
    wanted = set(used)
    for name in used:
        wanted.update(NEEDS.get(name, ()))
    return [name for name in HELPERS if name in wanted]
