"""The notation of `library/*.types`: the lines of one type, or of the units, turned into `syntax`.

`library/README.md` describes it. A fault in a text is a `ModelError` of code L190 with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..canonical_model.diagnostics import ModelError, Span, error, suggest
from ..canonical_model.expr import Expr
from ..canonical_model.units import Dimension, Unit
from . import syntax
from .expressions import parse_expression

_DERIVATIVE = re.compile(r"(\w+)' = (.+)")
_HANDLER = re.compile(r"(?:(start|enter)|(on|when) ([^:]+)):\s*(.*)")
_DERIVED = re.compile(r"(\w+)(?:: (\S+))?(?: (=|from) (.+))?")
_SELECT = re.compile(r"(optional )?(?:(sum|product) )?(\S+)")
_DIMENSION = re.compile(r"dimension (\w+):((?: [mltiknj]-?\d*)+)")
_UNIT = re.compile(r"(\w+) = (\S+?)(?: offset (\S+))?")

# keyword -> LEMS element; what follows the colon is a dimension, a type, or nothing
_OF_DIMENSION = {
    "parameter": "Parameter", "property": "Property", "constant": "Constant",
    "requires": "Requirement", "exposes": "Exposure",
}  # fmt: skip
_OF_TYPE = {
    "child": "Child", "children": "Children", "link": "Link", "reference": "ComponentReference",
    "attachments": "Attachments", "instance": "InstanceRequirement",
}  # fmt: skip
_BARE = {
    "text": "Text", "path": "Path", "index": "IndexParameter", "component": "ComponentRequirement",
    "receives": "EventPort", "sends": "EventPort", "fixed": "Fixed",
}  # fmt: skip
_DIRECTIONS = {"receives": "in", "sends": "out"}
_HANDLER_KINDS = {
    "start": "OnStart", "enter": "OnEntry", "on": "OnEvent", "when": "OnCondition",
}  # fmt: skip
_REDUCE = {"sum": "add", "product": "multiply"}
_SCHEME_FIELDS = {
    "nodes": "nodes", "edges": "edges", "stateVariable": "state_variable",
    "edgeSource": "edge_source", "edgeTarget": "edge_target",
    "forwardRate": "forward_rate", "reverseRate": "reverse_rate",
}  # fmt: skip
_KEYWORDS = (
    *_OF_DIMENSION, *_OF_TYPE, *_BARE, *_HANDLER_KINDS, "public", "state", "derived", "regime",
    "scheme", "structure", "simulation", "dynamics",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """One line without comment and indent, and the lines nested below it."""

    text: str
    span: Span
    children: list[_Line] = field(default_factory=list)


@dataclass(slots=True)
class _Body:
    """What the lines of a type or regime have said so far."""

    members: list[syntax.Member] = field(default_factory=list)
    states: list[syntax.StateVariable] = field(default_factory=list)
    derived: list[syntax.DerivedVariable] = field(default_factory=list)
    derivatives: list[tuple[str, Expr]] = field(default_factory=list)
    handlers: list[syntax.Handler] = field(default_factory=list)
    regimes: list[syntax.Regime] = field(default_factory=list)
    schemes: list[syntax.KineticScheme] = field(default_factory=list)
    structure: tuple[syntax.Build, ...] = ()
    simulation: tuple[syntax.Build, ...] = ()
    has_dynamics: bool = False


def read_type(name: str, extends: str, text: str, head: Span, first: int) -> syntax.ComponentType:
    """A type from the lines below its head.

    `first` is the number of the line on which `text` starts. Raises ModelError (L190, L101).
    """
    body = _Body()
    for line in _tree(text, head.file, first):
        _statement(line, body, in_regime=False)
    return syntax.ComponentType(
        name=name,
        extends=extends,
        members=tuple(body.members),
        dynamics=_dynamics(body),
        structure=body.structure,
        simulation=body.simulation,
        is_standard=True,
        span=head,
    )


def fault(message: str, span: Span, text: str = "", hint: str = "") -> ModelError:
    """A mistake in a library text, as an error to raise."""
    return error("L190", message, span, text, hint)


def _dynamics(body: _Body) -> syntax.Dynamics | None:
    if not body.has_dynamics:
        return None
    return syntax.Dynamics(
        state_variables=tuple(body.states),
        derived_variables=tuple(body.derived),
        derivatives=tuple(body.derivatives),
        handlers=tuple(body.handlers),
        regimes=tuple(body.regimes),
        schemes=tuple(body.schemes),
    )


def _tree(text: str, file: str, first: int) -> list[_Line]:
    """Lines nested by indent; comments dropped, lines that end in a backslash joined."""
    roots: list[_Line] = []
    levels = [(0, roots)]
    lines = enumerate(text.split("\n"), first)
    for number, raw in lines:
        content = (raw.partition("#")[0] if "#" in raw else raw).strip()
        if not content:
            continue
        indent = raw.index(content[0])
        while content.endswith("\\"):
            content = f"{content[:-1].rstrip()} {next(lines, (0, ''))[1].strip()}"
        line = _Line(content, Span(file, number))
        outer = indent
        while levels[-1][0] >= indent and len(levels) > 1:
            outer = levels.pop()[0]
        if outer != indent or indent == 0:
            raise fault("the line is not in line with those above it", line.span, content)
        levels[-1][1].append(line)
        levels.append((indent, line.children))
    return roots


def _statement(line: _Line, body: _Body, in_regime: bool) -> None:
    """Read one line of a type, or of a regime, with what is nested below it."""
    word, _, rest = line.text.partition(" ")
    word = word.rstrip(":")
    if not in_regime and (word in _OF_DIMENSION or word in _OF_TYPE or word in _BARE):
        _childless(line)
        body.members.extend(_members(word, rest, line))
    elif not in_regime and line.text == "structure":
        body.structure = tuple(_build(child) for child in line.children)
    elif not in_regime and line.text == "simulation":
        body.simulation = tuple(_build(child) for child in line.children)
    else:
        body.has_dynamics = True
        if word in _HANDLER_KINDS:
            body.handlers.append(_handler(line))
        elif word in ("public", "state", "derived"):
            _variables(line, body)
        elif word.endswith("'"):
            _childless(line)
            body.derivatives.append(_derivative(line))
        elif word == "regime" and not in_regime:
            body.regimes.append(_regime(rest, line))
        elif word == "scheme" and not in_regime:
            _childless(line)
            body.schemes.append(_scheme(rest, line))
        elif line.text != "dynamics" or in_regime:
            hint = suggest(word, _KEYWORDS)
            raise fault(f"'{word}' does not start a statement here", line.span, line.text, hint)


def _childless(line: _Line) -> None:
    if line.children:
        nested = line.children[0]
        raise fault(f"nothing may be nested below '{line.text}'", nested.span, nested.text)


def _malformed(line: _Line, form: str) -> ModelError:
    return fault(f"the line is not of the form '{form}'", line.span, line.text)


def _expression(text: str, line: _Line) -> Expr:
    try:
        return parse_expression(text)
    except ModelError:
        # read again with the place: only a faulty expression pays for it
        return parse_expression(text, line.span)


def _members(word: str, rest: str, line: _Line) -> Iterator[syntax.Member]:
    """`parameter a, b: voltage`, `children gates: gate`, `constant K: voltage = 1 mV`, `text a, b`."""
    left, _, value = rest.partition(" = ")
    names, _, of = left.partition(": ")
    kind = _OF_DIMENSION.get(word) or _OF_TYPE.get(word) or _BARE[word]
    is_local = word == "reference" and of.endswith(" local")
    if is_local:
        of = of.removesuffix(" local")
    if kind == "Parameter" and value:
        kind = "DerivedParameter"
        _expression(value, line)
    needs_value = word in ("property", "constant", "fixed")
    if needs_value > bool(value) or (value and not needs_value and kind != "DerivedParameter"):
        raise _malformed(line, f"{word} name: dimension = value")
    if " " in of or (bool(of) != (word in _OF_TYPE) and word not in _OF_DIMENSION):
        raise _malformed(line, f"{word} name" if word in _BARE else f"{word} name: type")
    for name in names.split(", "):
        if not name or " " in name or "," in name:
            raise _malformed(line, f"{word} name, name")
        yield syntax.Member(
            kind=kind,
            name=name,
            dimension=(of or "none") if word in _OF_DIMENSION else "none",
            type=of if word in _OF_TYPE else "",
            value=value,
            direction=_DIRECTIONS.get(word, ""),
            local=is_local,
            span=line.span,
        )


def _variables(line: _Line, body: _Body) -> None:
    """`public state v: voltage` or `derived x: dimension = expression`."""
    is_public = line.text.startswith("public ")
    word, _, rest = line.text.removeprefix("public ").partition(" ")
    if word == "derived":
        body.derived.append(_derived(rest, is_public, line))
        return
    names, _, dimension = rest.partition(": ")
    _childless(line)
    if word != "state" or not re.fullmatch(r"\w+(, \w+)*", names) or " " in dimension:
        raise _malformed(line, "state name, name: dimension")
    for name in names.split(", "):
        exposure = name if is_public else ""
        variable = syntax.StateVariable(
            name=name, dimension=dimension or "none", exposure=exposure, span=line.span
        )
        body.states.append(variable)


def _derived(rest: str, is_public: bool, line: _Line) -> syntax.DerivedVariable:
    """`x: dim = expression`, `x: dim from sum path`, or `x: dim` above `if test: value` lines."""
    match = _DERIVED.fullmatch(rest)
    if not match or bool(match[3]) == bool(line.children):
        raise _malformed(line, "derived name: dimension = expression")
    name, dimension, sign, text = match.groups()
    select = _SELECT.fullmatch(text) if sign == "from" else None
    if sign == "from" and not select:
        raise _malformed(line, "derived name: dimension from optional sum path")
    return syntax.DerivedVariable(
        name=name,
        dimension="" if dimension == "?" else dimension or "none",
        exposure=name if is_public else "",
        value=_expression(text, line) if sign == "=" else None,
        select=select[3] if select else "",
        reduce=_REDUCE[select[2]] if select and select[2] else "",
        required=not (select and select[1]),
        cases=tuple(_case(child) for child in line.children),
        span=line.span,
    )


def _case(line: _Line) -> tuple[Expr | None, Expr]:
    """`if test: value` or `else: value`."""
    head, colon, value = line.text.partition(": ")
    _childless(line)
    if head == "else" and colon:
        return None, _expression(value, line)
    if not head.startswith("if ") or not colon:
        raise _malformed(line, "if test: value")
    return _expression(head[3:], line), _expression(value, line)


def _derivative(line: _Line) -> tuple[str, Expr]:
    match = _DERIVATIVE.fullmatch(line.text)
    if not match:
        raise _malformed(line, "x' = expression")
    return match[1], _expression(match[2], line)


def _handler(line: _Line) -> syntax.Handler:
    """`start:`, `enter:`, `on port:` or `when test:`, then actions on the line or below it."""
    match = _HANDLER.fullmatch(line.text)
    if not match:
        raise _malformed(line, "when test: action; action")
    plain, word, subject, inline = match.groups()
    actions = [_action(text, line) for text in inline.split("; ") if inline != "nothing" and text]
    for child in line.children:
        _childless(child)
        actions.append(_action(child.text, child))
    if not actions and inline != "nothing":
        raise _malformed(line, "on port: nothing")
    return syntax.Handler(
        kind=_HANDLER_KINDS[plain or word],
        actions=tuple(actions),
        port=subject if word == "on" else "",
        test=_expression(subject, line) if word == "when" else None,
        span=line.span,
    )


def _action(text: str, line: _Line) -> syntax.Action:
    """`v = expression`, `emit port` or `go regime`."""
    target, equals, value = text.partition(" = ")
    if equals:
        tree = _expression(value, line)
        return syntax.Action(kind="StateAssignment", target=target, value=tree, span=line.span)
    word, _, target = text.partition(" ")
    if word not in ("emit", "go") or not target or " " in target:
        raise _malformed(line, "v = expression; emit port; go regime")
    kind = "EventOut" if word == "emit" else "Transition"
    return syntax.Action(kind=kind, target=target, span=line.span)


def _regime(rest: str, line: _Line) -> syntax.Regime:
    """`regime name` or `regime name initial`, dynamics nested below."""
    name, _, mark = rest.partition(" ")
    if not name or mark not in ("", "initial"):
        raise _malformed(line, "regime name initial")
    body = _Body()
    for child in line.children:
        _statement(child, body, in_regime=True)
    return syntax.Regime(
        name=name,
        initial=bool(mark),
        state_variables=tuple(body.states),
        derived_variables=tuple(body.derived),
        derivatives=tuple(body.derivatives),
        handlers=tuple(body.handlers),
        span=line.span,
    )


def _pairs(words: Iterable[str], line: _Line) -> dict[str, str]:
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise _malformed(line, "Tag key=value key=value")
        pairs[key] = value
    return pairs


def _scheme(rest: str, line: _Line) -> syntax.KineticScheme:
    name, _, settings = rest.partition(": ")
    pairs = _pairs(settings.split(), line)
    if not name or set(pairs) != set(_SCHEME_FIELDS):
        raise _malformed(line, f"scheme name: {' '.join(f'{key}=...' for key in _SCHEME_FIELDS)}")
    fields = {_SCHEME_FIELDS[key]: value for key, value in pairs.items()}
    return syntax.KineticScheme(name=name, span=line.span, **fields)


def _build(line: _Line) -> syntax.Build:
    """One element of a structure or simulation block: `Tag key=value`, nested elements below."""
    tag, *words = line.text.split()
    return syntax.Build(
        tag=tag,
        attributes=_pairs(words, line),
        children=tuple(_build(child) for child in line.children),
        span=line.span,
    )


def read_units(text: str, file: str) -> tuple[dict[str, Dimension], dict[str, Unit]]:
    """Dimensions by name and units by symbol. Raises ModelError (L190)."""
    dimensions: dict[str, Dimension] = {}
    units: dict[str, Unit] = {}
    dimension = Dimension()
    for number, raw in enumerate(text.split("\n"), 1):
        content = raw.partition("#")[0].strip()
        if not content or content.startswith("file "):
            continue
        line = _Line(content, Span(file, number))
        if content.startswith("dimension "):
            match = _DIMENSION.fullmatch(content)
            if not match:
                raise _malformed(line, "dimension name: m l2 t-3 i-1")
            powers = {item[0]: float(item[1:] or 1) for item in match[2].split()}
            dimension = dimensions[match[1]] = Dimension(**powers)
            continue
        for item in content.split(", "):
            match = _UNIT.fullmatch(item)
            if not match or not dimensions:
                raise _malformed(line, "symbol = scale, symbol = scale offset shift")
            scale, shift = float(match[2]), float(match[3] or 0)
            # LEMS adds the offset first: SI = (x + shift) * scale
            units[match[1]] = Unit(match[1], dimension, scale, shift * scale)
    return dimensions, units
