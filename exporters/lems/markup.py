"""XML elements in order: the same tree gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """An element: attributes in order, children in order, own text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    body: str = ""

    def add(self, *nodes: Node) -> Node:
        """Append children; the node itself is returned."""
        self.children.extend(nodes)
        return self


def number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point.

    >>> number(1e-3), number(-65.0)
    ('0.001', '-65')
    """
    return repr(float(value)).removesuffix(".0")


def to_xml(root: Node) -> bytes:
    """An XML document."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(root, 0, lines)
    return ("\n".join(lines) + "\n").encode()


def _write(node: Node, depth: int, lines: list[str]) -> None:
    pad = "    " * depth
    text = "".join(f' {name}="{escaped(value)}"' for name, value in node.attributes.items())
    if not node.children:
        end = f">{escaped(node.body)}</{node.tag}>" if node.body else "/>"
        lines.append(f"{pad}<{node.tag}{text}{end}")
        return
    lines.append(f"{pad}<{node.tag}{text}>")
    for child in node.children:
        _write(child, depth + 1, lines)
    lines.append(f"{pad}</{node.tag}>")


def escaped(value: str) -> str:
    """Text for attributes and bodies; what XML cannot hold at all becomes a question mark."""
    text = "".join(c if c in "\t\n\r" or (ord(c) >= 32 and not _is_odd(c)) else "?" for c in value)
    for plain, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"),
                        ("\n", "&#10;"), ("\r", "&#13;"), ("\t", "&#9;")):  # fmt: skip
        text = text.replace(plain, code)
    return text


def _is_odd(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff"
