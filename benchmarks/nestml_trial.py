"""One neuron model three ways under one stimulus: NESTML 9's module and ours in NEST, ours on the grid."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Trace = NDArray[np.float64]
H = 0.1  # ms, as all times here
LENGTH = 200.0
DELAY = 1.0
ON, OFF = 10.0, 160.0
# NEST's generator sends at the start of a step what the target reads at that step's end: it acts in the next
CURRENT_DELAY = H

IN_NEST = """
import json, sys
import nest, numpy as np
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution = job["step"]
for module in job["modules"]:
    nest.Install(module)
kept, facts = {}, {}
for side, name in job["models"].items():
    known = nest.GetDefaults(name)
    # a name that NEST's nodes have themselves ends in _ in our modules
    keys = {key: f"{key}_" if f"{key}_" in known else key for key in job["values"]}
    values = {keys[key]: value for key, value in job["values"].items() if keys[key] in known}
    if side == "theirs":
        values |= {key: nest.GetDefaults(job["models"]["ours"])[key] for key in job["start"]}
    cell = nest.Create(name, params=values)
    if job["current"]:
        source = nest.Create("dc_generator", params={
            "amplitude": job["current"], "start": job["on"], "stop": job["off"]})
        nest.Connect(source, cell, syn_spec={"delay": job["step"]})
    receptors = {str(key): number for key, number in dict(known.get("receptor_types", {})).items()}
    for port, weight, times in job["trains"]:
        source = nest.Create("spike_generator", params={"spike_times": times})
        receptor = receptors.get(port.upper(), 0)
        nest.Connect(source, cell, syn_spec={
            "weight": weight, "delay": job["delay"], "receptor_type": receptor})
    names = [str(item) for item in known["recordables"]]
    meter = nest.Create("multimeter", params={"record_from": names, "interval": job["step"]})
    nest.Connect(meter, cell)
    heard = nest.Create("spike_recorder")
    nest.Connect(cell, heard)
    kept[side] = meter, heard, names
    facts[side] = {"names": names, "receptors": receptors}
nest.Simulate(job["length"] + job["step"])
arrays = {}
for side, (meter, heard, names) in kept.items():
    arrays[f"{side}:spikes"] = np.asarray(heard.events["times"])
    arrays[f"{side}:times"] = np.asarray(meter.events["times"])
    for name in names:
        arrays[f"{side}/{name}"] = np.asarray(meter.events[name])
np.savez(job["output"], **arrays)
"""


@dataclass(frozen=True, slots=True)
class Drive:
    """A constant current (pA), the weight of spikes at each port (in its sign), parameters to set alike on
    all sides (in NEST's units), and states that NESTML 9's module must be given the initial value of."""

    current: float = 600.0
    weight: float = 5.0
    values: Mapping[str, float] = field(default_factory=dict)
    start: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Spike times (ms) and traces in NEST's units, at H, 2 H, ... LENGTH."""

    spikes: Trace
    traces: Mapping[str, Trace]


def trains(component: Any, drive: Drive) -> list[tuple[str, float, Trace]]:
    """For each spike port its weight (as NEST's connections carry it) and the times sent."""
    found = []
    draw = np.random.default_rng(7)
    paired = {port.sign for port in component.event_inputs} >= {"excitatory", "inhibitory"}
    for port in component.event_inputs:
        sign = -1.0 if paired and port.sign == "inhibitory" else 1.0
        times = np.unique(np.round(draw.uniform(20.0, 180.0, 40), 1))
        found.append((port.name, sign * drive.weight, times))
    return found


def in_nest(
    modules: list[Path],
    models: Mapping[str, str],
    component: Any,
    drive: Drive,
    tolerance: float | None = None,
) -> dict[str, Run]:
    """The models (by side) of these modules, in one network of one process."""
    values = dict(drive.values)
    if tolerance is not None:
        values |= {"gsl_abs_error_tol": tolerance, "gsl_rel_error_tol": tolerance}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "runs.npz"
        job = {
            "modules": [str(path.with_suffix("")) for path in modules],
            "models": dict(models),
            "step": H,
            "length": LENGTH,
            "delay": DELAY,
            "on": ON,
            "off": OFF,
            "current": drive.current if component.analog_inputs else 0.0,
            "values": values,
            "start": list(drive.start),
            "trains": [(p, w, list(t)) for p, w, t in trains(component, drive)],
            "output": str(output),
        }
        command = [sys.executable, "-P", "-c", IN_NEST, json.dumps(job)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr or done.stdout).strip()[-800:])
        with np.load(output) as data:
            arrays = {key: data[key] for key in data.files}
    runs = {}
    for side in models:
        rows = arrays[f"{side}:times"] <= LENGTH + 1e-6
        traces = {
            key.split("/", 1)[1]: value[rows]
            for key, value in arrays.items()
            if key.startswith(f"{side}/")
        }
        runs[side] = Run(arrays[f"{side}:spikes"], traces)
    return runs


def on_grid(component: Any, drive: Drive, scheme: str = "rkf45", tolerance: float = 1e-6) -> Run:
    """The imported model in the grid simulator; `tolerance` is that of an adaptive solver."""
    from interspike.solvers import grid
    from interspike.solvers.schemes import RELATIVE
    from interspike.solvers.simulate import simulate

    grid.TIGHTER = RELATIVE / tolerance
    circuit = driven(component, drive)
    cell = circuit.groups[0].component
    units = {item.name: item.dimension for item in (*cell.state_variables, *cell.derived_variables)}
    result = simulate(circuit, mode="grid", scheme=scheme)
    traces = {
        name.replace("$", "__DOLLAR"): values[1:] / _size(units[name])
        for name, values in result.traces.items()
    }
    return Run(result.events["spikes"] * 1e3, traces)


def driven(component: Any, drive: Drive) -> Any:
    """The circuit of one cell and what drives it; all its states and exposures are recorded."""
    from interspike.canonical_model.circuit import Circuit, Group, Probe
    from interspike.canonical_model.passes.arming import arm
    from interspike.canonical_model.passes.flatten import flatten
    from interspike.canonical_model.passes.inline import inline_functions
    from interspike.canonical_model.passes.kernels import lower_kernels

    lowered = lower_kernels(inline_functions(_with_values(component, drive.values)), show=True)
    cell = arm(flatten(lowered).component)
    groups = [Group(name="cell", component=cell, size=1)]
    links, analog = _stimulus(component, drive, groups)
    shown = dict.fromkeys(
        [*(s.name for s in cell.state_variables), *(e.variable for e in cell.exposures)]
    )
    probes = tuple(Probe(label=name, group="cell", index=0, variable=name) for name in shown)
    return Circuit(
        name="trial",
        groups=tuple(groups),
        event_links=tuple(links),
        analog_links=tuple(analog),
        probes=probes,
        event_probes=(Probe(label="spikes", group="cell", index=0, variable="spike"),),
        length=LENGTH * 1e-3,
        step=H * 1e-3,
        seed=1,
    )


def _size(dimension: Any) -> float:
    """NEST's unit of a dimension, in SI; amounts are in mmol."""
    from interspike.canonical_model.units import NEURO
    from interspike.exporters.nest.plan import AMOUNTS

    return (AMOUNTS if dimension.n and not dimension.l else NEURO).size(dimension)


def _with_values(component: Any, values: Mapping[str, float]) -> Any:
    """The component with parameters set, given in NEST's units."""
    from interspike.canonical_model.units import NEURO, Quantity, Unit

    parameters = []
    for item in component.parameters:
        if item.name in values:
            unit = Unit("u", item.dimension, NEURO.size(item.dimension))
            item = replace(item, value=Quantity(values[item.name], unit))
        parameters.append(item)
    return replace(component, parameters=tuple(parameters))


def _stimulus(component: Any, drive: Drive, groups: list[Any]) -> tuple[list[Any], list[Any]]:
    from interspike.canonical_model import model as m
    from interspike.canonical_model import units as u
    from interspike.canonical_model.circuit import AnalogLink, EventLink, Group
    from interspike.canonical_model.expr_text import parse_expr

    one = np.array([0])
    links, analog = [], []
    for port, weight, times in trains(component, drive):
        source = m.Component(
            name="source",
            event_outputs=(m.EventPort(name="out"),),
            timed_events=(m.TimedEvents(times=tuple(times * 1e-3), body=(m.Emit(port="out"),)),),
        )
        groups.append(Group(name=f"to_{port}", component=source, size=1))
        # NESTML's ports see magnitudes
        links.append(
            EventLink(
                source=f"to_{port}", source_port="out", target="cell", target_port=port,
                pre=one, post=one, weight=np.array([abs(weight)]), delay=np.array([DELAY * 1e-3]),
            )
        )  # fmt: skip
    start, stop = ((t + CURRENT_DELAY - H / 2) * 1e-3 for t in (ON, OFF))
    for port in component.analog_inputs if drive.current else ():
        text = f"if(t > {start!r} s and t < {stop!r} s, {drive.current!r} pA, 0 pA)"
        current = m.DerivedVariable(name="i", dimension=u.CURRENT, value=parse_expr(text))
        source = m.Component(name="current", derived_variables=(current,))
        groups.append(Group(name=f"to_{port.name}", component=source, size=1))
        analog.append(
            AnalogLink(
                source=f"to_{port.name}", variable="i", target="cell", input=port.name,
                pre=one, post=one,
            )
        )  # fmt: skip
    return links, analog
