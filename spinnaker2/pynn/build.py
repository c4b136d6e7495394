"""From the PyNN network to a circuit: groups, event links, current sources, trains of known events."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import AnalogLink, Circuit, EventLink, EventTrain, Group
from ...canonical_model.diagnostics import Level, refuse
from ...canonical_model.expr_parse import parse_expr
from ...canonical_model.model import Component, OnCondition, While
from ...canonical_model.units import NONE, Dimension
from .fragments import INJECTED, SPIKE, action, assemble, fragment
from .simulator import State
from .spikesources import (
    Drawing,
    Source,
    SpikeSourceArray,
    SpikeSourcePoisson,
    SpikeSourcePoissonRefractory,
)

RADIANS = math.pi / 180
CURRENT_FACTORS = {"amplitude": 1e-9, "offset": 1e-9, "mean": 1e-9, "stdev": 1e-9, "start": 1e-3,
                   "stop": 1e-3, "dt": 1e-3, "frequency": 1.0, "phase": RADIANS}  # fmt: skip
CURRENT_NAMES = {"dt": "interval"}
FOREVER = 2**52  # ticks
LAST_TIME = 1e9  # s: what stands for "never" on the chip
ON_CHIP_RATE = 50.0  # spikes per step up to which sources are drawn on the chip


@dataclass(slots=True)
class Builder:
    """Builds the circuit of the present network; drawn spikes are kept from build to build.

    `goes_on`: the engine may run the circuit beyond the end that it was built for.
    """

    state: State
    goes_on: bool = False
    drawings: dict[int, Drawing] = field(default_factory=dict)
    elapsed: dict[int, list[tuple[int, int, Any]]] = field(default_factory=dict)

    def group_name(self, population: Any) -> str:
        """The group of a population."""
        return f"population_{population._number}"

    def current_name(self, source: Any) -> str:
        """The group of a current source."""
        return f"current_{source._number}"

    def build(self, end: int) -> Circuit:
        """The circuit for a run up to tick `end`. Raises ModelError Y3xx for what cannot be held."""
        state = self.state
        registry = state.registry
        sources = [item for item in registry.current_sources if item._targets]
        injected = {id(population) for item in sources for population, _ in item._targets}
        groups = [self._group(p, id(p) in injected) for p in registry.populations]
        groups += [self._current(item, end) for item in sources]
        groups += [group for p in registry.projections for group in self._synapses(p)]
        return Circuit(
            name="network",
            groups=tuple(groups),
            event_links=tuple(link for p in registry.projections for link in self._links(p)),
            analog_links=tuple(link for item in sources for link in self._injections(item)),
            trains=tuple(t for p in registry.populations for t in self._train(p, end)),
            length=end * state.dt * 1e-3,
            step=state.dt * 1e-3,
            seed=state.options.seed,
        )

    def _group(self, population: Any, is_injected: bool) -> Group:
        name = self.group_name(population)
        celltype = population.celltype
        if isinstance(celltype, Source):
            if self.is_drawn_on_chip(population):
                return self._poisson(population)
            return Group(name=name, component=SPIKE_SOURCE, size=population.size)
        component = celltype.component(is_injected)
        known = {item.name for item in component.parameters}
        states = {item.name for item in component.state_variables}

        def scaled(values: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
            found = {}
            for key, value in values.items():
                own = celltype.component_name(key)
                if own in wanted:
                    found[own] = np.asarray(value, dtype=float) * celltype.si_factor(key)
            return found

        return Group(
            name=name,
            component=component,
            size=population.size,
            parameters=scaled(population._parameters.present, known),
            initial=scaled(population._initial.present, states),
        )

    def dimension(self, population: Any, name: str) -> Dimension:
        """The dimension of a state, by the component's name for it."""
        states = population.celltype.component(False).state_variables
        return next((s.dimension for s in states if s.name == name), NONE)

    # --- spike sources

    def is_drawn_on_chip(self, population: Any) -> bool:
        """True for Poisson sources whose spikes the program draws itself."""
        if not isinstance(population.celltype, (SpikeSourcePoisson, SpikeSourcePoissonRefractory)):
            return False
        choice = self.state.options.poisson
        if choice == "auto":
            choice = "host" if self.state.options.backend == "reference" else "chip"
        if choice == "host":
            return False
        highest = float(np.max(population._parameters.present["rate"]))
        if highest * self.state.dt * 1e-3 <= ON_CHIP_RATE:
            return True
        message = (
            f"'{population.label}' sends {highest:g} spikes/s, more than {ON_CHIP_RATE:g} in a step: "
            "its spikes are drawn beforehand"
        )
        self.state.log.add("Y401", Level.NOTE, message)
        return False

    def _poisson(self, population: Any) -> Group:
        values = population._parameters.present
        # the mean of what is drawn, after a pause that is none for a plain process
        mean = 1.0 / np.maximum(np.asarray(values["rate"], float), 1e-6)
        pause = np.asarray(values.get("tau_refrac", np.zeros(population.size)), float) * 1e-3
        start, duration = (np.asarray(values[k], float) * 1e-3 for k in ("start", "duration"))
        return Group(
            name=self.group_name(population),
            component=POISSON_SOURCE,
            size=population.size,
            parameters={
                "interval": np.maximum(mean - pause, 0.0),
                "pause": pause,
                "start": start,
                "stop": np.minimum(start + duration, LAST_TIME),
            },
        )

    def _train(self, population: Any, end: int) -> list[EventTrain]:
        celltype = population.celltype
        if not isinstance(celltype, Source) or self.is_drawn_on_chip(population):
            return []
        if isinstance(celltype, SpikeSourceArray):
            cells, ticks = self._given(population, end)
        else:
            cells, ticks = self._drawn(population, end)
        if not len(ticks):
            return []
        times = ticks * (self.state.dt * 1e-3)
        return [EventTrain(group=self.group_name(population), port=SPIKE, times=times, index=cells)]

    def _given(self, population: Any, end: int) -> tuple[Any, Any]:
        """Spike times as they were given: each list holds from when it was set, but for what was past."""
        history = population._parameters
        eras = [(-1, history.start["spike_times"])]
        eras += [(t, v["spike_times"]) for t, v in history.changes if "spike_times" in v]
        cells, ticks = [], []
        for k, (begin, sequences) in enumerate(eras):
            last = eras[k + 1][0] if k + 1 < len(eras) else end
            counts = [len(item.value) for item in sequences]
            times = np.concatenate([np.zeros(0), *(item.value for item in sequences)])
            own = np.ceil(times / self.state.dt - 1e-6).astype(np.int64)
            chosen = (own > begin) & (own <= last)
            cells.append(np.repeat(np.arange(population.size), counts)[chosen])
            ticks.append(own[chosen])
        joined, when = np.concatenate(cells), np.concatenate(ticks)
        order = np.argsort(when, kind="stable")
        return joined[order], when[order]

    def _drawn(self, population: Any, end: int) -> tuple[Any, Any]:
        drawing = self.drawings.get(population._number)
        state = self.state
        if drawing is None:
            seed = (state.options.seed, population._number)
            drawing = Drawing(population.celltype, population.size, seed, state.dt)
            self.drawings[population._number] = drawing
        history = population._parameters
        drawing.extend(end * state.dt, history.present, history.version)
        cells, times = drawing.events()
        return cells, np.ceil(times / state.dt - 1e-6).astype(np.int64)

    def forget(self) -> None:
        """Draw anew: after reset()."""
        self.drawings.clear()

    # --- connections and currents

    def _links(self, projection: Any) -> list[EventLink]:
        component = projection.synapse_type.component()
        values = projection._attributes.present
        links = []
        for number, (source, target, pre, post, chosen) in enumerate(projection.pieces()):
            link = EventLink(
                source=self.group_name(source),
                source_port=output_port(source),
                target=self.group_name(target),
                target_port=target.celltype.port(projection.receptor_type),
                pre=pre,
                post=post,
                weight=values["weight"][chosen],
                delay=self._delays(values["delay"][chosen], 1),
            )
            if component is None:
                links.append(link)
            else:
                links += self._dynamic(projection, number, target, link, chosen)
        return links

    def _delays(self, delay: Any, least: int) -> Any:
        """Delays in seconds, whole steps and at least `least` of them."""
        steps = np.maximum(least, np.rint(delay / self.state.dt))
        worst = float(np.max(np.abs(steps * self.state.dt - delay), initial=0.0))
        if worst > 1e-6 * self.state.dt:
            message = f"delays are rounded to whole steps, by up to {worst:.3g} ms"
            self.state.log.add("Y402", Level.APPROXIMATED, message)
        return steps * (self.state.dt * 1e-3)

    def synapse_groups(self, projection: Any) -> list[tuple[str, Any]]:
        """The groups of synapses with states, each with the numbers of its connections."""
        return [
            (f"synapse_{projection._number}_{k}", piece[4])
            for k, piece in enumerate(projection.pieces())
        ]

    def _synapses(self, projection: Any) -> list[Group]:
        """One instance per connection of synapses that have states."""
        component = projection.synapse_type.component()
        if component is None:
            return []
        values = projection._attributes.present
        known = {item.name for item in component.parameters}
        groups = []
        for k, (_, target, _, post, chosen) in enumerate(projection.pieces()):
            own = {
                name: np.asarray(value[chosen], dtype=float)
                * (1e-3 if name.startswith("tau") else 1.0)
                for name, value in values.items()
                if name in known
            }
            if "tau_psc" in known:
                own["tau_psc"] = self._decay(projection, target, post, own["tau_rec"])
                own["u_start"] = np.zeros(len(chosen))
            is_plastic = projection.synapse_type.is_plastic
            groups.append(
                Group(
                    name=f"synapse_{projection._number}_{k}",
                    component=component,
                    size=len(chosen),
                    parameters=own,
                    initial={"w": values["weight"][chosen]} if is_plastic else {},
                    host=self.group_name(target),
                )
            )
        return groups

    def _decay(self, projection: Any, target: Any, post: Any, other: Any) -> Any:
        """The time constant of the target's receptor in s, kept apart from `other`."""
        receptors = getattr(target.celltype, "receptors", ())
        names = [r.tau for r in receptors if r.port == projection.receptor_type and r.tau]
        if not names:
            message = (
                f"TsodyksMarkramSynapse needs a receptor with a time constant on '{target.label}'"
            )
            raise refuse("Y305", message)
        tables = {
            target.celltype.component_name(n): v for n, v in target._parameters.present.items()
        }
        tau = np.asarray(tables[names[0]], dtype=float)[post] * 1e-3
        return np.where(np.abs(tau - other) < 1e-6 * other, tau * (1 + 1e-6), tau)

    def _dynamic(
        self, projection: Any, number: int, target: Any, link: EventLink, chosen: Any
    ) -> list[EventLink]:
        """Sender to synapse, synapse to cell at once, and where the synapse learns, cell to synapse."""
        name, own = f"synapse_{projection._number}_{number}", np.arange(len(chosen))
        is_plastic = projection.synapse_type.is_plastic
        links = [
            replace(link, target=name, target_port="pre", post=own, weight=None),
            replace(
                link, source=name, source_port=SPIKE, pre=own, delay=None,
                weight=None if is_plastic else link.weight, factor="w" if is_plastic else "passed",
            ),
        ]  # fmt: skip
        if is_plastic:
            values = projection._attributes.present
            # the synapse hears the sender after the whole delay, so the cell twice the dendritic part
            dendritic = 2 * values["delay"][chosen] * values["dendritic_delay_fraction"][chosen]
            links.append(
                EventLink(
                    source=link.target,
                    source_port=output_port(target),
                    target=name,
                    target_port="post",
                    pre=link.post,
                    post=own,
                    delay=self._delays(dendritic, 0),
                )
            )
        return links

    def _current(self, source: Any, end: int) -> Group:
        component = source.component(FOREVER if self.goes_on else end, self.state.dt)
        known = {item.name for item in component.parameters}

        def scaled(values: dict[str, Any]) -> dict[str, Any]:
            found = {}
            for key, value in values.items():
                own = CURRENT_NAMES.get(key, key)
                if own in known:
                    si = min(float(value) * CURRENT_FACTORS[key], LAST_TIME)
                    found[own] = np.array([si])
            return found

        return Group(
            name=self.current_name(source),
            component=component,
            size=1,
            parameters=scaled(source._history.present),
        )

    def _injections(self, source: Any) -> list[AnalogLink]:
        return [
            AnalogLink(
                source=self.current_name(source),
                variable="i",
                target=self.group_name(population),
                input=population.celltype.injection if hasattr(population.celltype, "injection")
                else INJECTED,
                pre=np.zeros(len(cells), dtype=np.int64),
                post=cells,
            )
            for population, cells in source._targets
        ]  # fmt: skip


def output_port(population: Any) -> str:
    """The event port by which a population's cells send."""
    return str(getattr(population.celltype, "output", SPIKE))


def _poisson_component() -> Component:
    """A Poisson process that waits from spike to spike; a step sends all that fall into it."""
    part = fragment(
        parameters={"interval": "ms", "pause": "ms", "start": "ms", "stop": "ms"},
        states={"wait": "ms"},
        initial={"wait": "start - interval * log(1 - uniform())"},
        rates={"wait": "-1"},
    )
    due = parse_expr("wait <= 0 * interval")
    body = (action("spike"), action("wait = wait + pause - interval * log(1 - uniform())"))
    sending = OnCondition(
        test=parse_expr("wait <= 0 * interval and t < stop"), body=(While(test=due, body=body),)
    )
    return replace(assemble("PoissonSource", [part]), on_conditions=(sending,))


SPIKE_SOURCE = assemble("SpikeSource", [])
POISSON_SOURCE = _poisson_component()
