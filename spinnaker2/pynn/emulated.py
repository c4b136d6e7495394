"""The chip's program as PyNN's engine: exported, built and run on the emulator.

A later run() is a program of its own, with the network as it is then; it takes over states, ring buffers,
random generators and events under way from the one before, as a host that reloads a chip would.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, Probe
from ...canonical_model.model import Provenance
from ...canonical_model.units import CURRENT, NEURO, SI
from ..resume import Checkpoint, give, take
from .build import Builder, output_port
from .simulator import State
from .tables import Rows, table_of
from .takeover import are_same, deliver_sent, send_known, take_over_queues

NOTHING = np.zeros(0, dtype=np.int64)


class Emulated:
    """Runs the exported program with `spinnaker2.emulator`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.reset()

    def reset(self) -> None:
        """Forget states and records; spikes are drawn anew."""
        self.builder = Builder(self.state)
        self.checkpoint: Checkpoint | None = None
        self.circuit: Circuit | None = None
        self.initial_versions: dict[int, int] = {}
        self.fired: dict[int, tuple[list[Any], list[Any]]] = {}
        self.traces: dict[tuple[int, str], list[Rows]] = {}
        self.currents: dict[int, list[float]] = {}

    def advance(self, end: int) -> None:
        """Run up to tick `end`. Raises ModelError T3xx, S2xx, E1xx, Y3xx."""
        circuit = self.builder.build(end)
        probes, events = self._probes()
        circuit = replace(circuit, probes=tuple(probes), event_probes=tuple(events))
        if self.checkpoint is not None and self.circuit is not None:
            self._set_present(self.checkpoint)
            if not are_same(self.circuit, circuit):
                if self.checkpoint.form == "application":
                    circuit = send_known(self.checkpoint, self.circuit, circuit)
                deliver_sent(self.checkpoint, self.circuit)
                circuit = take_over_queues(self.checkpoint, self.circuit, circuit)
        self._keep(self._run(circuit, end))
        self.circuit = circuit
        self.initial_versions = {
            p._number: p._initial.version for p in self.state.registry.populations
        }

    def _run(self, circuit: Circuit, end: int) -> Any:
        from ...exporters.spinnaker2.emit import export
        from ...exporters.spinnaker2.partition import Choices
        from .. import emulator

        options, old = self.state.options, self.checkpoint
        artifacts = export(
            circuit,
            scheme=options.solver,
            step=circuit.step,
            source=Provenance(source="PyNN", language="pynn"),
            log=self.state.log,
            name="network",
            choices=Choices(delays=old.longest + 1, units=old.weights, pending=tuple(old.arrivals))
            if old
            else None,
            first=old.tick if old else 0,
        )
        folder = Path(options.folder or tempfile.mkdtemp(prefix="interspike_pynn_"))
        try:
            for artifact in artifacts:
                place = folder / artifact.path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(artifact.data)
            layout = json.loads((folder / "layout.json").read_text(encoding="utf-8"))
            resumed = give(folder, layout, old) if old else None
            result = emulator.run(folder, backend=options.backend, resumed=resumed)
            self.checkpoint = take(folder, layout, result)
            return result
        finally:
            if options.folder is None:
                shutil.rmtree(folder, ignore_errors=True)

    def _set_present(self, checkpoint: Checkpoint) -> None:
        """What was set since the last run takes the place of what the run left."""
        units = NEURO if checkpoint.units == "neuro" else SI
        registry = self.state.registry
        for population in registry.populations:
            before = self.initial_versions.get(population._number)
            if before is None or before == population._initial.version:
                continue
            for tick, values in population._initial.changes:
                for name, value in values.items() if tick == checkpoint.tick else ():
                    own = population.celltype.component_name(name)
                    size = units.size(self.builder.dimension(population, own))
                    group = self.builder.group_name(population)
                    si = np.asarray(value, float) * population.celltype.si_factor(name)
                    checkpoint.put(group, own, si / size)
        for projection in registry.projections:
            changes = projection._attributes.changes if projection.synapse_type.is_plastic else []
            if changes and changes[-1][0] == checkpoint.tick and "weight" in changes[-1][1]:
                for name, chosen in self.builder.synapse_groups(projection):
                    checkpoint.put(name, "w", changes[-1][1]["weight"][chosen])
        for source in registry.current_sources:
            if source._targets and source.is_stepwise:
                level = source.wave(np.array([checkpoint.tick]), self.state.dt)
                group = self.builder.current_name(source)
                checkpoint.put(group, "i", level * (1e-9 / units.size(CURRENT)))

    def _probes(self) -> tuple[list[Probe], list[Probe]]:
        """What is recorded: values of cells and currents, spikes of cells."""
        probes, events = [], []
        for population in self.state.registry.populations:
            recorder, number = population.recorder, population._number
            group = self.builder.group_name(population)
            for name in recorder.variables():
                own = population.celltype.component_name(name)
                for cell in recorder.recorded_cells(name).tolist():
                    label = f"{number}/{cell}/{name}"
                    probes.append(Probe(label=label, group=group, index=cell, variable=own))
            port = output_port(population)
            for cell in recorder.recorded_cells("spikes").tolist():
                label = f"{number}/{cell}"
                events.append(Probe(label=label, group=group, index=cell, variable=port))
        for source in self.state.registry.current_sources:
            if source._is_recorded and source._targets and not source.is_waveform_known:
                group = self.builder.current_name(source)
                label = f"current/{source._number}"
                probes.append(Probe(label=label, group=group, index=0, variable="i"))
        return probes, events

    def _keep(self, result: Any) -> None:
        """Sort the records into arrays by population; the first row is the last of the run before."""
        step = self.state.dt * 1e-3
        skipped = 0 if self.circuit is None else 1
        for population in self.state.registry.populations:
            recorder, number = population.recorder, population._number
            cells = recorder.recorded_cells("spikes").tolist()
            if cells:
                times = [result.events[f"{number}/{cell}"] for cell in cells]
                who = np.repeat(cells, [len(t) for t in times])
                when = np.rint(np.concatenate(times) / step).astype(np.int64)
                order = np.argsort(when, kind="stable")
                known = self.fired.setdefault(number, ([], []))
                known[0].append(who[order])
                known[1].append(when[order])
            for name in recorder.variables():
                columns = recorder.recorded_cells(name)
                rows = [result.traces[f"{number}/{cell}/{name}"] for cell in columns.tolist()]
                table = np.stack(rows, axis=1) / population.celltype.si_factor(name)
                first = round(result.times[0] / step) + skipped
                parts = self.traces.setdefault((number, name), [])
                parts.append(Rows(first, columns, table[skipped:]))
        for source in self.state.registry.current_sources:
            found = result.traces.get(f"current/{source._number}")
            if found is not None:
                own = self.currents.setdefault(source._number, [])
                own += (found[skipped if own else 0 :] * 1e9).tolist()

    def spikes(self, population: Any) -> tuple[Any, Any]:
        """Cells and ticks of all recorded spikes, by tick."""
        cells, ticks = self.fired.get(population._number, ([], []))
        return np.concatenate([NOTHING, *cells]), np.concatenate([NOTHING, *ticks])

    def trace(self, population: Any, variable: str, cells: Any, first: int) -> Any:
        """Rows from tick `first` on, in PyNN's unit."""
        parts = self.traces.get((population._number, variable), [])
        return table_of(parts, cells, first, self.state.tick)

    def current(self, source: Any) -> Any:
        """The current of a source at every tick, in nA."""
        return np.array(self.currents.get(source._number, [0.0] * (self.state.tick + 1)))

    def weights(self, projection: Any) -> Any:
        """The present weights of plastic connections; None before the first run."""
        if self.checkpoint is None:
            return None
        found = np.array(projection._attributes.present["weight"])
        changes = projection._attributes.changes
        if changes and changes[-1][0] == self.state.tick and "weight" in changes[-1][1]:
            return found
        for name, chosen in self.builder.synapse_groups(projection):
            values = self.checkpoint.values(name, "w")
            if values is not None:
                found[chosen] = values
        return found
