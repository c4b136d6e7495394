"""Bodies of statements as NineML's transitions: assignments at once, then events, then the regime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...canonical_model.diagnostics import Level, Log, Span, refuse
from ...canonical_model.expr import ONE, Call, Expr, free_names, is_random, substitute, walk
from ...canonical_model.model import Assign, Declare, Emit, Report, Statement, Transition
from .rewrite import BINOMIAL


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """What a transition does; `regime` "" stays."""

    assignments: Mapping[str, Expr]
    events: tuple[str, ...]
    regime: str


def simultaneous(
    body: tuple[Statement, ...],
    aliases: Mapping[str, Expr],
    owner: str,
    log: Log,
) -> Simultaneous:
    """The body with every right side in terms of the values before it.

    Raises ModelError X304 (a statement that has no place in a transition), X305 (a drawn number used twice).
    """
    values: dict[str, Expr] = {}
    events: list[str] = []
    regime = ""
    local: set[str] = set()
    for item in body:
        match item:
            case Declare(name=name, value=value):
                values[name] = _now(value, values, aliases, owner, item.span)
                local.add(name)
            case Report():
                message = f"a message of '{owner}' to its user has no place in NineML"
                log.add("X328", Level.DROPPED, message, item.span)
            case Assign(target=target, value=value):
                values[target] = _now(value, values, aliases, owner, item.span)
            case Emit(port=port, weight=weight):
                if weight is not None and weight != ONE:
                    message = (
                        f"the weight that '{owner}' sends from '{port}' has no place in NineML"
                    )
                    log.add("X306", Level.DROPPED, message, item.span)
                if port not in events:
                    events.append(port)
            case Transition(regime=name):
                regime = name
            case _:
                what = type(item).__name__.lower()
                message = f"a statement of '{owner}' ({what}) has no place in NineML's transitions"
                raise refuse("X304", message, item.span)
    kept = {name: value for name, value in values.items() if name not in local}
    return Simultaneous(kept, tuple(events), regime)


def _now(
    expr: Expr,
    values: Mapping[str, Expr],
    aliases: Mapping[str, Expr],
    owner: str,
    span: Span | None,
) -> Expr:
    """`expr` after the assignments `values`, in terms of what was before them."""
    if not values:
        return expr
    inner = {
        name: _now(aliases[name], values, aliases, owner, span)
        for name in free_names(expr)
        if name in aliases and _depends(aliases[name], values, aliases)
    }
    used = free_names(expr) & values.keys()
    if any(_draws(values[name]) for name in used):
        message = f"'{owner}' draws a number and uses it again in the same event"
        raise refuse("X305", message, span)
    return substitute(expr, {**{name: values[name] for name in used}, **inner})


def _draws(expr: Expr) -> bool:
    calls = (node for node in walk(expr) if isinstance(node, Call))
    return is_random(expr) or any(node.function == BINOMIAL for node in calls)


def _depends(expr: Expr, values: Mapping[str, Expr], aliases: Mapping[str, Expr]) -> bool:
    waiting, seen = list(free_names(expr)), set[str]()
    while waiting:
        name = waiting.pop()
        if name in values:
            return True
        if name in aliases and name not in seen:
            seen.add(name)
            waiting.extend(free_names(aliases[name]))
    return False
