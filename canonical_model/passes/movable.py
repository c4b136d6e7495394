"""Which states of a synapse its target neuron can keep for all synapses of the kind.

A state moves if nothing but the neuron decides about it: its equation and its changes read fixed values,
other moving states and quantities of the neuron only, and it changes at the neuron's spikes only. A state
that the synapse needs between events, or halfway through a handler, stays there, which is always right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .. import model
from ..expr import FUNCTIONS, Call, Expr, free_names, is_random, substitute, walk
from ..query import bodies, expressions, nested, statics
from .partners import POST

# what means another time in the neuron than between the events of a synapse
TIMED = frozenset({"timestep", "arrived", "delayed", "convolve"})


@dataclass(frozen=True, slots=True)
class Uses:
    """A synapse without functions and kernels, seen from the side of its target."""

    synapse: model.Component
    reads: frozenset[str]  # analog inputs that are quantities of the neuron

    @property
    def post(self) -> tuple[model.Statement, ...]:
        """What a spike of the neuron does, in order."""
        return post_body(self.synapse)

    @property
    def payloads(self) -> frozenset[str]:
        """What the neuron's spikes carry."""
        ports = [item for item in self.synapse.event_inputs if item.role == POST]
        return frozenset(name for item in ports for name in item.payload)

    def needs(self, expr: Expr) -> frozenset[str]:
        """The names that a value depends on, derived variables followed to what they are made of."""
        return frozenset(free_names(self.expanded(expr)))

    def expanded(self, expr: Expr) -> Expr:
        """The expression with derived variables written out."""
        return written_out(self.synapse, expr)


def post_body(synapse: model.Component) -> tuple[model.Statement, ...]:
    """The handlers of the target's spikes as one, larger priorities first."""
    ports = {item.name for item in synapse.event_inputs if item.role == POST}
    handlers = [item for item in synapse.on_events if item.port in ports]
    handlers.sort(key=lambda item: -item.priority)
    return tuple(statement for item in handlers for statement in item.body)


def written_out(component: model.Component, expr: Expr) -> Expr:
    """The expression with the component's derived variables replaced by what they are made of."""
    values = {item.name: item.value for item in component.derived_variables}
    for _ in values:
        if not free_names(expr) & values.keys():
            break
        expr = substitute(expr, values)
    return expr


def movable(uses: Uses, keep: Iterable[str]) -> frozenset[str]:
    """The names of the states that move; `keep` never do, nor what depends on fixed values among them."""
    synapse, keep = uses.synapse, set(keep)
    changed = _changed_elsewhere(synapse) | _changed_within(uses.post) | keep
    found = {item.name for item in synapse.state_variables} - changed
    found = {name for name in found if _is_read_clearly(uses, name)}
    allowed = {item.name for item in statics(synapse)} - _depending(synapse, keep) | uses.reads
    again = True
    while again:
        again = False
        for name in sorted(found):
            values = list(_values_of(uses, name))
            initial = [s.initial for s in synapse.state_variables if s.name == name and s.initial]
            is_free = all(_is_plain(value) for value in values) and all(
                uses.needs(v) <= allowed | found | uses.payloads for v in values
            )
            is_fixed = all(
                uses.needs(v) <= allowed - uses.reads | found and _is_plain(v) for v in initial
            )
            if not (is_free and is_fixed):
                found.discard(name)
                again = True
        left = found & _needed_between_events(uses, found)
        found -= left
        again = again or bool(left)
    return _reached(uses, found)


def _depending(synapse: model.Component, names: set[str]) -> set[str]:
    """Fixed values among `names`, and those computed from them."""
    found = set(names)
    for _ in synapse.derived_parameters:
        found |= {d.name for d in synapse.derived_parameters if free_names(d.value) & found}
    return found


def _values_of(uses: Uses, name: str) -> Iterator[Expr]:
    """What decides about a state: its rate and what is assigned to it at the neuron's spikes."""
    for ode in uses.synapse.odes:
        if ode.variable == name:
            yield uses.expanded(ode.rhs)
    for item in uses.post:
        if isinstance(item, model.Assign) and item.target == name:
            yield uses.expanded(item.value)


def _is_plain(expr: Expr) -> bool:
    """No chance, no own functions, nothing that depends on the length of a step."""
    if is_random(expr):
        return False
    called = {node.function for node in walk(expr) if isinstance(node, Call)}
    return not called & TIMED and called <= FUNCTIONS.keys()


def _changed_elsewhere(synapse: model.Component) -> set[str]:
    """States that the program, or handlers of other events, assign to."""
    ports = {item.name for item in synapse.event_inputs if item.role == POST}
    heard = {id(item.body) for item in synapse.on_events if item.port in ports}
    return {
        item.target
        for body in bodies(synapse)
        if id(body) not in heard
        for item in nested(body)
        if isinstance(item, model.Assign)
    }


def _changed_within(body: tuple[model.Statement, ...]) -> set[str]:
    """States that are assigned to inside of other statements."""
    top = {id(item) for item in body}
    return {
        item.target
        for item in nested(body)
        if isinstance(item, model.Assign) and id(item) not in top
    }


def _is_read_clearly(uses: Uses, name: str) -> bool:
    """True if every other statement at a spike reads the state before or after all its changes."""
    body = uses.post
    places = [
        k for k, item in enumerate(body) if isinstance(item, model.Assign) and item.target == name
    ]
    return not any(
        places[0] < k < places[-1] and name in reads_of(uses, item)
        for k, item in enumerate(body)
        if len(places) > 1 and k not in places
    )


def reads_of(uses: Uses, statement: model.Statement) -> set[str]:
    """The names that a statement and those inside it depend on."""
    found: set[str] = set()
    for item in nested((statement,)):
        for expr in expressions(item):
            found |= uses.needs(expr)
    return found


def _needed_between_events(uses: Uses, found: set[str]) -> set[str]:
    """What the synapse's own equations and program, or a modulator's events, depend on."""
    synapse = uses.synapse
    needed: set[str] = set()
    for ode in synapse.odes:
        if ode.variable not in found:
            needed |= uses.needs(ode.rhs) - {ode.variable}
    modulators = {item.name for item in synapse.event_inputs if item.role not in ("pre", POST)}
    others = [item.body for item in synapse.on_events if item.port in modulators]
    for body in (synapse.update or (), *others):
        for statement in body:
            needed |= reads_of(uses, statement)
    return needed


def _reached(uses: Uses, found: set[str]) -> frozenset[str]:
    """Those that the neuron's spikes or quantities act on, and what they depend on."""
    post = {item.target for item in uses.post if isinstance(item, model.Assign)}
    read = {n for n in found if any(uses.needs(v) & uses.reads for v in _values_of(uses, n))}
    reached = (post | read) & found
    while True:
        more = {
            n
            for n in found - reached
            if any(uses.needs(v) & reached for v in _values_of(uses, n))
            or any(n in uses.needs(v) for r in reached for v in _values_of(uses, r))
        }
        if not more:
            return frozenset(reached)
        reached |= more
