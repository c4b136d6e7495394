"""Flatten a composite component into one flat hybrid system with readable names.

Selects and requirements are bound, events between relatives are inlined where they are sent, and
derived variables that never change become derived parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .. import model
from ..diagnostics import Span, error, refuse, suggest
from ..expr import Expr, Name, Select, add, free_names, is_random, multiply, rebuild
from ..query import bodies, declared, odes, statics
from ..units import NONE, Dimension, si_quantity
from .change import change_statement
from .clocks import clocks_to_algebra
from .composite import (
    Node,
    identifier,
    machine_name,
    name_all,
    relative,
    resolve,
    tree,
    variable,
    walk,
)
from .levels import levels_to_algebra
from .program import lower_program
from .raising import raise_program

SEGMENTS = "neuroml.segments"

MAX_RELAYS = 20


@dataclass(frozen=True, slots=True)
class Flat:
    """A flat component and the way from paths in the composite to its names."""

    component: model.Component
    root: Node

    def locate(self, path: str) -> str | None:
        """The flat name of the quantity at `path` (`channel/m/q`), or None."""
        try:
            found = resolve(self.root, path)
        except ValueError:
            return None
        return found.names[0] if len(found.names) == 1 else None


def flatten(
    component: model.Component,
    quantities: Mapping[str, float] | None = None,
    *,
    continuous: bool = False,
) -> Flat:
    """The flat form. `quantities` are what an enclosing network offers to requirements, in SI.

    A time-step program stays one, or becomes regimes if the component is to run in `continuous` time.
    Raises ModelError R101 (a cell of many segments), K1xx (a program, kernel or function that cannot be
    lowered), L150 (a path leads nowhere), L151 (needed but missing), L152 (event loop).
    """
    _refuse_compartments(component)
    root = tree(component)
    nodes = list(walk(root))
    name_all(nodes)
    if component.update is not None or component.kernels or component.functions:
        # languages that write time steps and kernels have no children; their names stay as they are
        root.names = {name: name for name in root.names}
        if continuous:
            return Flat(clocks_to_algebra(raise_program(component)), root)
        return Flat(lower_program(component), root)
    return _Flattening(root, nodes, dict(quantities or {})).run()


def _refuse_compartments(component: model.Component) -> None:
    """A cell of many segments has no flat form."""
    segments = int(component.extras.get(SEGMENTS, "0"))
    if segments > 1:
        raise refuse(
            "R101",
            f"cell '{component.name}' has {segments} segments; only single-compartment cells can be "
            "simulated or compiled",
            component.span,
            hint="the morphology is kept in the canonical form (--to canonical)",
        )


class _Flattening:
    """One run: gathers the parts of the flat component node by node."""

    def __init__(self, root: Node, nodes: list[Node], quantities: dict[str, float]) -> None:
        self.root = root
        self.nodes = nodes
        self.quantities = quantities
        self.inputs: dict[str, model.AnalogInput] = {}
        self.extra: dict[str, model.Parameter] = {}
        self.dimensions: dict[str, Dimension] = {}
        self.routes = self._routes()

    def run(self) -> Flat:
        """Bind requirements, then rewrite every part."""
        for node in self.nodes:
            self._bind_requirements(node)
            for item in declared(node.component):
                self.dimensions[node.names[item.name]] = item.dimension
        root = self.root.component
        flat = model.Component(
            name=root.name,
            type=root.type,
            bases=root.bases,
            description=root.description,
            parameters=(*self._parameters(), *self.extra.values()),
            constants=self._constants(),
            derived_parameters=self._derived_parameters(),
            state_variables=self._states(),
            derived_variables=self._all_derived(),
            odes=self._odes(),
            on_conditions=tuple(c for n in self.nodes for c in self._conditions(n, n.component)),
            on_events=self._events(self.root, root.on_events),
            timed_events=self._timed(),
            machines=tuple(m for n in self.nodes for m in self._machines(n)),
            event_inputs=root.event_inputs,
            event_outputs=root.event_outputs,
            exposures=tuple(
                replace(item, variable=self.root.names.get(item.variable, item.variable))
                for item in root.exposures
            ),
            attachments=root.attachments,
            texts=root.texts,
            extras=root.extras,
            span=root.span,
        )
        flat = replace(flat, analog_inputs=tuple(self.inputs.values()))
        component = levels_to_algebra(_hoist(self._without_missing(flat)))
        return Flat(clocks_to_algebra(component), self.root)

    def _bind_requirements(self, node: Node) -> None:
        for item in node.component.analog_inputs:
            if item.reduce == "peer" or item.name in node.names:
                continue
            if item.reduce:
                flat = (
                    item.name
                    if node is self.root
                    else identifier("_".join((*node.path, item.name)))
                )
                self.inputs[flat] = replace(item, name=flat)
                node.names[item.name] = flat
                continue
            node.names[item.name] = self._provider(node, item)

    def _provider(self, node: Node, item: model.AnalogInput) -> str:
        """The nearest ancestor's quantity of that name, else an input of the flat component."""
        above = node.parent
        while above is not None:
            found = variable(above, item.name)
            if found is not None:
                return found
            above = above.parent
        name = identifier(item.name)
        if item.name in self.quantities:
            value = si_quantity(self.quantities[item.name], item.dimension)
            self.extra[name] = model.Parameter(name=name, dimension=item.dimension, value=value)
        else:
            self.inputs.setdefault(name, replace(item, name=name))
        return name

    def expr(self, node: Node, expr: Expr) -> Expr:
        """`expr` of a node in flat names, selects bound."""
        if isinstance(expr, Name):
            return Name(node.names.get(expr.id, expr.id), expr.span)
        if isinstance(expr, Select):
            return self._select(node, expr)
        return rebuild(expr, lambda part: self.expr(node, part))

    def _select(self, node: Node, select: Select) -> Expr:
        try:
            found = resolve(node, select.path)
        except ValueError as problem:
            message = f"'{select.path}' is not a path: '{problem}' cannot be read"
            raise error("L150", message, select.span) from None
        if found.input:
            reduce = select.reduce or ("add" if found.attachment else "")
            default = 1.0 if reduce == "multiply" else 0.0
            item = model.AnalogInput(
                name=found.input, reduce=reduce, default=default, span=select.span
            )
            self.inputs.setdefault(found.input, item)
            return Name(found.input, select.span)
        parts: list[Expr] = [Name(name, select.span) for name in found.names]
        if select.reduce == "add":
            return add(parts)
        if select.reduce == "multiply" or (not parts and not select.required):
            return multiply(parts)
        if len(parts) == 1:
            return parts[0]
        if parts:
            message = f"'{select.path}' leads to {len(parts)} quantities"
            raise error("L150", message, select.span, hint='say how: reduce="add" or "multiply"')
        return Name(f"?{select.path}", select.span)

    def _parameters(self) -> tuple[model.Parameter, ...]:
        return tuple(
            replace(item, name=node.names[item.name])
            for node in self.nodes
            for item in node.component.parameters
        )

    def _constants(self) -> tuple[model.Constant, ...]:
        return tuple(
            replace(item, name=node.names[item.name])
            for node in self.nodes
            for item in node.component.constants
        )

    def _derived_parameters(self) -> tuple[model.DerivedParameter, ...]:
        return tuple(
            replace(item, name=node.names[item.name], value=self.expr(node, item.value))
            for node in self.nodes
            for item in node.component.derived_parameters
        )

    def _states(self) -> tuple[model.StateVariable, ...]:
        return tuple(
            replace(
                item,
                name=node.names[item.name],
                initial=None if item.initial is None else self.expr(node, item.initial),
            )
            for node in self.nodes
            for item in node.component.state_variables
            if not _is_hidden(node.component, item.name)
        )

    def _all_derived(self) -> tuple[model.DerivedVariable, ...]:
        return tuple(
            self._derived(node, item)
            for node in self.nodes
            for item in node.component.derived_variables
        )

    def _derived(self, node: Node, item: model.DerivedVariable) -> model.DerivedVariable:
        value = self.expr(node, item.value)
        name = node.names[item.name]
        dimension = item.dimension
        if dimension == NONE and isinstance(value, Name):
            dimension = self.dimensions.get(value.id, NONE)
        if isinstance(value, Name) and value.id in self.inputs:
            known = self.inputs[value.id]
            if known.dimension == NONE and dimension != NONE:
                self.inputs[value.id] = replace(known, dimension=dimension)
        self.dimensions[name] = dimension
        return replace(item, name=name, value=value, dimension=dimension)

    def _odes(self) -> tuple[model.Ode, ...]:
        return tuple(self._ode(node, item) for node in self.nodes for item in node.component.odes)

    def _ode(self, node: Node, item: model.Ode) -> model.Ode:
        return replace(item, variable=node.names[item.variable], rhs=self.expr(node, item.rhs))

    def _conditions(
        self, node: Node, holder: model.Component | model.Regime
    ) -> tuple[model.OnCondition, ...]:
        return tuple(
            replace(item, test=self.expr(node, item.test), body=self._body(node, item.body))
            for item in holder.on_conditions
        )

    def _events(self, node: Node, events: tuple[model.OnEvent, ...]) -> tuple[model.OnEvent, ...]:
        return tuple(replace(item, body=self._body(node, item.body)) for item in events)

    def _machines(self, node: Node) -> tuple[model.RegimeMachine, ...]:
        return tuple(
            model.RegimeMachine(
                name=machine_name(node, machine.name),
                regimes=tuple(
                    replace(
                        regime,
                        odes=tuple(self._ode(node, item) for item in regime.odes),
                        derived_variables=tuple(
                            self._derived(node, item) for item in regime.derived_variables
                        ),
                        on_entry=self._body(node, regime.on_entry),
                        on_conditions=self._conditions(node, regime),
                        on_events=self._events(node, regime.on_events),
                    )
                    for regime in machine.regimes
                ),
            )
            for machine in node.component.machines
        )

    def _timed(self) -> tuple[model.TimedEvents, ...]:
        """Timed events with the same consequence become one ascending list of times."""
        merged: dict[tuple[model.Statement, ...], list[float]] = {}
        for node in self.nodes:
            for item in node.component.timed_events:
                merged.setdefault(self._body(node, item.body), []).extend(item.times)
        return tuple(
            model.TimedEvents(times=tuple(sorted(times)), body=body)
            for body, times in merged.items()
        )

    def _body(
        self, node: Node, body: tuple[model.Statement, ...], depth: int = 0
    ) -> tuple[model.Statement, ...]:
        """Statements in flat names; events to relatives are replaced by what they do there."""
        result: list[model.Statement] = []
        for item in body:
            match item:
                case model.Assign():
                    target = node.names.get(item.target, item.target)
                    result.append(replace(item, target=target, value=self.expr(node, item.value)))
                case model.Transition():
                    result.append(replace(item, machine=machine_name(node, item.machine)))
                case model.Emit():
                    result.extend(self._emit(node, item, depth))
                case model.If():
                    branches = tuple(
                        (self.expr(node, test), self._body(node, inner, depth))
                        for test, inner in item.branches
                    )
                    otherwise = self._body(node, item.otherwise, depth)
                    result.append(replace(item, branches=branches, otherwise=otherwise))
                case model.While():
                    inner = self._body(node, item.body, depth)
                    result.append(replace(item, test=self.expr(node, item.test), body=inner))
                case _:
                    result.append(change_statement(item, lambda expr: self.expr(node, expr)))
        return tuple(result)

    def _emit(self, node: Node, item: model.Emit, depth: int) -> Iterator[model.Statement]:
        if depth > MAX_RELAYS:
            message = f"events of port '{item.port}' go round in a circle"
            raise error("L152", message, item.span)
        if node is self.root:
            yield item
        for target, port in self.routes.get((id(node), item.port), ()):
            for handler in target.component.on_events:
                if handler.port == port:
                    yield from self._body(target, handler.body, depth + 1)

    def _routes(self) -> dict[tuple[int, str], list[tuple[Node, str]]]:
        """(sender, port) -> receivers, from the routes that the components declare."""
        table: dict[tuple[int, str], list[tuple[Node, str]]] = {}
        for node in self.nodes:
            for route in node.component.event_routes:
                source, target = relative(node, route.source), relative(node, route.target)
                if source is None or target is None:
                    continue
                outputs = [port.name for port in source.component.event_outputs]
                inputs = [port.name for port in target.component.event_inputs]
                if not outputs or not inputs:
                    continue
                out = route.source_port or outputs[0]
                into = route.target_port or ("in" if "in" in inputs else inputs[0])
                table.setdefault((id(source), out), []).append((target, into))
        return table

    def _without_missing(self, flat: model.Component) -> model.Component:
        """Drop derived variables whose source does not exist; an error if something needs them."""
        missing: dict[str, str] = {}

        def lost(expr: Expr) -> str:
            names = free_names(expr)
            hits = [missing.get(n) or n[1:] for n in sorted(names) if n in missing or n[:1] == "?"]
            return hits[0] if hits else ""

        changed = True
        while changed:
            changed = False
            for item in flat.derived_variables:
                if item.name not in missing and (path := lost(item.value)):
                    missing[item.name] = path
                    changed = True
        used: list[tuple[str, Expr, Span | None]] = [
            (f"d{ode.variable}/dt", ode.rhs, ode.span) for ode in odes(flat)
        ]
        used += [("a condition", item.test, item.span) for item in flat.on_conditions]
        used += [(s.name, s.initial, s.span) for s in flat.state_variables if s.initial is not None]
        used += [(p.name, p.value, p.span) for p in flat.derived_parameters]
        for what, expr, span in used:
            if path := lost(expr):
                message = f"{what} of '{flat.name}' needs '{path}', which does not exist"
                raise error("L151", message, span or flat.span, hint=_children_hint(self.root))
        kept = tuple(item for item in flat.derived_variables if item.name not in missing)
        exposures = tuple(item for item in flat.exposures if item.variable not in missing)
        return replace(flat, derived_variables=kept, exposures=exposures)


def _is_hidden(component: model.Component, state: str) -> bool:
    """A derived variable of the same name hides a state (pinskyRinzelCA3Cell's `Sisat`)."""
    return any(item.name == state for item in component.derived_variables)


def _children_hint(root: Node) -> str:
    names = [child.child.id for child in root.children if child.child]
    return f"'{root.component.name}' has the children {', '.join(names)}" if names else ""


def _hoist(flat: model.Component) -> model.Component:
    """Derived variables of constants become derived parameters: computed once, not every step."""
    static = {item.name for item in statics(flat)}
    hoisted: list[model.DerivedParameter] = []
    rest = list(flat.derived_variables)
    assigned = _assigned(flat)
    changed = True
    while changed:
        changed = False
        for item in tuple(rest):
            if free_names(item.value) <= static and not is_random(item.value):
                rest.remove(item)
                static.add(item.name)
                hoisted.append(
                    model.DerivedParameter(
                        name=item.name,
                        dimension=item.dimension,
                        value=item.value,
                        description=item.description,
                        span=item.span,
                    )
                )
                changed = True
    if assigned & static:
        name = min(assigned & static)
        hint = suggest(name, [state.name for state in flat.state_variables])
        raise error("L132", f"'{name}' of '{flat.name}' is assigned but is constant", flat.span,
                    hint=hint)  # fmt: skip
    return replace(
        flat,
        derived_parameters=(*flat.derived_parameters, *hoisted),
        derived_variables=tuple(rest),
    )


def _assigned(flat: model.Component) -> set[str]:
    """Targets of assignments at the top level of every body."""
    return {s.target for body in bodies(flat) for s in body if isinstance(s, model.Assign)}
