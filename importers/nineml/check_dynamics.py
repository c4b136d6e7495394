"""The rules that a dynamics class must keep: names, ports, regimes, dimensions of every equation.

Codes: X110 names that clash, X111 undeclared name, X112 unused parameter, X113 alias circle, X114 no
such regime, X115 regimes that nothing joins, X116 no state variable, X117 port without its quantity, X118
unused or undeclared port, X119 done twice, X120 unknown dimension, X121 misplaced random; U2xx dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...canonical_model import units
from ...canonical_model.diagnostics import Level, Log, Span, suggest
from ...canonical_model.dimensions import infer, problems
from ...canonical_model.expr import (
    TIME,
    Binary,
    Expr,
    Number,
    free_names,
    is_boolean,
    is_random,
    place_of,
    reads,
    walk,
)
from ...canonical_model.fixed import fixed_value
from ...canonical_model.scope import find_cycle
from ...canonical_model.units import NONE, Dimension
from .syntax import Assignment, Declared, Document, Dynamics, Regime, Transition

PI = "pi"
_NO_NAMES = {
    **dict.fromkeys(
        ("true", "false"), "NineML has no truth values in expressions; compare numbers"
    ),
    **dict.fromkeys(("nan", "inf", "infinity"), "numbers are finite in NineML"),
}


@dataclass(slots=True)
class Checked:
    """A class that keeps the rules, with what was found out on the way.

    `names` maps every quantity to its dimension; those of regimes in `regime_names`. `parameters`
    and `event_ports` include what the class uses without declaring where that is allowed.
    """

    dynamics: Dynamics
    document: Document
    names: dict[str, Dimension] = field(default_factory=dict)
    regime_names: dict[str, dict[str, Dimension]] = field(default_factory=dict)
    parameters: dict[str, Dimension] = field(default_factory=dict)
    event_inputs: list[str] = field(default_factory=list)
    event_outputs: list[str] = field(default_factory=list)


def check_dynamics(dynamics: Dynamics, document: Document, log: Log) -> Checked:
    """Check one class; mistakes go to `log`."""
    check = _Check(dynamics, document, log)
    check.run()
    return check.result


class _Check:
    def __init__(self, dynamics: Dynamics, document: Document, log: Log) -> None:
        self.dynamics, self.document, self.log = dynamics, document, log
        self.result = Checked(dynamics, document)
        self.constants = {item.name for item in dynamics.constants}

    def report(self, code: str, message: str, span: Span | None, hint: str = "") -> None:
        """An error about this class."""
        text = f"{message} in '{self.dynamics.name}'"
        self.log.add(code, Level.ERROR, text, span, hint=hint)

    def run(self) -> None:
        """All rules."""
        self.symbols()
        self.declared()
        self.infer_parameters()
        if self.circles():
            return
        self.aliases()
        self.regimes()
        self.expressions()
        self.unused()
        self.send_ports()
        self.event_ports()

    def symbols(self) -> None:
        """Names of one class differ by more than upper and lower case."""
        dynamics = self.dynamics
        named: list[tuple[str, str, Span]] = [
            *(("parameter", p.name, p.span) for p in dynamics.parameters),
            *(("constant", c.name, c.span) for c in dynamics.constants),
            *(("alias", a.name, a.span) for a in dynamics.aliases),
            *(("state variable", s.name, s.span) for s in dynamics.states),
            *(("port", p.name, p.span) for p in dynamics.analog_ports if p.kind != "send"),
            *(("event port", p.name, p.span) for p in dynamics.event_ports if p.kind != "send"),
        ]
        self.different(named)
        sends = [("port", p.name, p.span) for p in dynamics.analog_ports if p.kind == "send"]
        self.different(sends)
        outs = [("event port", p.name, p.span) for p in dynamics.event_ports if p.kind == "send"]
        self.different(outs)
        self.different([("regime", r.name, r.span) for r in dynamics.regimes], exact=True)
        for regime in dynamics.regimes:
            self.different([("alias", a.name, a.span) for a in regime.aliases])

    def different(self, named: Iterable[tuple[str, str, Span]], exact: bool = False) -> None:
        """X110 for a name that comes again."""
        seen: dict[str, tuple[str, str, Span]] = {}
        for kind, name, span in named:
            key = name if exact else name.lower()
            if key in seen:
                other, first, place = seen[key]
                same = "" if name == first else ", which differs only in case"
                message = f"the {kind} '{name}' clashes with the {other} '{first}'{same}"
                self.report("X110", message, span, f"'{first}' stands in line {place.line}")
            else:
                seen[key] = (kind, name, span)

    def dimension(self, item: Declared) -> Dimension:
        """The dimension that a declaration names."""
        found = self.document.dimensions.get(item.dimension)
        if found is None:
            message = f"the dimension '{item.dimension}' of '{item.name}' is not defined"
            self.report("X120", message, item.span,
                        suggest(item.dimension, self.document.dimensions))  # fmt: skip
        return found or NONE

    def declared(self) -> None:
        """Everything with a declared dimension."""
        dynamics, names = self.dynamics, self.result.names
        for item in dynamics.parameters:
            self.result.parameters[item.name] = self.dimension(item)
        names.update(self.result.parameters)
        for item in (*dynamics.states, *(p for p in dynamics.analog_ports if p.kind != "send")):
            names[item.name] = self.dimension(item)
        for constant in dynamics.constants:
            unit = self.document.units.get(constant.units)
            if unit is None:
                message = f"the unit '{constant.units}' is not defined"
                hint = suggest(constant.units, self.document.units)
                self.report("X042", message, constant.units_span, hint)
            names[constant.name] = unit.dimension if unit else NONE

    def infer_parameters(self) -> None:
        """A class that declares no parameter at all may use dimensionless ones."""
        if self.dynamics.parameters:
            return
        known = {*self.result.names, TIME, PI, *(a.name for a in self.dynamics.aliases)}
        for _, expr, _ in self.every():
            inner = {a.name for r in self.dynamics.regimes for a in r.aliases}
            for name in sorted(free_names(expr) - known - inner):
                known.add(name)
                span = place_of(name, expr)
                message = (
                    f"'{self.dynamics.name}' declares no parameters; '{name}' is taken as a "
                    "dimensionless one"
                )
                self.log.add("X122", Level.WARNING, message, span)
                self.result.parameters[name] = self.result.names[name] = NONE

    def every(self) -> Iterable[tuple[str, Expr, Span]]:
        """Every expression with what it is."""
        for item in self.dynamics.aliases:
            yield f"the alias '{item.name}'", item.value, item.span
        for regime in self.dynamics.regimes:
            for item in regime.aliases:
                yield f"the alias '{item.name}'", item.value, item.span
            for item in regime.derivatives:
                yield f"d{item.name}/dt", item.value, item.span
            for transition in (*regime.on_conditions, *regime.on_events):
                if transition.trigger is not None:
                    yield "a trigger", transition.trigger, transition.span
                for item in transition.assignments:
                    yield f"'{item.name}'", item.value, item.span

    def circles(self) -> bool:
        """Aliases that need each other, also through those of a regime."""
        base = {a.name: a for a in self.dynamics.aliases}
        for regime in (None, *self.dynamics.regimes):
            own = base | ({a.name: a for a in regime.aliases} if regime else {})
            circle = find_cycle({name: free_names(item.value) for name, item in own.items()})
            if circle:
                shown = " -> ".join([*circle, circle[0]])
                span = min((own[n].span for n in circle), key=lambda s: (s.line, s.column))
                self.report("X113", f"aliases need each other: {shown}", span)
                return True
        return False

    def aliases(self) -> None:
        """Dimensions of aliases follow from what they say."""
        base = {a.name: a for a in self.dynamics.aliases}
        self.result.names.update(self.inferred(base, self.result.names))
        for regime in self.dynamics.regimes:
            own = base | {a.name: a for a in regime.aliases}
            declared = {n: d for n, d in self.result.names.items() if n not in own}
            self.result.regime_names[regime.name] = declared | self.inferred(own, declared)

    def inferred(
        self, aliases: Mapping[str, Assignment], names: Mapping[str, Dimension]
    ) -> dict[str, Dimension]:
        """The dimensions of aliases in order of dependence; NONE where there is a mistake."""
        found: dict[str, Dimension] = {}
        rest = dict(aliases)
        while rest:
            ready = [n for n, a in rest.items() if not free_names(a.value) & rest.keys()]
            for name in ready:
                known = {PI: NONE} | dict(names) | found
                found[name] = infer(rest.pop(name).value, known.get) or NONE
        return found

    def regimes(self) -> None:
        """At least one, joined by transitions, with one derivative each and existing targets."""
        dynamics = self.dynamics
        if not dynamics.regimes:
            self.report("X114", "there is no regime", dynamics.span, "one without content will do")
            return
        names = [regime.name for regime in dynamics.regimes]
        joined = {name: {name} for name in names}
        for regime in dynamics.regimes:
            for transition in (*regime.on_conditions, *regime.on_events):
                target = transition.target or regime.name
                if target not in joined:
                    message = f"a transition leads to the regime '{target}', which does not exist"
                    hint = suggest(target, names) or f"regimes: {', '.join(names)}"
                    self.report("X114", message, transition.target_span, hint)
                    continue
                joined[regime.name].add(target)
                joined[target].add(regime.name)
            self.once_each(regime)
        reached, waiting = {names[0]}, [names[0]]
        while waiting:
            new = joined[waiting.pop()] - reached
            reached |= new
            waiting.extend(new)
        for regime in dynamics.regimes:
            if regime.name not in reached:
                message = f"no transition joins the regime '{regime.name}' with '{names[0]}'"
                self.report("X115", message, regime.span)

    def once_each(self, regime: Regime) -> None:
        """One derivative a variable, one assignment a variable, one handler a port, one a trigger."""
        where = f"in the regime '{regime.name}'"
        self.once((d.name, d.span) for d in regime.derivatives)
        seen: set[object] = set()
        for transition in (*regime.on_conditions, *regime.on_events):
            key = transition.trigger or transition.port
            if key in seen:
                what = "the same trigger" if transition.trigger else f"the port '{key}'"
                self.report("X119", f"two transitions on {what} {where}", transition.span)
            seen.add(key)
            self.once((a.name, a.span) for a in transition.assignments)

    def once(self, items: Iterable[tuple[str, Span]]) -> None:
        """X116 for what is no state variable, X119 for a variable that comes again."""
        states = {state.name for state in self.dynamics.states}
        seen: set[str] = set()
        for name, span in items:
            if name not in states:
                self.report(
                    "X116", f"'{name}' is not a state variable", span, suggest(name, states)
                )
            elif name in seen:
                self.report("X119", f"'{name}' is given twice", span)
            seen.add(name)

    def expressions(self) -> None:
        """Names and dimensions of every equation."""
        names = self.result.names
        for alias in self.dynamics.aliases:
            self.expr(alias.value, names, None, f"the alias '{alias.name}'", alias.span)
        for regime in self.dynamics.regimes:
            inner = self.result.regime_names[regime.name]
            for alias in regime.aliases:
                self.expr(alias.value, inner, None, f"the alias '{alias.name}'", alias.span)
            moving = {TIME, *(ode.name for ode in regime.derivatives)}
            for ode in regime.derivatives:
                rate = names.get(ode.name, NONE) / units.TIME
                self.expr(ode.value, inner, rate, f"d{ode.name}/dt", ode.span)
            for transition in (*regime.on_conditions, *regime.on_events):
                self.transition(transition, inner, moving)

    def equalities(self, trigger: Expr, moving: set[str], span: Span) -> None:
        """X124 for an equality of what moves: it holds at single points, and is never seen."""
        aliases = {item.name: item.value for item in self.dynamics.aliases}
        for node in walk(trigger):
            if (
                isinstance(node, Binary)
                and node.op in ("==", "!=")
                and reads(node, aliases) & moving
            ):
                message = (
                    f"a trigger of '{self.dynamics.name}' tests whether moving quantities are equal, "
                    "which they are at single points at most: it may never act"
                )
                hint = "compare with '<' or '>'"
                self.log.add("X124", Level.WARNING, message, node.span or span, hint=hint)

    def transition(
        self, transition: Transition, names: Mapping[str, Dimension], moving: set[str]
    ) -> None:
        """Trigger and assignments; `moving` is what changes all the time."""
        trigger = transition.trigger
        if trigger is not None:
            self.expr(trigger, names, NONE, "a trigger", transition.span)
            self.equalities(trigger, moving, transition.span)
            if not is_boolean(trigger):
                hint = "compare it: 'v > threshold'"
                self.report(
                    "X123", "a trigger is a number, not true or false", transition.span, hint
                )
        for item in transition.assignments:
            expected = self.result.names.get(item.name)
            self.expr(item.value, names, expected, f"'{item.name}'", item.span, random=True)

    def expr(
        self,
        expr: Expr,
        names: Mapping[str, Dimension],
        expected: Dimension | None,
        what: str,
        span: Span,
        random: bool = False,
    ) -> None:
        """One expression: names known, dimensions equal, draws only where a value is assigned."""
        known = {PI: NONE} | dict(names)
        for name in sorted(free_names(expr) - known.keys() - {TIME}):
            message = f"{what} uses '{name}', which is not declared,"
            hint = _NO_NAMES.get(name.lower()) or suggest(name, names)
            self.report("X111", message, place_of(name, expr) or span, hint)
        for node in walk(expr):
            if isinstance(node, Binary) and node.op == "/" and fixed_value(node.right, {}) == 0:
                message = f"{what} divides by zero"
                self.report("X125", message, node.span or span, "no number stands for infinity")
        if is_random(expr) and not random:
            message = f"{what} draws random numbers, which only state assignments may"
            self.report("X121", message, span)
        if isinstance(expr, Number) and expr.value == 0 and expected not in (None, NONE):
            hint = "zero needs a dimension as well: declare a Constant"
        else:
            hint = ""
        for issue in problems(expr, known.get, expected):
            message = f"{what}: {issue.message} in '{self.dynamics.name}'"
            found = replace(
                issue, message=message, span=issue.span or span, hint=issue.hint or hint
            )
            self.log.add(found.code, found.level, found.message, found.span, found.text, found.hint)

    def unused(self) -> None:
        """Every declared parameter is used somewhere."""
        used = {name for _, expr, _ in self.every() for name in free_names(expr)}
        for item in self.dynamics.parameters:
            if item.name not in used:
                message = f"the parameter '{item.name}' is not used"
                self.report("X112", message, item.span, "remove it from the class")

    def send_ports(self) -> None:
        """An analog send port shows a state variable or alias of its dimension."""
        shown = {*(s.name for s in self.dynamics.states), *(a.name for a in self.dynamics.aliases)}
        for regime in self.dynamics.regimes:
            shown |= {alias.name for alias in regime.aliases}
        for port in self.dynamics.analog_ports:
            if port.kind != "send":
                continue
            dimension = self.dimension(port)
            if port.name not in shown:
                message = f"the send port '{port.name}' has no state variable or alias of its name"
                self.report("X117", message, port.span, suggest(port.name, shown))
            elif self.result.names.get(port.name, dimension) != dimension:
                has = units.dimension_name(self.result.names[port.name])
                message = f"the send port '{port.name}' is {units.dimension_name(dimension)}, "
                self.report("X117", f"{message}its quantity is {has}", port.span)

    def event_ports(self) -> None:
        """Declared ports are used; undeclared ones are inferred where none of the kind is declared."""
        regimes = self.dynamics.regimes
        heard = {e.port: e.span for r in regimes for e in r.on_events}
        transitions = [t for r in regimes for t in (*r.on_conditions, *r.on_events)]
        sent = {port: span for t in transitions for port, span in t.outputs}
        for kind, used, target in (
            ("receive", heard, self.result.event_inputs),
            ("send", sent, self.result.event_outputs),
        ):
            declared = {p.name: p.span for p in self.dynamics.event_ports if p.kind == kind}
            target.extend(declared or used)
            for name, span in used.items() if declared else ():
                if name not in declared:
                    message = f"there is no event {kind} port '{name}'"
                    self.report("X118", message, span, suggest(name, declared))
            for name, span in declared.items():
                if name not in used:
                    self.report("X118", f"the event port '{name}' is not used", span)
