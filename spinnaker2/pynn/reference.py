"""The float64 reference on the grid as PyNN's engine: states are kept from run to run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit
from ...canonical_model.passes.timegrid import on_grid
from ...solvers import grid
from ...solvers.compile import compile_circuit
from ...solvers.discrete import Machine, start
from .build import Builder, output_port
from .simulator import State
from .tables import Rows, table_of


class Reference:
    """Runs the circuit with `solvers.grid`; builds it again where the network has changed."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.builder = Builder(state, goes_on=True)
        self.reset()

    def reset(self) -> None:
        """Forget states and records."""
        self.builder.forget()
        self.run: grid.Grid | None = None
        self.versions: tuple[Any, ...] = ()
        self.initial_versions: dict[int, int] = {}
        self.records: dict[tuple[int, str], list[Rows]] = {}
        self.currents: dict[int, list[float]] = {}
        self.fired: dict[int, tuple[list[Any], list[Any]]] = {}

    def advance(self, end: int) -> None:
        """Run up to tick `end`."""
        circuit = self.builder.build(end)
        versions = self._versions()
        if self.run is None:
            self.run = self._prepare(circuit)
            is_first = True
        else:
            is_first = False
            self._continue(circuit, versions)
        self.versions = versions
        self.initial_versions = {
            p._number: p._initial.version for p in self.state.registry.populations
        }
        tables = self._tables(is_first)
        assert self.run is not None
        with np.errstate(all="ignore"):
            if is_first:
                self._take(tables)
                self.run.send_known()
            while self.run.tick < end:
                self.run.run_step()
                self._take(tables)
        self._collect()

    def _versions(self) -> tuple[Any, ...]:
        registry = self.state.registry
        return (
            tuple((p._number, p._parameters.version) for p in registry.populations),
            tuple((id(p), p._attributes.version) for p in registry.projections),
            tuple(
                (s._number, s._history.version, len(s._targets)) for s in registry.current_sources
            ),
        )

    def _prepare(self, circuit: Circuit) -> grid.Grid:
        step = circuit.step
        circuit = on_grid(circuit, step)
        machine = start(compile_circuit(circuit, abs(self.state.options.seed)))
        return grid.prepare(machine, self.state.options.solver, step, grid.TICK)

    def _continue(self, circuit: Circuit, versions: tuple[Any, ...]) -> None:
        """Take up new trains; with a changed network, build again and carry states over."""
        old = self.run
        assert old is not None
        if versions != self.versions:
            fresh = self._prepare(circuit)
            _carry(old, fresh)
            self.run = fresh
        else:
            step = circuit.step
            old.trains = [grid._train(old.machine.engine, item, step) for item in circuit.trains]
            old.timed = [entry for entry in old.timed if entry[0] > old.tick]
        assert self.run is not None
        for train in self.run.trains:
            train.next = int(np.searchsorted(train.ticks, self.run.tick, side="right"))
        self._initialise(self.run.machine)
        self._set_levels(self.run.machine)

    def _set_levels(self, machine: Machine) -> None:
        """Stepwise currents take the level that holds now: their parameters may have changed."""
        for source in self.state.registry.current_sources:
            if source._targets and source.is_stepwise:
                item = machine.engine.index(self.builder.current_name(source))
                level = source.wave(np.array([self.state.tick]), self.state.dt)
                machine.y[item.slices["i"]] = level * 1e-9
        machine.dirty()

    def _initialise(self, machine: Machine) -> None:
        """Values that initialize() set since the last run become states now."""
        for population in self.state.registry.populations:
            before = self.initial_versions.get(population._number)
            if before is None or before == population._initial.version:
                continue
            item = machine.engine.index(self.builder.group_name(population))
            for tick, values in population._initial.changes:
                if tick != self.state.tick:
                    continue
                for name, value in values.items():
                    own = population.celltype.component_name(name)
                    if own in item.slices:
                        machine.y[item.slices[own]] = value * population.celltype.si_factor(name)
        for projection in self.state.registry.projections:
            changes = projection._attributes.changes if projection.synapse_type.is_plastic else []
            if changes and changes[-1][0] == self.state.tick and "weight" in changes[-1][1]:
                for name, chosen in self.builder.synapse_groups(projection):
                    place = machine.engine.index(name).slices["w"]
                    machine.y[place] = changes[-1][1]["weight"][chosen]
        machine.dirty()

    def _tables(self, is_first: bool) -> list[tuple[Any, str, Rows]]:
        """What is to be recorded in this run: population, the component's variable, rows to fill."""
        now = self.state.tick if is_first else self.state.tick + 1
        found = []
        for population in self.state.registry.populations:
            for name in population.recorder.variables():
                cells = population.recorder.recorded_cells(name)
                own = self.records.setdefault((population._number, name), [])
                if not own or not np.array_equal(own[-1].cells, cells):
                    own.append(Rows(now, cells, []))
                found.append((population, population.celltype.component_name(name), own[-1]))
        return found

    def _take(self, tables: list[tuple[Any, str, Rows]]) -> None:
        assert self.run is not None
        machine = self.run.machine
        for population, name, table in tables:
            item = machine.engine.index(self.builder.group_name(population))
            values = machine.read(item, name, table.cells, {})
            table.rows.append(np.broadcast_to(values, table.cells.shape).astype(float))
        for source in self.state.registry.current_sources:
            if source._is_recorded and source._targets and not source.is_waveform_known:
                item = machine.engine.index(self.builder.current_name(source))
                value = float(np.ravel(machine.read(item, "i", np.array([0]), {}))[0])
                self.currents.setdefault(source._number, []).append(value * 1e9)

    def _collect(self) -> None:
        """Move the spikes of the run from the machine into arrays per population."""
        assert self.run is not None
        machine = self.run.machine
        for population in self.state.registry.populations:
            item = machine.engine.index(self.builder.group_name(population))
            port = output_port(population)
            found = machine.spikes.pop((item.number, port), [])
            cells, ticks = self.fired.setdefault(population._number, ([], []))
            for t, where in found:
                cells.append(where)
                ticks.append(np.full(len(where), round(t / self.run.step)))

    def spikes(self, population: Any) -> tuple[Any, Any]:
        """Cells and ticks of all spikes, by tick."""
        cells, ticks = self.fired.get(population._number, ([], []))
        nothing = np.zeros(0, dtype=np.int64)
        return np.concatenate([nothing, *cells]), np.concatenate([nothing, *ticks])

    def trace(self, population: Any, variable: str, cells: Any, first: int) -> Any:
        """Rows from tick `first` on, in PyNN's unit."""
        factor = population.celltype.si_factor(variable)
        parts = self.records.get((population._number, variable), [])
        return table_of(parts, cells, first, self.state.tick) / factor

    def current(self, source: Any) -> Any:
        """The current of a source at every tick, in nA."""
        return np.array(self.currents.get(source._number, [0.0] * (self.state.tick + 1)))

    def weights(self, projection: Any) -> Any:
        """The present weights of plastic connections; None before the first run."""
        if self.run is None:
            return None
        found = np.array(projection._attributes.present["weight"])
        changes = projection._attributes.changes
        if changes and changes[-1][0] == self.state.tick and "weight" in changes[-1][1]:
            return found
        machine = self.run.machine
        for name, chosen in self.builder.synapse_groups(projection):
            found[chosen] = machine.y[machine.engine.index(name).slices["w"]]
        return found


def _carry(old: grid.Grid, fresh: grid.Grid) -> None:
    """Time, states, regimes, events under way and the random generator of `old` go on in `fresh`."""
    before, now = old.machine, fresh.machine
    known = {item.group.name: item for item in before.engine.groups}
    own = {item.group.name: item for item in now.engine.groups}
    for name, item in own.items():
        former = known.get(name)
        if former is None:
            continue
        for state, place in item.slices.items():
            if state in former.slices:
                now.y[place] = before.y[former.slices[state]]
        for number, regime in enumerate(before.regimes[former.number]):
            now.regimes[item.number][number] = regime
    now.queue = [
        (due, number, own[target.group.name], port, post, weight)
        for due, number, target, port, post, weight in before.queue
    ]
    now._number = before._number
    now.t, fresh.tick = before.t, old.tick
    now.engine.random.bit_generator.state = before.engine.random.bit_generator.state
    fresh.timed = [entry for entry in fresh.timed if entry[0] > fresh.tick]
    now.dirty()
