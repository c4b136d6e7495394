"""NESTML 9's model library in NEST three ways: our module, NESTML 9's module, NEST's hand-written model.

One network holds all of a model; each side gets the same constant current and the same spikes, with the
parameters of the hand-written model set to those of the library's. Writes `docs/nest_twins.md`. Modules are
kept in a cache folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nestml_peer as peer
import numpy as np
from nest_twin_facts import CONTROLS, TWINS, Twin
from nestml_drives import DRIVES, REMARKS
from nestml_trial import DELAY, LENGTH, OFF, ON, Drive, H, Run, trains

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nest_twins.md"
SUFFIX = "_nestml9"
TIGHT = 1e-9
SIDES = ("ours", "nestml", "twin")

IN_NEST = """
import json, sys
import nest, numpy as np
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution = job["step"]
for module in job["modules"]:
    nest.Install(module)
kept = {}
for side, given in job["sides"].items():
    known = nest.GetDefaults(given["model"])
    values = {k: v for k, v in given["values"].items() if k in known}
    ours = nest.GetDefaults(job["sides"]["ours"]["model"]) | job["sides"]["ours"]["values"]
    values = {k: ours[v] for k, v in given["copied"].items()} | values
    cell = nest.Create(given["model"], params=values)
    if job["current"]:
        source = nest.Create("dc_generator", params={
            "amplitude": job["current"], "start": job["on"], "stop": job["off"]})
        nest.Connect(source, cell, syn_spec={"delay": job["step"]})
    receptors = {str(k): n for k, n in dict(known.get("receptor_types", {})).items()}
    for port, weight, times in job["trains"]:
        source = nest.Create("spike_generator", params={"spike_times": times})
        receptor = receptors.get(given["ports"].get(port, port.upper()), 0)
        nest.Connect(source, cell, syn_spec={
            "weight": weight, "delay": job["delay"], "receptor_type": receptor})
    wanted = [str(n) for n in known["recordables"]]
    wanted = [n for n in wanted if not given["traces"] or n in given["traces"]]
    meter = nest.Create("multimeter", params={"record_from": wanted, "interval": job["step"]})
    nest.Connect(meter, cell)
    heard = nest.Create("spike_recorder")
    nest.Connect(cell, heard)
    kept[side] = meter, heard, wanted
nest.Simulate(job["length"] + job["step"])
arrays = {}
for side, (meter, heard, wanted) in kept.items():
    arrays[f"{side}:spikes"] = np.asarray(heard.events["times"])
    for name in wanted:
        arrays[f"{side}/{name}"] = np.asarray(meter.events[name])
np.savez(job["output"], **arrays)
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far one side is from ours: mV in V_m before the first spike that differs and in all, the worst
    other quantity relative to its largest value, spikes of that side, and how many are ours too."""

    before: float
    overall: float
    other: float
    spikes: int
    same: int


@dataclass(frozen=True, slots=True)
class Row:
    """One model at the default tolerances, and with the same solver and tolerance on both sides."""

    model: str
    twin_name: str
    label: str
    remark: str
    spikes: int
    nestml: Gap
    twin: Gap | None
    alike: Gap | None
    alike_spikes: int


def main() -> None:
    """Build, run, compare; write the page."""
    cache, files, is_whole = peer.library_options(__doc__)
    rows = []
    for path in files:
        twins = [TWINS.get(path.stem), *(t for stem, t in CONTROLS.items() if stem == path.stem)]
        for twin in twins:
            rows.append(compare(path, cache, twin))
            print(_line(rows[-1]), flush=True)
    if is_whole:
        PAGE.write_text(page(rows))


def compare(path: Path, cache: Path, twin: Twin | None) -> Row:
    """One model on all sides."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.importers.nestml.reader import read
    from interspike.nest.load import prepare

    component = read(path, log=Log()).components[0]
    theirs = peer.make([path], cache, path.stem, SUFFIX)
    ours = prepare(path, solver=twin.solver if twin else "rkf45", cache=cache / "ours")
    facts = json.loads((ours.folder / "models.json").read_text())[ours.models[0]]
    solved = "gsl_abs_error_tol" in facts["parameters"]
    drive = DRIVES.get(path.stem, Drive())
    names = {"ours": ours.models[0], "nestml": f"{path.stem}{SUFFIX}"}
    modules = [ours.file, theirs.file]
    runs = _run(modules, names, twin, component, drive, None)
    alike = None
    if solved and twin and (twin.fixed or twin.limit):
        limits = twin.fixed or (TIGHT, TIGHT)
        if twin.fixed:
            modules[0] = prepare(path, solver="gsl", cache=cache / "ours").file
        alike = _run(modules, names, twin, component, drive, limits)
    return Row(
        model=path.stem,
        spikes=len(runs["ours"].spikes),
        nestml=gap(runs["ours"], runs["nestml"], {}),
        twin=gap(runs["ours"], runs["twin"], twin.traces) if twin else None,
        alike=gap(alike["ours"], alike["twin"], twin.traces) if alike and twin else None,
        alike_spikes=len(alike["ours"].spikes) if alike else 0,
        twin_name=twin.model if twin else "",
        label=twin.label if twin else "",
        remark=_remark(path.stem, twin),
    )


def _remark(model: str, twin: Twin | None) -> str:
    """Why NESTML 9's module, and NEST's model, differ from ours."""
    if twin is not None and twin.label:
        return twin.remark
    known = [REMARKS[model]] if model in REMARKS else []
    return "; ".join([*known, *([twin.remark] if twin and twin.remark else [])])


def _run(
    modules: list[Path],
    names: Mapping[str, str],
    twin: Twin | None,
    component: Any,
    drive: Drive,
    tolerance: tuple[float, float] | None,
) -> dict[str, Run]:
    values = {**drive.values, **(twin.values if twin else {})}
    limits = {}
    if tolerance is not None:
        limits = {"gsl_abs_error_tol": tolerance[0], "gsl_rel_error_tol": tolerance[1]}
    plain: dict[str, Any] = {"copied": {}, "ports": {}, "traces": []}
    sides: dict[str, Any] = {
        side: {**plain, "model": name, "values": {**values, **limits}}
        for side, name in names.items()
    }
    if twin is not None:
        own = {**twin.own, **({twin.limit: tolerance[0]} if tolerance and twin.limit else {})}
        sides["twin"] = {
            "model": twin.model,
            "values": own,
            "copied": dict(twin.copied),
            "ports": dict(twin.ports),
            "traces": list(twin.traces.values()),
        }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "runs.npz"
        job = {
            "modules": [str(path.with_suffix("")) for path in modules],
            "sides": sides,
            "step": H,
            "length": LENGTH,
            "delay": DELAY,
            "on": ON,
            "off": OFF,
            "current": drive.current if component.analog_inputs else 0.0,
            "trains": [(p, w, list(t)) for p, w, t in trains(component, drive)],
            "output": str(output),
        }
        command = [sys.executable, "-P", "-c", IN_NEST, json.dumps(job)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr or done.stdout).strip()[-800:])
        with np.load(output) as data:
            arrays = {key: data[key] for key in data.files}
    return {
        side: Run(
            arrays[f"{side}:spikes"],
            {k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith(f"{side}/")},
        )
        for side in sides
    }


def gap(ours: Run, theirs: Run, traces: Mapping[str, str]) -> Gap:
    """Compare; `traces` are names of ours and theirs, all common ones where it is empty."""
    pairs = traces or {name: name for name in theirs.traces if name in ours.traces}
    count = min(len(ours.spikes), len(theirs.spikes))
    alike = np.abs(ours.spikes[:count] - theirs.spikes[:count]) < H / 10
    first = count if alike.all() else int(np.argmin(alike))
    all_same = first == len(ours.spikes) == len(theirs.spikes)
    ends = [times[first] for times in (ours.spikes, theirs.spikes) if first < len(times)]
    # rows are at H, 2 H, ...: those before the step in which the spikes part
    rows = None if all_same else max(0, round(min(ends) / H) - 1)
    voltage, other = (0.0, 0.0), 0.0
    for mine, name in pairs.items():
        off = np.abs(ours.traces[mine] - theirs.traces[name])
        if mine == "V_m":
            voltage = float(off[:rows].max(initial=0.0)), float(off.max())
        else:
            scale = float(np.abs(theirs.traces[name]).max()) or 1.0
            other = max(other, float(off[:rows].max(initial=0.0)) / scale)
    return Gap(*voltage, other, len(theirs.spikes), first)


def _shown(item: Gap | None, ours: int) -> str:
    if item is None:
        return ""
    text = f"{item.before:.1e} / {item.other:.1e}"
    if item.same == item.spikes == ours:
        return f"{text}, all {ours} spikes"
    return f"{text}, {item.spikes} spikes, the first {item.same} the same"


def _line(row: Row) -> str:
    cells = (
        f"... {row.label}" if row.label else row.model.removesuffix("_neuron"),
        str(row.spikes),
        _shown(row.nestml, row.spikes),
        f"`{row.twin_name}`" if row.twin_name else "none",
        _shown(row.twin, row.spikes),
        _shown(row.alike, row.alike_spikes),
        row.remark,
    )
    return f"| {' | '.join(cells)} |"


def page(rows: list[Row]) -> str:
    """The documentation page."""
    head = f"""# NESTML 9's model library beside NESTML 9's modules and NEST's own models

Written by `benchmarks/nest_twins.py`. Each neuron of the library that NESTML 9 installs runs in NEST as our
module, as NESTML 9's module and, where NEST has one, as its hand-written model with the same parameters. All
get a constant current from {ON:g} to {OFF:g} ms and 40 spikes on each port;
steps of {H} ms, {LENGTH:g} ms in all.

A cell holds the largest deviation from ours in V_m (mV) / the largest of any other quantity compared (of its
largest value), both up to the first spike that differs, and the spikes. Solvers have their default
tolerances (NESTML 9's modules and ours 1e-6; NEST's models 1e-3 or 1e-6, as they are written). The column
"solver alike" shows what is no matter of the solver: {TIGHT:g} on both sides where NEST's model lets its
tolerance be set; for those that have 1e-3 written in, our module with GSL's solver (`--solver gsl`) and
the same 1e-3. Rows with dots repeat the model above.

| model | our spikes | NESTML 9's module | NEST's model | deviation | solver alike \
| who is right where they differ |
|---|---|---|---|---|---|---|
"""
    return head + "\n".join(_line(row) for row in rows) + "\n"


if __name__ == "__main__":
    main()
