"""The tree that becomes YAML, XML or JSON: same content, same order, same bytes for the same model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TypeAlias

NAMESPACE = "http://nineml.net/9ML/1.0"
OURS = "urn:interspike:nineml:1"
BRANCH = "Interspike"

Value: TypeAlias = "str | int | float"
Plain: TypeAlias = "Value | dict[str, Plain] | list[Plain]"

# elements with text only, written `key: value` in YAML and JSON
_FLAT = frozenset({"MathInline", "SingleValue", "Size"})
# children that stand once: mappings and not lists
_SINGLE = frozenset({
    "Dynamics", "ConnectionRule", "RandomDistribution", "Trigger", "Definition", "Prototype",
    "Cell", "Source", "Destination", "Connectivity", "Response", "Plasticity", "Delay",
    "Concatenate", "ArrayValue", "RandomDistributionValue", "Annotations", *_FLAT,
})  # fmt: skip
# stand once unless they are the document's or a network's own
_INLINE = ("Reference", "Component", "MultiDynamicsProperties")


@dataclass(slots=True)
class Node:
    """An element: attributes in order, children in order, own text."""

    tag: str
    attributes: dict[str, Value] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    body: Value | None = None

    def add(self, *nodes: Node) -> Node:
        """Append children; the node itself is returned."""
        self.children.extend(nodes)
        return self


def number(value: float) -> str:
    """The shortest text that reads back as the same number, with a point, as every YAML reads it."""
    text = repr(float(value))
    mantissa, mark, power = text.partition("e")
    if "." not in mantissa and mark:
        mantissa += ".0"
    return f"{mantissa}{mark}{power}"


def to_xml(root: Node) -> bytes:
    """An XML document."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _xml(root, 0, lines, {"xmlns": NAMESPACE})
    return ("\n".join(lines) + "\n").encode()


def _xml(node: Node, depth: int, lines: list[str], extra: dict[str, Value]) -> None:
    pad = "  " * depth
    attributes = {**extra, **node.attributes}
    if "@namespace" in attributes:
        attributes = {"xmlns": attributes.pop("@namespace"), **attributes}
    text = "".join(f' {name}="{_escaped(value)}"' for name, value in attributes.items())
    if node.body is not None:
        inner = [] if not node.children else node.children
        opened = f"{pad}<{node.tag}{text}>{_escaped(node.body)}"
        if not inner:
            lines.append(f"{opened}</{node.tag}>")
            return
        lines.append(opened)
    elif not node.children:
        lines.append(f"{pad}<{node.tag}{text}/>")
        return
    else:
        lines.append(f"{pad}<{node.tag}{text}>")
    for child in node.children:
        _xml(child, depth + 1, lines, {})
    lines.append(f"{pad}</{node.tag}>")


def _escaped(value: Value) -> str:
    text = number(value) if isinstance(value, float) else str(value)
    # what XML cannot hold at all becomes a question mark
    text = "".join(c if c in "\t\n\r" or (ord(c) >= 32 and not _is_odd(c)) else "?" for c in text)
    for plain, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"),
                        ("\n", "&#10;"), ("\r", "&#13;"), ("\t", "&#9;")):  # fmt: skip
        text = text.replace(plain, code)
    return text


def _is_odd(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff"


def to_plain(root: Node) -> dict[str, Plain]:
    """Mappings and lists as NineML's YAML and JSON have them."""
    return {"NineML": {"@namespace": NAMESPACE, **_mapping(root)}}


def _mapping(node: Node) -> dict[str, Plain]:
    found: dict[str, Plain] = dict(node.attributes)
    free = node.tag == "Annotations"
    for child in node.children:
        if child.tag in _FLAT and not free:
            found[child.tag] = child.body if child.body is not None else ""
        elif (child.tag in _SINGLE or _is_inline(node, child)) and not free:
            found[child.tag] = _mapping(child)
        else:
            listed = found.setdefault(child.tag, [])
            assert isinstance(listed, list)
            listed.append(_mapping(child))
    if node.body is not None:
        found["@body"] = node.body
    return found


def _is_inline(node: Node, child: Node) -> bool:
    return child.tag in _INLINE and node.tag not in ("NineML", "Network")


def to_json(root: Node) -> bytes:
    """A JSON document."""
    return (json.dumps(to_plain(root), indent=1, ensure_ascii=True) + "\n").encode()


def to_yaml(root: Node) -> bytes:
    """A YAML document; texts that some YAML takes for truth values stand in quotes."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Plain block style, lists below their key at its level."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "'" if value.lower() in ("y", "n") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    def real(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:float", number(value))

    Dumper.add_representer(str, text)
    Dumper.add_representer(float, real)
    Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
    dumped: str = yaml.dump(
        to_plain(root), Dumper=Dumper, sort_keys=False, default_flow_style=False, width=100_000
    )
    return dumped.encode()
