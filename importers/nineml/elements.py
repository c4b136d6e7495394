"""Plain data of YAML and JSON, or an XML tree, to elements."""

from __future__ import annotations

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from .. import xml
from .schema import DIALECT_TAGS, DOCUMENT, FLAT, SCHEMA
from .tree import NOTHING, Data, Element, Items, Pairs, Scalar

_DOCUMENT = frozenset(DOCUMENT.split())


def from_xml(found: xml.Element, namespace: str = "") -> Element:
    """An XML element as it is; attributes of namespaces are gathered."""
    own = found.attributes.get("xmlns", namespace)
    attributes = {
        name: Scalar(text)
        for name, text in found.attributes.items()
        if name != "xmlns" and ":" not in name
    }
    if "xmlns" not in found.attributes:
        prefixed = [text for name, text in found.attributes.items() if name.startswith("xmlns:")]
        own = prefixed[0] if prefixed and not own else own
    inherited = own if found.tag != "Annotations" else ""
    return Element(
        tag=found.tag,
        attributes=attributes,
        children=tuple(from_xml(child, inherited) for child in found.children),
        body=Scalar(found.text, span=found.span) if found.text else None,
        span=found.span,
        namespace=own,
        locate=found.attribute_span,
    )


def from_data(data: Data, file: str, log: Log) -> Element:
    """The root element of plain data: one mapping with the one key `NineML`.

    Raises ModelError X010. Mistakes further down go to `log` (X011 list or mapping in the wrong place,
    X012 nothing where a value is needed).
    """
    pairs = data.entries if isinstance(data, Pairs) else ()
    entries = {key.text: value for key, value in pairs}
    root = entries.get("NineML")
    if not isinstance(root, Pairs) or len(entries) != 1:
        message = "a NineML document is a mapping with the one key 'NineML'"
        raise error("X010", message, data.span or Span(file, 1, 1))
    return _Converter(log).element("NineML", root)


class _Converter:
    """Mappings to elements, by the schema: which keys are attributes, which are children."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def element(self, tag: str, data: Data, free: bool = False) -> Element:
        """One element; inside annotations (`free`) there is no schema."""
        if isinstance(data, Scalar):
            return Element(tag, {}, (), data, data.span or Span())
        if isinstance(data, Items):
            raise error("X011", f"'{tag}' is one mapping here, not a list of lists", data.span)
        attributes: dict[str, Scalar] = {}
        children: list[Element] = []
        body: Scalar | None = None
        namespace = ""
        for key, value in data.entries:
            name = key.text
            if name == "@body":
                body = self.scalar(name, value)
            elif name == "@namespace":
                namespace = self.scalar(name, value).text
            elif name.startswith("@"):
                continue
            elif isinstance(value, Scalar) and not self.is_child(tag, name, free):
                attributes[name] = self.checked(name, value)
            else:
                children += self.children(tag, key, value, free)
        return Element(tag, attributes, tuple(children), body, data.span, namespace)

    def is_child(self, tag: str, name: str, free: bool) -> bool:
        """Is a plain value under this key an element's text?"""
        return not free and tag in SCHEMA and name in SCHEMA[tag].children

    def scalar(self, name: str, value: Data) -> Scalar:
        """A value that must not be a list or mapping."""
        if not isinstance(value, Scalar):
            raise error("X011", f"'{name}' is a plain value", value.span)
        return self.checked(name, value)

    def checked(self, name: str, value: Scalar) -> Scalar:
        """A value that is not empty."""
        if value.kind == NOTHING:
            hint = "leave the key out, or give a value"
            self.log.add("X012", Level.ERROR, f"'{name}' has no value", value.span, hint=hint)
        return value

    def children(self, tag: str, key: Scalar, value: Data, free: bool) -> list[Element]:
        """The elements under one key: a list where the element may repeat, else one mapping."""
        name = key.text
        free = free or tag == "Annotations"
        spec = None if free else SCHEMA.get(tag)
        if spec is not None and name not in spec.children and name not in DIALECT_TAGS:
            known = sorted({*spec.children, *spec.attributes})
            hint = suggest(name, known) or f"known here: {', '.join(known)}"
            message = f"'{name[:60]}' has no place in '{tag}'"
            self.log.add("X013", Level.ERROR, message, key.span, hint=hint)
            return []
        with self.log.gather():
            if isinstance(value, Items):
                if spec is not None and name in spec.one:
                    hint = "write a mapping without '-'"
                    raise error("X011", f"'{name}' stands once in '{tag}', not as a list",
                                value.span, hint=hint)  # fmt: skip
                return [self.item(name, entry, free) for entry in value.entries]
            if isinstance(value, Scalar):
                self.checked(name, value)
                if spec is not None and name not in FLAT:
                    hint = "text of an element goes under '@body'"
                    raise error("X011", f"'{name}' needs a mapping, not a plain value", value.span,
                                hint=hint)  # fmt: skip
            elif spec is not None and name in spec.many and not self.may_be_single(tag, name):
                hint = "write a list, '-' before each"
                raise error("X011", f"'{name}' may stand more than once in '{tag}' and is a list",
                            value.span, hint=hint)  # fmt: skip
            return [self.element(name, value, free)]
        return []

    def may_be_single(self, tag: str, name: str) -> bool:
        """Things of the document's level may be given as one mapping."""
        return tag == "NineML" and name in _DOCUMENT

    def item(self, name: str, entry: Data, free: bool) -> Element:
        """A member of a list."""
        if isinstance(entry, Scalar) and not free:
            raise error("X011", f"each member of '{name}' is a mapping", entry.span)
        return self.element(name, entry, free)
