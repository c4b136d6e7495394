"""One connection of a generated synapse in NEST, in a process of its own: what it sends, added up."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .build import module_of
from .run import NestResult, build_once, in_child

# a spike that leaves a parrot or the target at a time was sent to it a step before
SCRIPT = """
import json, sys
import nest, numpy as np
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
h = job["step"]
nest.resolution = h
nest.Install(job["module"])

def drive(role, cell, **more):
    times = [(time - 1) * h for time in job["spikes"].get(role, ()) if time > 1]
    source = nest.Create("spike_generator", params={"spike_times": times})
    nest.Connect(source, cell, syn_spec={"delay": h, **more})

cell = nest.Create(job["target"])
drive("post", cell, receptor_type=job["receptors"]["drive"])
parrot = nest.Create("parrot_neuron")
drive("pre", parrot)
synapse = job["synapse"]
if job["modulated"]:
    third, transmitter = nest.Create("parrot_neuron"), nest.Create("volume_transmitter")
    drive("modulator", third)
    nest.Connect(third, transmitter, syn_spec={"delay": job["delay"] * h})
    nest.CopyModel(synapse, "with_transmitter", {"volume_transmitter": transmitter})
    synapse = "with_transmitter"
spec = {"synapse_model": synapse, "delay": job["delay"] * h, "receptor_type": job["receptors"]["in"]}
nest.Connect(parrot, cell, syn_spec=spec)
meter = nest.Create("multimeter", params={"record_from": [job["record"]], "interval": h})
nest.Connect(meter, cell)
heard = nest.Create("spike_recorder")
nest.Connect(cell, heard)
nest.Simulate(job["steps"] * h)
events = meter.get("events")
found = events["times"], events[job["record"]], heard.get("events")["times"]
print("RESULT " + json.dumps([[float(x) for x in item] for item in found]))
"""


def run_synapse(
    folder: Path, target: str, record: str, spikes: Mapping[str, Sequence[int]], *,
    delay: int, steps: int, step: float,
) -> NestResult:  # fmt: skip
    """Build the folder's module, which holds a synapse and the neuron `target` (ports `drive`, `in`).

    `spikes` by role (`pre`, `post`, `modulator`), `delay` and `steps` are in steps of `step` seconds.
    Raises ModelError B400 to B404 where the module cannot be built, B406 where the run fails.
    """
    build_once(folder)
    facts = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    (synapse,) = (name for name, item in facts.items() if item["kind"] == "synapse")
    ports = {name.lower(): number for name, number in facts[target]["receptors"].items()}
    job = {
        "module": str(folder / "build" / module_of(folder)), "step": step * 1e3, "steps": steps,
        "delay": delay, "target": target, "synapse": synapse, "receptors": ports, "record": record,
        "spikes": {role: list(times) for role, times in spikes.items()},
        "modulated": "modulator" in spikes,
    }  # fmt: skip
    printed = in_child([sys.executable, "-P", "-c", SCRIPT, json.dumps(job)], folder)
    line = next(line for line in printed.splitlines() if line.startswith("RESULT "))
    times, values, fired = json.loads(line.removeprefix("RESULT "))
    order = np.argsort(times, kind="stable")
    return NestResult(
        events={"target": np.sort(fired) * 1e-3},
        times=np.asarray(times)[order] * 1e-3,
        traces={record: np.asarray(values)[order]},
    )
