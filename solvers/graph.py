"""Strongly connected components and topological order of small dependency graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def components(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Strongly connected components, each after those it depends on (Tarjan 1972, iterative).

    `graph[x]` are the nodes that x depends on; nodes outside the mapping are ignored.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, edges = work[-1]
            advanced = False
            for other in edges:
                if other not in graph:
                    continue
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    advanced = True
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            if advanced:
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                found.append(_pop(stack, on_stack, node))
    order = {name: position for position, name in enumerate(graph)}
    return [sorted(component, key=order.__getitem__) for component in found]


def _pop(stack: list[str], on_stack: set[str], node: str) -> list[str]:
    component: list[str] = []
    while True:
        name = stack.pop()
        on_stack.discard(name)
        component.append(name)
        if name == node:
            return component


def topological(graph: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """(names in order of dependence, a circle): one of the two is empty unless the graph is empty."""
    order: list[str] = []
    for component in components(graph):
        if len(component) > 1 or component[0] in set(graph[component[0]]):
            return [], component
        order.append(component[0])
    return order, []
