"""The tree of a composite component: flat names for its quantities, and where paths lead.

Children's quantities get the shortest suffix of their path that is unique (`m_q`, `Na_m_q`), the
root's keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .. import model
from ..expr import TIME
from ..query import declared

_STEP = re.compile(r"^([^\[\]]+)(?:\[(?:\*|(\w+)\s*=\s*'([^']*)'|(\d+))\])?$")


@dataclass(slots=True, eq=False)
class Node:
    """A component in the tree, and what its local names are called in the flat component."""

    component: model.Component
    path: tuple[str, ...]
    parent: Node | None = None
    child: model.Child | None = None
    children: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


def tree(component: model.Component) -> Node:
    root = Node(component, ())
    stack = [root]
    while stack:
        node = stack.pop()
        for child in node.component.children:
            inner = Node(child.component, (*node.path, child.id), node, child)
            node.children.append(inner)
            stack.append(inner)
    return root


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def _own_names(component: model.Component) -> list[str]:
    """Quantities that the component itself defines (not what it requires)."""
    return list(dict.fromkeys(item.name for item in declared(component)))


def name_all(nodes: list[Node]) -> None:
    """Give each quantity its flat name: the shortest unique suffix of its path."""
    taken = {identifier(name): 1 for name in _own_names(nodes[0].component)}
    taken.update({item.name: 1 for item in nodes[0].component.analog_inputs})
    taken[TIME] = 1
    wanted = [
        (node, name, [*map(identifier, node.path), identifier(name)])
        for node in nodes[1:]
        for name in _own_names(node.component)
    ]
    counts: dict[str, int] = {}
    for _, _, parts in wanted:
        for length in range(2, len(parts) + 1):
            suffix = "_".join(parts[-length:])
            counts[suffix] = counts.get(suffix, 0) + 1
    nodes[0].names = {name: identifier(name) for name in _own_names(nodes[0].component)}
    for node, name, parts in wanted:
        candidates = ["_".join(parts[-length:]) for length in range(2, len(parts) + 1)]
        free = [c for c in candidates if counts[c] == 1 and c not in taken]
        flat = free[0] if free else candidates[-1]
        while flat in taken:
            flat += "_"
        taken[flat] = 1
        node.names[name] = flat


def identifier(text: str) -> str:
    """`text` with everything that is not a letter, digit or underscore replaced."""
    clean = re.sub(r"\W", "_", text, flags=re.ASCII)
    return clean if clean[:1].isalpha() or clean[:1] == "_" else f"_{clean}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a select path leads to: flat names of siblings, or an input from outside."""

    names: tuple[str, ...]
    input: str = ""
    attachment: bool = False


def resolve(node: Node, path: str) -> Found:
    """Follow a select path from `node`. Raises ValueError where a step is malformed."""
    *steps, last = path.split("/")
    current = [node]
    for step in steps:
        match = _STEP.match(step)
        if not match:
            raise ValueError(step)
        name, attribute, value, index = match.groups()
        for item in current:
            if any(slot.name == name for slot in item.component.attachments):
                return Found((), f"{identifier(name)}_{identifier(last)}", True)
            peers = [i.name for i in item.component.analog_inputs if i.reduce == "peer"]
            if name in peers:
                return Found((), f"{identifier(name)}_{identifier(last)}")
        found = [
            child
            for item in current
            for child in item.children
            if child.child and name in (child.child.name, child.child.id)
        ]
        if attribute:
            found = [n for n in found if n.child and n.child.texts.get(attribute) == value]
        if index is not None:
            found = found[int(index) : int(index) + 1]
        current = found
    names = [name for item in current if (name := variable(item, last)) is not None]
    return Found(tuple(names))


def variable(node: Node, name: str) -> str | None:
    """The flat name of a node's exposure or quantity."""
    for exposure in node.component.exposures:
        if exposure.name == name:
            return node.names.get(exposure.variable)
    return node.names.get(name)


def machine_name(node: Node, own: str = "") -> str:
    """The flat name of a node's machine that is called `own` there."""
    return "_".join([*(identifier(part) for part in node.path), *([own] if own else [])])


def relative(node: Node, path: str) -> Node | None:
    """The node at a relative path (`..` goes up), or None."""
    current: Node | None = node
    for step in path.split("/") if path else ():
        if current is None:
            return None
        if step == "..":
            current = current.parent
        elif step not in (".", ""):
            match = [c for c in current.children if c.child and step in (c.child.name, c.child.id)]
            current = match[0] if match else None
    return current
