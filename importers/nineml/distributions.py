"""Random distributions of the user layer: as an expression that draws, or as values to be drawn.

Parameter names are those of UncertML's list, in any spelling that differs in case only; a distribution with
one parameter takes it under any name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...canonical_model.diagnostics import ModelError, Span, error, suggest
from ...canonical_model.expr import ONE, Binary, Call, Expr, Number, Unary
from .dialect import DISTRIBUTIONS
from .syntax import Library

# distribution -> the names that each of its parameters may have, in order
PARAMETERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "uniform": (("minimum", "min", "low"), ("maximum", "max", "high")),
    "normal": (("mean",), ("variance",)),
    "exponential": (("rate",),),
    "poisson": (("rate", "mean"),),
    "gamma": (("shape",), ("scale",)),
    "log-normal": (("logscale", "mean"), ("shape", "variance")),
    "bernoulli": (("probabilities", "probability"),),
    "binomial": (("numberoftrials", "trials"), ("probabilityofsuccess", "probability")),
    "beta": (("alpha",), ("beta",)),
    "cauchy": (("location",), ("scale",)),
    "chi-square": (("degreesoffreedom", "degrees"),),
    "geometric": (("probability",),),
    "laplace": (("location",), ("scale",)),
    "logistic": (("location",), ("scale",)),
    "pareto": (("scale",), ("shape",)),
    "weibull": (("scale",), ("shape",)),
}


def kind_of(library: Library) -> str:
    """The distribution's name. Raises ModelError X210 where it is none that can be drawn."""
    name = library.url.removeprefix(DISTRIBUTIONS).lower()
    if name not in PARAMETERS:
        message = f"the distribution '{library.url[:80]}' cannot be drawn"
        hint = suggest(name, PARAMETERS) or f"known: {', '.join(PARAMETERS)}"
        raise error("X210", message, library.url_span, hint=hint)
    return name


def arguments(kind: str, values: Mapping[str, float], span: Span) -> tuple[float, ...]:
    """The parameters in order. Raises ModelError X211 where one is missing or out of range."""
    wanted = PARAMETERS[kind]
    plain = {name.lower().replace("_", ""): value for name, value in values.items()}
    if len(wanted) == 1 and len(plain) == 1:
        found = tuple(plain.values())
    else:
        found = tuple(plain[n] for names in wanted for n in names if n in plain)
    if len(found) != len(wanted):
        names = ", ".join(names[0] for names in wanted)
        given = ", ".join(values)
        message = f"the distribution '{kind}' needs {names}; given: {given}"
        raise error("X211", message, span)
    positive = {"exponential": 0, "gamma": 1, "beta": 1, "weibull": 0, "pareto": 0, "poisson": 0}
    if kind in positive and found[positive[kind]] <= 0:
        raise _out_of_range(kind, wanted[positive[kind]][0], found[positive[kind]], "above 0", span)
    if kind == "normal" and found[1] < 0:
        raise _out_of_range(kind, "variance", found[1], "0 or more", span)
    if kind == "uniform" and found[0] > found[1]:
        raise _out_of_range(kind, "minimum", found[0], f"up to the maximum {found[1]:g}", span)
    return found


def _out_of_range(kind: str, name: str, value: float, wanted: str, span: Span) -> ModelError:
    message = f"'{name}' of the distribution '{kind}' is {value:g}, which is out of range"
    return error("X211", message, span, hint=f"it is {wanted}")


def drawing(kind: str, args: tuple[float, ...]) -> Expr | None:
    """An expression that draws one number, or None where only numbers can be drawn beforehand."""
    if kind == "uniform":
        low, high = args
        return Binary("+", Number(low), Binary("*", Number(high - low), Call("uniform")))
    if kind == "normal":
        mean, variance = args
        return Binary("+", Number(mean), Binary("*", Number(math.sqrt(variance)), Call("normal")))
    if kind == "exponential":
        rest = Binary("-", ONE, Call("uniform"))
        return Binary("/", Unary("-", Call("log", (rest,))), Number(args[0]))
    if kind == "poisson":
        return Call("poisson", (Number(args[0]),))
    return None
