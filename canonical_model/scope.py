"""What names mean inside a component: their dimensions, and circles among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from .expr import Select, walk
from .model import Component, DerivedVariable
from .query import statics
from .units import NONE, Dimension

Dimensions: TypeAlias = Mapping[str, Dimension | None]


def scope(component: Component) -> dict[str, Dimension | None]:
    """The names that the component's expressions may use, with dimensions (None: unknown)."""
    names: dict[str, Dimension | None] = {}
    for source in component.analog_inputs:
        # an input bound by a path takes what it is given; `none` may only mean that nobody said
        unknown = bool(source.reduce) and source.dimension == NONE
        names[source.name] = None if unknown else source.dimension
    names |= {item.name: item.dimension for item in statics(component)}
    names |= {item.name: item.dimension for item in component.state_variables}
    # parentheses keep functions and kernels apart from quantities
    names |= {f"{item.name}()": item.dimension for item in component.functions}
    names |= {f"{item.name}()": item.dimension for item in component.kernels}
    names |= {f"{s.name}()": s.dimension for item in component.kernels for s in item.initial}
    return names | derived_dimensions(component.derived_variables)


def find_cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The first circle in `name -> names that it needs`, in order of need; empty if there is none.

    >>> find_cycle({"a": ["b"], "b": ["c", "x"], "c": ["b"]})
    ['b', 'c']
    """
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        path: dict[str, Iterator[str]] = {start: iter(sorted(graph[start]))}
        while path:
            node, needs = next(reversed(path.items()))
            following = next((n for n in needs if n in graph and n not in done), None)
            if following is None:
                done.add(node)
                del path[node]
            elif following in path:
                names = list(path)
                return names[names.index(following) :]
            else:
                path[following] = iter(sorted(graph[following]))
    return []


def derived_dimensions(items: tuple[DerivedVariable, ...]) -> dict[str, Dimension | None]:
    """A bare select without declared dimension takes that of what it selects: unknown here."""
    return {
        item.name: None
        if item.dimension == NONE and any(isinstance(n, Select) for n in walk(item.value))
        else item.dimension
        for item in items
    }


def payload_dimension(name: str) -> Dimension | None:
    """A weight is a pure number; what else an event carries is for its sender to say."""
    return NONE if name in ("weight", "event_weight") else None
