"""Make neurons and synapses that belong together: what a neuron can keep for its synapses moves into it.

The names are those that NESTML gives: the neuron `n__with_s`, the synapse `s__with_n`, what moves
`x__for_s`. The neuron advances what it has taken over at the start of every step, and changes it right
after it has sent a spike. The synapse reads it, and other quantities of the neuron, as analog inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .. import model
from ..diagnostics import Level, Log, ModelError
from ..expr import ONE, Expr, Name, free_names, rename, substitute
from ..model import Component, Model
from ..pairing import Partner
from ..query import statics
from .change import (
    Rewrite,
    all_expressions,
    change_bodies,
    change_expressions,
    change_statement,
    rewrite,
)
from .flatten import flatten
from .inline import inline_functions
from .kernels import lower_kernels
from .movable import Uses, movable, written_out
from .partners import HOST, MOVED, NEURON, POST, delay_of, moved_states, weight_of, with_roles

AFTER = "__after"  # an input with the value that follows the neuron's own spike


def cogenerate(model_: Model, log: Log) -> Model:
    """The model with paired components in place of pairings; the synapses' originals are left out.

    Raises ModelError K1xx for what cannot be lowered.
    """
    components = {item.name: item for item in model_.components}
    made: list[Component] = []
    for pairing in model_.pairings:
        partners = [(components[p.synapse], p) for p in pairing.synapses]
        if not pairing.neuron:
            for synapse, partner in partners:
                components[synapse.name] = with_roles(synapse, partner)
            continue
        neuron, synapses = paired(components[pairing.neuron], partners, log)
        made += [neuron, *synapses]
    left_out = {p.synapse for item in model_.pairings if item.neuron for p in item.synapses}
    kept = [item for name, item in components.items() if name not in left_out]
    return replace(model_, components=(*kept, *made), pairings=())


def paired(
    neuron: Component, partners: Iterable[tuple[Component, Partner]], log: Log
) -> tuple[Component, list[Component]]:
    """The neuron with what it keeps for these synapses, and the synapses without it."""
    pairs = list(partners)
    name = f"{neuron.name}__with_{'_and_'.join(synapse.name for synapse, _ in pairs)}"
    other = neuron.name if len(pairs) == 1 else name
    host = flatten(neuron).component if neuron.children else neuron
    host = replace(_named_integrations(host), name=name)
    synapses = []
    for synapse, partner in pairs:
        move = _move(prepared(synapse, partner), partner)
        host = move.into(host)
        synapses.append(move.rest(f"{synapse.name}__with_{other}", name))
        what = ", ".join(new for old, new in move.names().items() if old in move.states)
        fixed = ", ".join(new for old, new in move.names().items() if old not in move.states)
        message = f"'{name}' keeps for '{synapse.name}': {what or 'nothing'}"
        message += f" (and its {fixed})" if fixed else ""
        log.add("K130", Level.NOTE, message, synapse.span)
    return host, synapses


def prepared(synapse: Component, partner: Partner) -> Component:
    """With roles, and without kernels and functions where these can be written out."""
    synapse = with_roles(synapse, partner)
    try:
        synapse = inline_functions(synapse)
    except ModelError as problem:
        if not problem.refused:
            raise
    return lower_kernels(synapse, show=True)


def _named_integrations(neuron: Component) -> Component:
    """`Integrate` with the neuron's own equations by name, so that those which join them stay apart."""
    if neuron.update is None:
        return neuron
    own = tuple(ode.variable for ode in neuron.odes)

    def named(item: model.Statement) -> tuple[model.Statement, ...]:
        if isinstance(item, model.Integrate) and not item.variables:
            return (replace(item, variables=own),) if own else ()
        return (item,)

    return change_bodies(neuron, lambda body: rewrite(body, named))


def _move(synapse: Component, partner: Partner) -> _Move:
    uses = Uses(synapse, frozenset(partner.reads))
    states = movable(uses, {*partner.keep, weight_of(synapse), delay_of(synapse)})
    return _Move(synapse, partner, uses, states)


@dataclass(frozen=True, slots=True)
class _Move:
    """One synapse, prepared, on its way to one neuron."""

    synapse: Component
    partner: Partner
    uses: Uses
    states: frozenset[str]

    @property
    def suffix(self) -> str:
        """What the names of what moved end with."""
        return f"__for_{self.synapse.name}"

    def new_name(self, name: str) -> str:
        """`x__for_s`; both parts of a convolution bear the suffix."""
        for port in self.synapse.event_inputs:
            kernel, mark, rest = name.partition(f"__X__{port.name}")
            if mark and (not rest or rest.startswith("__")):
                return f"{kernel}{self.suffix}{mark}{self.suffix}{rest}"
        return f"{name}{self.suffix}"

    def names(self) -> dict[str, str]:
        """Old name -> new name of states that move and of the fixed values that they depend on."""
        wanted = set(self.states)
        used: set[str] = set()
        for ode in self.synapse.odes:
            if ode.variable in wanted:
                used |= self.uses.needs(ode.rhs)
        for item in self._statements():
            used |= self.uses.needs(item.value)
        for state in self.synapse.state_variables:
            if state.name in wanted and state.initial is not None:
                used |= self.uses.needs(state.initial)
        fixed = {item.name: item for item in statics(self.synapse)}
        waiting = [name for name in used if name in fixed]
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                found = fixed[name]
                if isinstance(found, model.DerivedParameter):
                    waiting += [n for n in free_names(found.value) if n in fixed]
        return {name: self.new_name(name) for name in sorted(wanted)}

    def _statements(self) -> list[model.Assign]:
        """What the neuron's spike does to what moves."""
        moved = self.states
        return [
            item
            for item in self.uses.post
            if isinstance(item, model.Assign) and item.target in moved
        ]

    def into(self, host: Component) -> Component:
        """The neuron with all that moves."""
        names, moved = self.names(), self.states
        own = {name: Name(new) for name, new in names.items()}
        own |= {port: Name(quantity) for port, quantity in self.partner.reads.items()}

        def changed(expr: Expr) -> Expr:
            return substitute(self.uses.expanded(expr), own)

        def chosen(items: tuple[model.Parameter, ...]) -> tuple[model.Parameter, ...]:
            return tuple(replace(i, name=names[i.name]) for i in items if i.name in names)

        synapse = self.synapse
        states = tuple(
            replace(
                item,
                name=names[item.name],
                initial=None if item.initial is None else changed(item.initial),
            )
            for item in synapse.state_variables
            if item.name in moved
        )
        odes = tuple(
            replace(ode, variable=names[ode.variable], rhs=changed(ode.rhs))
            for ode in synapse.odes
            if ode.variable in moved
        )
        host = _extended(
            self._with_spikes(host),
            odes,
            {MOVED: " ".join([*moved_states(host), *(s.name for s in states)])}
            | self._marks(names),
        )
        return replace(
            host,
            parameters=(*host.parameters, *chosen(synapse.parameters)),
            constants=(
                *host.constants,
                *(replace(c, name=names[c.name]) for c in synapse.constants if c.name in names),
            ),
            derived_parameters=(
                *host.derived_parameters,
                *(
                    replace(d, name=names[d.name], value=rename(d.value, names))
                    for d in synapse.derived_parameters
                    if d.name in names
                ),
            ),
            state_variables=(*host.state_variables, *states),
            checks=(*host.checks, *self._checks(names, wanted=True)),
            exposures=(
                *host.exposures,
                *(
                    model.Exposure(name=s.name, variable=s.name, dimension=s.dimension)
                    for s in states
                ),
            ),
        )

    def _checks(self, names: Mapping[str, str], wanted: bool) -> tuple[model.Check, ...]:
        """Checks of what the neuron has now, or the others."""
        found = []
        for item in self.synapse.checks:
            is_moved = bool(free_names(item.test)) and free_names(item.test) <= names.keys()
            if wanted and is_moved:
                found.append(replace(item, test=rename(item.test, names)))
            elif not wanted and not free_names(item.test) & self.states:
                found.append(item)
        return tuple(found)

    def _marks(self, names: Mapping[str, str]) -> dict[str, str]:
        """Units as written, and which parameters can be set in spite of their computed default."""
        return {
            f"{kind}:{names[name]}": text
            for key, text in self.synapse.extras.items()
            for kind, _, name in [key.partition(":")]
            if kind in ("unit", "parameter") and name in names
        }

    def _with_spikes(self, host: Component) -> Component:
        """The neuron that changes what it keeps whenever it sends a spike."""
        names = self.names()
        values = {payload: ONE for payload in self.uses.payloads}
        own = {name: Name(new) for name, new in names.items()}
        own |= {port: Name(quantity) for port, quantity in self.partner.reads.items()}
        after = tuple(
            replace(
                item,
                target=names[item.target],
                value=substitute(substitute(self.uses.expanded(item.value), values), own),
            )
            for item in self._statements()
        )
        if not after:
            return host
        ports = [port.name for port in host.event_outputs]
        output = "spike" if "spike" in ports or not ports else ports[0]

        def sending(item: model.Statement) -> tuple[model.Statement, ...]:
            if isinstance(item, model.Emit) and item.port == output:
                return (item, *after)
            return (item,)

        return change_bodies(host, lambda body: rewrite(body, sending))

    def rest(self, name: str, neuron: str) -> Component:
        """The synapse without what moved, which it reads instead."""
        synapse, moved = self.synapse, self.states
        names = {old: new for old, new in self.names().items() if old in moved}
        synapse = self._after_spikes(synapse, names)
        synapse = replace(
            synapse,
            name=name,
            state_variables=tuple(s for s in synapse.state_variables if s.name not in moved),
            odes=tuple(ode for ode in synapse.odes if ode.variable not in moved),
            traces=tuple(item for item in synapse.traces if item not in moved),
            checks=self._checks(self.names(), wanted=False),
            exposures=tuple(e for e in synapse.exposures if e.variable not in moved),
        )
        synapse = change_bodies(synapse, lambda body: rewrite(body, _without(moved)))
        synapse = change_expressions(synapse, lambda expr: rename(expr, names))
        return self._inputs(_without_unused(synapse, self.names()), names, neuron)

    def _after_spikes(self, synapse: Component, names: Mapping[str, str]) -> Component:
        """Statements that follow a change at the neuron's spike read the value that it left."""
        ports = {item.name for item in synapse.event_inputs if item.role == POST}
        order = sorted(
            (item for item in synapse.on_events if item.port in ports),
            key=lambda item: -item.priority,
        )
        changed: dict[int, tuple[model.Statement, ...]] = {}
        done: dict[str, str] = {}
        for handler in order:
            body: list[model.Statement] = []
            for item in handler.body:
                if isinstance(item, model.Assign) and item.target in names:
                    done[item.target] = f"{names[item.target]}{AFTER}"
                    continue
                body.append(self._reading(item, done))
            changed[id(handler)] = tuple(body)
        return replace(
            synapse,
            on_events=tuple(
                replace(item, body=changed[id(item)]) if id(item) in changed else item
                for item in synapse.on_events
            ),
        )

    def _reading(self, item: model.Statement, names: Mapping[str, str]) -> model.Statement:
        """The statement with other names for what it reads, through derived variables too."""

        def changed(expr: Expr) -> Expr:
            full = written_out(self.synapse, expr)
            return rename(full, names) if free_names(full) & names.keys() else expr

        return change_statement(item, changed)

    def _inputs(self, synapse: Component, names: Mapping[str, str], neuron: str) -> Component:
        """Inputs for what is read of the neuron."""
        used = _used(synapse)
        dimensions = {s.name: s.dimension for s in self.synapse.state_variables}
        extras = dict(synapse.extras)
        inputs = []
        for item in synapse.analog_inputs:
            if item.name in self.partner.reads:
                extras[f"{HOST}{item.name}"] = self.partner.reads[item.name]
                item = replace(item, reduce="")
            inputs.append(item)
        for old, new in names.items():
            for label, mark in ((new, ""), (f"{new}{AFTER}", " after")):
                if label in used:
                    inputs.append(model.AnalogInput(name=label, dimension=dimensions[old]))
                    extras[f"{HOST}{label}"] = f"{new}{mark}"
        extras[NEURON] = neuron
        return replace(synapse, analog_inputs=tuple(inputs), extras=extras)


def _extended(host: Component, odes: tuple[model.Ode, ...], extras: Mapping[str, str]) -> Component:
    """The neuron with more equations; a program integrates them first of all, in every step."""
    update = host.update
    if update is not None and odes:
        first = model.Integrate(variables=tuple(ode.variable for ode in odes))
        kept = set(moved_states(host))
        if update and isinstance(update[0], model.Integrate) and {*update[0].variables} <= kept:
            first = replace(first, variables=(*update[0].variables, *first.variables))
            update = update[1:]
        update = (first, *update)
    return replace(host, odes=(*host.odes, *odes), update=update, extras={**host.extras, **extras})


def _without(moved: frozenset[str]) -> Rewrite:
    """Integrations leave out what moved."""

    def change(item: model.Statement) -> tuple[model.Statement, ...]:
        if isinstance(item, model.Integrate) and item.variables:
            rest = tuple(name for name in item.variables if name not in moved)
            return (replace(item, variables=rest),) if rest else ()
        return (item,)

    return change


def _used(component: Component) -> set[str]:
    """All names that any expression reads."""
    found: set[str] = set()
    for expr in all_expressions(component):
        found |= free_names(expr)
    return found


def _without_unused(synapse: Component, names: Mapping[str, str]) -> Component:
    """Fixed values that only the neuron needs now are no longer the synapse's."""
    while True:
        used = _used(synapse)
        gone = {item.name for item in statics(synapse) if item.name in names} - used
        gone -= {weight_of(synapse), delay_of(synapse)}
        if not gone:
            return synapse
        synapse = replace(
            synapse,
            parameters=tuple(p for p in synapse.parameters if p.name not in gone),
            constants=tuple(c for c in synapse.constants if c.name not in gone),
            derived_parameters=tuple(d for d in synapse.derived_parameters if d.name not in gone),
            checks=tuple(c for c in synapse.checks if not free_names(c.test) <= gone),
        )
