"""Is a tree shaped as NineML says? Every element is looked at; all mistakes are gathered."""

from __future__ import annotations

from collections import Counter

from ...canonical_model.diagnostics import Level, Log, Span, suggest
from .schema import NEEDED, SCHEMA, Spec
from .tree import Element


def check_tree(root: Element, log: Log) -> None:
    """Report to `log`: X013 unknown attribute or element, X014 missing attribute, X015 missing or
    repeated element, X016 text where none belongs."""
    stack = [root]
    while stack:
        element = stack.pop()
        _check(element, SCHEMA[element.tag], log)
        known = SCHEMA[element.tag].children
        inner = [c for c in element.children if c.tag in known and c.tag != "Annotations"]
        stack.extend(reversed(inner))


def _error(log: Log, code: str, message: str, span: Span, hint: str = "") -> None:
    log.add(code, Level.ERROR, message, span, hint=hint)


def _check(element: Element, spec: Spec, log: Log) -> None:
    tag = element.tag
    for name in element.attributes:
        if name not in spec.attributes:
            known = sorted(spec.attributes | spec.children)
            hint = suggest(name, known) or (f"known here: {', '.join(known)}" if known else "")
            message = f"'{name[:60]}' has no place in '{tag}'"
            _error(log, "X013", message, element.at(name), hint)
    for name in sorted(spec.required):
        if not element.get(name):
            what = "is empty" if name in element.attributes else "is missing"
            _error(log, "X014", f"'{name}' of '{tag}' {what}", element.at(name))
    for child in element.children:
        if child.tag not in spec.children:
            known = sorted(spec.children)
            hint = suggest(child.tag, known) or (f"known here: {', '.join(known)}" if known else "")
            message = f"'{child.tag[:60]}' has no place in '{tag}'"
            _error(log, "X013", message, child.span, hint)
    counts = Counter(child.tag for child in element.children)
    for name in sorted(spec.one):
        if counts[name] > 1:
            again = element.all(name)[1]
            _error(log, "X015", f"'{name}' stands more than once in '{tag}'", again.span)
    for group in NEEDED.get(tag, ()):
        number = sum(counts[name] for name in group)
        words = " or ".join(f"'{name}'" for name in group)
        if number == 0:
            _error(log, "X015", f"'{tag}' needs {words}", element.span)
        elif number > 1 and len(group) > 1:
            _error(log, "X015", f"'{tag}' has several of {words}", element.span)
    if element.body is not None and not spec.has_body:
        shown = element.text[:40]
        _error(log, "X016", f"the text '{shown}' has no place in '{tag}'", element.span)
    if spec.has_body and not spec.attributes and element.body is None:
        _error(log, "X015", f"'{tag}' is empty", element.span)
