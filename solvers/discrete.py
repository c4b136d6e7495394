"""The discrete half of a simulation: statements, events and their delivery, regimes, random draws.

Both time semantics share it. Bodies run for a set of instances at once; every statement sees what
the one before it did.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..canonical_model.circuit import EventLink
from ..canonical_model.diagnostics import error
from ..canonical_model.expr import Expr, free_names
from ..canonical_model.model import (
    INTEGER,
    Assign,
    Declare,
    Emit,
    For,
    If,
    Integrate,
    Statement,
    Transition,
    While,
)
from ..canonical_model.query import weight_name
from . import numeric
from .carried import unit_of
from .compile import Compiled, Engine, Regimes
from .numeric import Array
from .numpy_printer import print_numpy

Index = NDArray[np.int64]
MAX_CASCADE = 1000
MAX_TURNS = 100_000


@dataclass(slots=True)
class Outgoing:
    """An event link sorted by source: connections of source i are `start[i]:start[i+1]`."""

    target: Compiled
    port: str
    start: Index
    post: Index
    weight: Array | None
    delay: Array | None
    factor: str = ""


@dataclass(slots=True)
class Machine:
    """State, time and pending events of a running circuit.

    `delay_of` turns a connection's delay into the time of arrival (grid mode rounds it up).
    """

    engine: Engine
    y: Array
    t: float = 0.0
    regimes: Regimes = field(default_factory=list)
    entries: Regimes = field(default_factory=list)  # how often a regime has been entered
    spikes: dict[tuple[int, str], list[tuple[float, Index]]] = field(default_factory=dict)
    carried: dict[tuple[int, str], list[tuple[Index, Any]]] = field(default_factory=dict)
    queue: list[tuple[float, int, Compiled, str, Index, Array | None]] = field(default_factory=list)
    links: dict[tuple[int, str], list[Outgoing]] = field(default_factory=dict)
    arrival: Callable[[float, float, bool], float] = lambda t, delay, early: t + delay
    integrate: Callable[[Compiled, tuple[str, ...], Index], None] | None = None
    frame: dict[str, Any] = field(default_factory=dict)  # locals of the running program
    whole: set[str] = field(default_factory=set)  # those of them that are integers
    immediate: bool = True
    held: list[dict[str, Any]] | None = None
    _algebra: dict[tuple[int, str], Any] | None = None
    _local: dict[int, dict[str, Any]] = field(default_factory=dict)
    _compiled: dict[int, Callable[..., Any]] = field(default_factory=dict)
    _units: dict[int, float] = field(default_factory=dict)
    _kept: list[Expr] = field(default_factory=list)
    _number: int = 0
    _depth: int = 0

    def dirty(self) -> None:
        """The state or time has changed: algebra must be computed again when next read."""
        self._algebra = None
        self._local.clear()

    def algebra(self) -> dict[tuple[int, str], Any]:
        """All derived variables and inputs at the present state."""
        if self._algebra is None:
            with np.errstate(all="ignore"):
                self._algebra = self.engine.algebra(self.t, self.y, self.regimes)
        return self._algebra

    def local(self, item: Compiled, name: str) -> Any:
        """A derived variable or input of one group while inputs are held over a step (grid mode)."""
        assert self.held is not None
        inputs = self.held[item.number]
        if name in inputs:
            return inputs[name]
        known = self._local.get(item.number)
        if known is None:
            with np.errstate(all="ignore"):
                known = self.engine.local[item.number](self.t, self.y, self.regimes, inputs)
            self._local[item.number] = known
        return known[name]

    def value(self, item: Compiled, expr: Expr, where: Index, payload: dict[str, Array]) -> Any:
        """`expr` for the instances `where` of a group."""
        function = self._compiled.get(id(expr))
        if function is None:
            names = {name: f"v[{name!r}]" for name in free_names(expr)}
            scope = {"np": np, "nm": numeric, "bool": bool}
            source = f"lambda v, nm_uniform, nm_normal, nm_poisson: {print_numpy(expr, names)}"
            function = self._compiled[id(expr)] = eval(source, scope)
            self._kept.append(expr)
        values = {name: self.read(item, name, where, payload) for name in free_names(expr)}
        random = self.engine.random
        with np.errstate(all="ignore"):
            return function(
                values,
                lambda: random.random(len(where)),
                lambda: random.standard_normal(len(where)),
                lambda mean: random.poisson(np.broadcast_to(mean, where.shape)).astype(float),
            )

    def read(self, item: Compiled, name: str, where: Index, payload: dict[str, Array]) -> Any:
        """One quantity for the instances `where`."""
        if name in payload:
            return payload[name]
        if name in self.frame:
            return self.frame[name][where]
        if name == "t":
            return self.t
        if name in item.derived or (name not in item.slices and name not in item.values):
            key = (item.number, name)
            value = self.algebra()[key] if self.held is None else self.local(item, name)
        elif name in item.slices:
            return self.y[item.slices[name]][where]
        else:
            value = item.values[name]
        return value[where] if np.ndim(value) else value

    def run(
        self,
        item: Compiled,
        body: tuple[Statement, ...],
        where: Index,
        payload: dict[str, Array] | None = None,
    ) -> None:
        """Run statements for the instances `where`. Raises ModelError S311 for endless cascades."""
        payload = payload or {}
        self._depth += 1
        if self._depth > MAX_CASCADE:
            message = (
                f"events of '{item.group.name}' trigger each other without end at t = {self.t:g} s"
            )
            raise error("S311", message, item.group.component.span)
        for statement in body:
            match statement:
                case Assign(target=target, value=expr):
                    self._assign(item, target, self.value(item, expr, where, payload), where)
                case Emit(port=port, weight=weight):
                    self.emit(item, port, where, self._carried(item, weight, where, payload))
                case Transition(regime=regime, machine=machine):
                    self.enter(item, regime, machine, where)
                case If(branches=branches, otherwise=otherwise):
                    self._branch(item, branches, otherwise, where, payload)
                case Integrate(variables=variables):
                    assert self.integrate is not None
                    self.integrate(item, variables, where)
                case Declare(name=name, kind=kind, value=expr):
                    value = self.value(item, expr, where, payload)
                    self._declare(item, name, kind == INTEGER, value, where)
                case While(test=test, body=repeated):
                    self._while(item, test, repeated, where, payload)
                case For():
                    self._for(item, statement, where, payload)
        self._depth -= 1

    def run_program(self, item: Compiled, body: tuple[Statement, ...], where: Index) -> None:
        """Run a body that may declare locals."""
        self.frame, self.whole = {}, set()
        self.run(item, body, where)
        self.frame = {}

    def _assign(self, item: Compiled, target: str, value: Any, where: Index) -> None:
        if target in self.whole or target in item.whole:
            value = np.trunc(value)
        if target in self.frame:
            self.frame[target][where] = value
            return
        self.y[item.slices[target]][where] = value
        self.dirty()

    def _declare(self, item: Compiled, name: str, whole: bool, value: Any, where: Index) -> None:
        # a full array: the same local may be declared in two branches
        full = self.frame.setdefault(name, np.zeros(item.size))
        (self.whole.add if whole else self.whole.discard)(name)
        full[where] = np.trunc(value) if whole else value

    def _while(
        self,
        item: Compiled,
        test: Expr,
        body: tuple[Statement, ...],
        where: Index,
        payload: dict[str, Array],
    ) -> None:
        active = where
        for _ in range(MAX_TURNS):
            own = _restrict(payload, where, active)
            truth = np.broadcast_to(self.value(item, test, active, own), active.shape)
            active = active[truth.astype(bool)]
            if not len(active):
                return
            self.run(item, body, active, _restrict(payload, where, active))
        message = (
            f"a loop of '{item.group.name}' has more than {MAX_TURNS} turns at t = {self.t:g} s"
        )
        raise error("S311", message, item.group.component.span)

    def _for(self, item: Compiled, loop: For, where: Index, payload: dict[str, Array]) -> None:
        bounds = [
            np.broadcast_to(self.value(item, expr, where, payload), where.shape)
            for expr in (loop.start, loop.stop, loop.step)
        ]
        start, stop, step = (np.asarray(b, dtype=float).copy() for b in bounds)
        if np.any(step == 0):
            message = f"a loop of '{item.group.name}' has a step of 0"
            raise error("S311", message, loop.span)
        if loop.variable not in item.slices:
            self._declare(item, loop.variable, False, start, where)
        for _ in range(MAX_TURNS):
            keep = np.where(step > 0, start < stop, start > stop)
            if not keep.any():
                return
            chosen = where[keep]
            self._assign(item, loop.variable, start[keep], chosen)
            self.run(item, loop.body, chosen, _restrict(payload, where, chosen))
            start = start + step
        message = (
            f"a loop of '{item.group.name}' has more than {MAX_TURNS} turns at t = {self.t:g} s"
        )
        raise error("S311", message, loop.span)

    def _branch(
        self,
        item: Compiled,
        branches: tuple[tuple[Expr, tuple[Statement, ...]], ...],
        otherwise: tuple[Statement, ...],
        where: Index,
        payload: dict[str, Array],
    ) -> None:
        rest = where
        for test, body in branches:
            own = _restrict(payload, where, rest)
            truth = np.broadcast_to(self.value(item, test, rest, own), rest.shape).astype(bool)
            chosen = rest[truth]
            if len(chosen):
                self.run(item, body, chosen, _restrict(payload, where, chosen))
            rest = rest[~truth]
        if len(rest):
            self.run(item, otherwise, rest, _restrict(payload, where, rest))

    def enter(self, item: Compiled, regime: str, machine: str, where: Index) -> None:
        """Switch a regime machine and run the new regime's entry actions."""
        machines = item.group.component.machines
        number = next(k for k, m in enumerate(machines) if m.name == machine)
        names = [r.name for r in machines[number].regimes]
        self.regimes[item.number][number][where] = names.index(regime)
        self.entries[item.number][number][where] += 1
        self.dirty()
        entered = machines[number].regimes[names.index(regime)]
        self.run(item, entered.on_entry, where)

    def _carried(
        self, item: Compiled, weight: Expr | None, where: Index, payload: dict[str, Array]
    ) -> Any:
        """What an event carries, as a number; None if nothing."""
        if weight is None:
            return None
        unit = self._units.get(id(weight))
        if unit is None:
            unit = self._units[id(weight)] = unit_of(item.group.component, weight)
            self._kept.append(weight)
        return self.value(item, weight, where, payload) / unit

    def emit(self, item: Compiled, port: str, where: Index, carried: Any = None) -> None:
        """Events leave `port` of the instances `where`, in order of instance.

        `carried` is what they carry, one value or one each; a link multiplies it by its weight.
        """
        self.spikes.setdefault((item.number, port), []).append((self.t, where.copy()))
        if carried is not None:
            self.carried.setdefault((item.number, port), []).append((where.copy(), carried))
        for link in self.links.get((item.number, port), ()):
            rows = _rows(link.start, where)
            if not len(rows):
                continue
            post = link.post[rows]
            weight = None if link.weight is None else link.weight[rows]
            if carried is not None:
                count = link.start[where + 1] - link.start[where]
                sent = np.repeat(np.broadcast_to(carried, where.shape), count)
                weight = sent if weight is None else sent * weight
            if link.factor:
                senders = np.repeat(where, link.start[where + 1] - link.start[where])
                factor = np.broadcast_to(self.read(item, link.factor, senders, {}), senders.shape)
                weight = factor if weight is None else factor * weight
            if link.delay is None:
                self._send(link, post, weight, 0.0)
                continue
            delays = link.delay[rows]
            for delay in np.unique(delays):
                chosen = delays == delay
                part = None if weight is None else weight[chosen]
                self._send(link, post[chosen], part, float(delay))

    def _send(self, link: Outgoing, post: Index, weight: Array | None, delay: float) -> None:
        if delay == 0.0 and self.immediate:
            self.deliver(link.target, link.port, post, weight)
            return
        early = link.target.group.component.update is not None
        due = self.arrival(self.t, delay, early)
        self._number += 1
        entry = (due, self._number, link.target, link.port, post, weight)
        heapq.heappush(self.queue, entry)

    def deliver_due(self, until: float) -> bool:
        """Deliver everything that is due up to `until`; True if there was something."""
        any_due = False
        while self.queue and self.queue[0][0] <= until:
            _, _, target, port, post, weight = heapq.heappop(self.queue)
            self.deliver(target, port, post, weight)
            any_due = True
        return any_due

    def deliver(self, item: Compiled, port: str, post: Index, weight: Array | None) -> None:
        """Events arrive; several at one instance are handled one after another."""
        component = item.group.component
        carried = weight_name(component, port)
        for rows in _rounds(post):
            where = post[rows]
            payload: dict[str, Array] = {}
            if carried:
                payload[carried] = np.ones(len(where)) if weight is None else weight[rows]
            for handler in component.on_events:
                if handler.port == port:
                    self.run(item, handler.body, where, payload)
            for m, machine in enumerate(component.machines):
                active = self.regimes[item.number][m][where].copy()
                for r, regime in enumerate(machine.regimes):
                    chosen = where[active == r]
                    for handler in regime.on_events if len(chosen) else ():
                        if handler.port == port:
                            self.run(item, handler.body, chosen, _restrict(payload, where, chosen))


def _restrict(payload: dict[str, Array], where: Index, chosen: Index) -> dict[str, Array]:
    """The payload for a subset of the instances."""
    if not payload or len(where) == len(chosen):
        return payload
    keep = np.isin(where, chosen)
    return {name: value[keep] for name, value in payload.items()}


def _rows(start: Index, where: Index) -> Index:
    """The connections of several sources, in order."""
    if len(where) == 1:
        return np.arange(start[where[0]], start[where[0] + 1])
    return np.concatenate([np.arange(start[i], start[i + 1]) for i in where] or [np.zeros(0, int)])


def _rounds(post: Index) -> Iterator[Any]:
    """Split events so that each round has at most one per instance, in order of arrival."""
    if len(post) < 2 or len(np.unique(post)) == len(post):
        yield slice(None)
        return
    order = np.argsort(post, kind="stable")
    ranked = post[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    rank = np.arange(len(post)) - np.repeat(first, np.diff(np.r_[first, len(post)]))
    for number in range(int(rank.max()) + 1):
        yield np.sort(order[rank == number])


def outgoing(engine: Engine) -> dict[tuple[int, str], list[Outgoing]]:
    """All event links by source group and port."""
    table: dict[tuple[int, str], list[Outgoing]] = {}
    for link in engine.circuit.event_links:
        source, target = engine.index(link.source), engine.index(link.target)
        entry = _sorted_link(link, source.size, target)
        table.setdefault((source.number, link.source_port), []).append(entry)
    return table


def _sorted_link(link: EventLink, size: int, target: Compiled) -> Outgoing:
    order = np.argsort(link.pre, kind="stable")
    start = np.searchsorted(np.asarray(link.pre)[order], np.arange(size + 1))
    delay = None if link.delay is None or not np.any(link.delay) else np.asarray(link.delay)[order]
    weight = None if link.weight is None else np.asarray(link.weight, dtype=float)[order]
    post = np.asarray(link.post)[order]
    return Outgoing(target, link.target_port, start, post, weight, delay, link.factor)


def start(engine: Engine) -> Machine:
    """The circuit at t = 0: initial values in order of dependence, regimes entered."""
    machine = Machine(engine, np.zeros(engine.size), links=outgoing(engine))
    for item in engine.groups:
        machines = item.group.component.machines
        machine.regimes.append([np.zeros(item.size, dtype=int) for _ in machines])
        machine.entries.append([np.zeros(item.size, dtype=int) for _ in machines])
        for number, regimes in enumerate(machines):
            names = [r.name for r in regimes.regimes]
            machine.regimes[-1][number][:] = names.index(regimes.initial)
    # two passes: initial values may read derived variables, which read states
    for _ in range(2):
        for item in engine.groups:
            _initialise(machine, item)
    for item in engine.groups:
        everyone = np.arange(item.size)
        for number, regimes in enumerate(item.group.component.machines):
            initial = regimes.initial
            body = next(r.on_entry for r in regimes.regimes if r.name == initial)
            del number
            machine.run(item, body, everyone)
    return machine


def _initialise(machine: Machine, item: Compiled) -> None:
    everyone = np.arange(item.size)
    for state in item.group.component.state_variables:
        place = item.slices[state.name]
        if state.name in item.group.initial:
            machine.y[place] = item.group.initial[state.name]
        elif state.initial is not None and not _is_second_draw(machine, state.initial):
            machine.y[place] = machine.value(item, state.initial, everyone, {})
        machine.dirty()


def _is_second_draw(machine: Machine, expr: Expr) -> bool:
    """True for a random initial value that has been drawn already."""
    from ..canonical_model.expr import is_random

    return is_random(expr) and id(expr) in machine._compiled
